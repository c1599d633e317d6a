//! Listening, serving and stopping. Knows connections and signals, nothing of what is served.

mod ending;
mod listener;
mod patience;
mod request_body;
mod signals;
mod socket;
mod threads;

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

pub(crate) use ending::Ending;
pub(crate) use listener::bind;
pub(crate) use signals::Stop;

use crate::api::Service;
use request_body::RequestBody;

use socket::Socket;
use threads::Threads;

/// Pause after a failed accept: it fails for want of file descriptors, and trying at once only burns time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// At the end of the process blocking work may take this long before it is abandoned.
const LEFTOVERS: Duration = Duration::from_millis(500);
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
    /// A request's headers must be complete, an idle connection used again, and each block of a body arrive or be
    /// taken within this (`client_socket_timeout`); `None`: whenever.
    pub(crate) silence: Option<Duration>,
    /// A connection is good for more than one request (`http_keepalive`).
    pub(crate) keep_alive: bool,
    /// Running requests, and then all other work, get this long to finish when the server stops
    /// (`graceful_shutdown_timeout`).
    pub(crate) grace: Duration,
    /// Threads that connections live on (`workers`); `None`: one per processor.
    pub(crate) workers: Option<usize>,
}

/// What a command runs on: a thread per processor.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Runs a server to its end; whatever file work hangs then (a dead disk, say) is left hanging. What it does beside its
/// connections, which have [`threads`] of their own, one thread can do.
pub(crate) fn run<T>(server: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let outcome = runtime.block_on(server);
    runtime.shutdown_timeout(LEFTOVERS);
    Ok(outcome)
}

/// Serves until a signal says stop, then lets running requests finish. Those that outlast the grace period are cut:
/// when this returns no connection is left. What is left of the grace period is the [`Ending`]'s.
pub(crate) async fn serve(
    listener: TcpListener,
    service: Arc<dyn Service>,
    settings: &Settings,
) -> std::io::Result<Ending> {
    let mut stop = Stop::listen()?;
    let graceful = GracefulShutdown::new();
    let http = protocol(settings);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = Threads::start(settings.workers.unwrap_or(processors))?;
    let signal = loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    prepare(&stream, settings);
                    let (http, service, watcher) = (http.clone(), Arc::clone(&service), graceful.watcher());
                    let silence = settings.silence;
                    threads.serve(move || async move {
                        let served = match stream.into_std().and_then(TcpStream::from_std) {
                            Ok(stream) => watcher.watch(connection(&http, stream, peer, service, silence)).await,
                            Err(error) => return tracing::error!("cannot serve a connection: {error}"),
                        };
                        if let Err(error) = served {
                            tracing::debug!("connection of {peer} ended: {error:?}");
                        }
                    }).await;
                }
                Err(error) => {
                    tracing::error!("cannot accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            signal = stop.wait() => break signal,
        }
    };
    drop(listener);
    let mut ending = Ending::begin(stop, signal, settings.grace);
    if ending.grant(graceful.shutdown()).await.is_none() {
        tracing::warn!("requests still running are cut");
        threads.cut().await;
    }
    Ok(ending.with(threads))
}

fn protocol(settings: &Settings) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .keep_alive(settings.keep_alive)
        .max_headers(MAX_HEADERS)
        .max_buf_size(settings.header_bytes)
        .header_read_timeout(settings.silence)
        // Never one buffer for head and body: files are recognised by where they are mapped, and must not be looked at.
        .writev(true)
        // A client that has sent its request may close its side and still wait for the answer.
        .half_close(true);
    http
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
    stream: TcpStream,
    peer: SocketAddr,
    service: Arc<dyn Service>,
    silence: Option<Duration>,
) -> http1::Connection<
    TokioIo<Socket>,
    impl hyper::service::Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + use<>,
> {
    http.serve_connection(
        TokioIo::new(Socket::new(stream, peer, silence)),
        service_fn(move |request| {
            let service = Arc::clone(&service);
            let request = RequestBody::wrap(request, silence);
            async move { Ok::<_, Infallible>(answer(&*service, request, peer).await) }
        }),
    )
}

/// Answers and logs one request.
async fn answer(service: &dyn Service, request: Request<RequestBody>, peer: SocketAddr) -> Response {
    let started = Instant::now();
    let line = format!("{} {}", request.method(), request.uri().path());
    let response = service.call(request.map(Body::new), peer).await;
    let millis = started.elapsed().as_secs_f64() * 1e3;
    let id = response.headers().get("x-openstack-request-id").and_then(|id| id.to_str().ok()).unwrap_or("-");
    let status = response.status().as_u16();
    tracing::info!(logger = "gander.access", "[{id}] {} \"{line}\" {status} {millis:.3} ms", peer.ip());
    response
}
