//! Listening, serving and stopping. Knows connections and signals, nothing of what is served.

mod connection;
mod ending;
mod http2;
mod listener;
mod patience;
mod reading;
mod request_body;
mod response_body;
mod signals;
mod socket;
mod streams;
mod threads;
mod tls;
mod untaken;

use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use ending::Ending;
pub(crate) use listener::bind;
pub(crate) use signals::Stop;
pub(crate) use tls::{File as TlsFile, Files as TlsFiles, Tls};

use crate::api::Service;
use connection::Connections;
use threads::Threads;

/// Pause after a failed accept: it fails for want of file descriptors, and trying at once only burns time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// At the end of the process blocking work may take this long before it is abandoned.
const LEFTOVERS: Duration = Duration::from_millis(500);

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
    /// TLS must be agreed on, a request's headers complete, an idle connection used again, and each block of a body arrive
    /// or be taken within this (`client_socket_timeout`); `None`: whenever.
    pub(crate) silence: Option<Duration>,
    /// A connection is good for more than one request (`http_keepalive`).
    pub(crate) keep_alive: bool,
    /// Requests that a connection of HTTP/2 may have running at a time (`max_concurrent_streams`).
    pub(crate) streams: u32,
    /// How connections are made confidential; `None`: they are not.
    pub(crate) tls: Option<Tls>,
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
    let stopping = CancellationToken::new();
    let connections = Connections::new(service, settings);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = Threads::start(settings.workers.unwrap_or(processors))?;
    let signal = loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let connection = connections.clone();
                    let (watcher, stopping) = (graceful.watcher(), stopping.clone());
                    threads.serve(move || connection.serve(stream, peer, watcher, stopping)).await;
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
    stopping.cancel();
    let mut ending = Ending::begin(stop, signal, settings.grace);
    if ending.grant(graceful.shutdown()).await.is_none() {
        tracing::warn!("requests still running are cut");
        threads.cut().await;
    }
    Ok(ending.with(threads))
}
