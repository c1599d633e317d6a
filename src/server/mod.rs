//! Listening, serving and stopping. Knows connections and signals, nothing of what is served.

mod listener;
mod signals;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};

pub(crate) use listener::bind;
pub(crate) use signals::Stop;

use crate::api::Service;

/// Pause after a failed accept: it fails for want of file descriptors, and trying at once only burns time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Headers per request; v1 sends one per image property, and 128 properties are allowed (security §4).
const MAX_HEADERS: usize = 256;

/// How to listen and how long to wait, as configured.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `bind_host`
    pub(crate) host: String,
    /// `bind_port`
    pub(crate) port: u16,
    /// Connections that the kernel may hold for us (`backlog`).
    pub(crate) backlog: u32,
    /// Seconds of silence before the kernel asks whether the peer is alive (`tcp_keepidle`).
    pub(crate) keepidle: Duration,
    /// Bytes of one request's header block (from `max_header_line`).
    pub(crate) header_bytes: usize,
    /// A request's headers must be complete, and an idle connection used again, within this (`client_socket_timeout`).
    pub(crate) header_timeout: Option<Duration>,
    /// Running requests get this long to finish when the server stops (`graceful_shutdown_timeout`).
    pub(crate) grace: Duration,
}

/// The threads that everything runs on; `None`: one per processor.
pub(crate) fn runtime(workers: Option<usize>) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    builder.enable_all().build()
}

/// Serves until a signal says stop; then lets running requests finish, within the grace period.
pub(crate) async fn serve(
    listener: TcpListener,
    service: Arc<dyn Service>,
    settings: &Settings,
) -> std::io::Result<()> {
    let mut stop = Stop::listen()?;
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .max_headers(MAX_HEADERS)
        .max_buf_size(settings.header_bytes)
        .header_read_timeout(settings.header_timeout)
        // A client that has sent its request may close its side and still wait for the answer.
        .half_close(true);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    prepare(&socket, settings);
                    let connection = connection(&http, socket, peer, Arc::clone(&service));
                    let watched = graceful.watch(connection);
                    tokio::spawn(async move {
                        if let Err(error) = watched.await {
                            tracing::debug!("connection of {peer} ended: {error}");
                        }
                    });
                }
                Err(error) => {
                    tracing::error!("cannot accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            signal = stop.wait() => {
                tracing::info!("{signal} received, stopping");
                break;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(settings.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests still running after {} s are cut", settings.grace.as_secs());
    }
    Ok(())
}

fn prepare(socket: &TcpStream, settings: &Settings) {
    use rustix::net::sockopt;
    let tuned = socket
        .set_nodelay(true)
        .and_then(|()| Ok(sockopt::set_socket_keepalive(socket, true)?))
        .and_then(|()| Ok(sockopt::set_tcp_keepidle(socket, settings.keepidle)?));
    if let Err(error) = tuned {
        tracing::debug!("cannot tune a connection: {error}");
    }
}

fn connection(
    http: &http1::Builder,
    socket: TcpStream,
    peer: SocketAddr,
    service: Arc<dyn Service>,
) -> http1::Connection<
    TokioIo<TcpStream>,
    impl hyper::service::Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + use<>,
> {
    http.serve_connection(
        TokioIo::new(socket),
        service_fn(move |request| {
            let service = Arc::clone(&service);
            async move { Ok::<_, Infallible>(answer(&*service, request, peer).await) }
        }),
    )
}

/// Answers and logs one request.
async fn answer(service: &dyn Service, request: Request<Incoming>, peer: SocketAddr) -> Response {
    let started = Instant::now();
    let line = format!("{} {}", request.method(), request.uri().path());
    let response = service.call(request.map(Body::new), peer).await;
    let millis = started.elapsed().as_secs_f64() * 1e3;
    tracing::info!(logger = "gander.access", "{} \"{line}\" {} {millis:.3} ms", peer.ip(), response.status().as_u16());
    response
}
