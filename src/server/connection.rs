//! One connection: its settings, its protocol, its requests.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::http2::in_words_of_http1;
use super::request_body::RequestBody;
use super::response_body::ResponseBody;
use super::socket::Socket;
use super::tls::{Tls, wants_http2};
use super::work::Work;
use crate::api::{Peer, Service};

/// Headers per request; v1 sends one per image property, and 128 properties are allowed (security §4).
const MAX_HEADERS: usize = 256;
/// Bytes that a client may send ahead of who reads them: of one request, and of all of a connection. They bound an
/// upload's speed by the time of a round trip, and the memory that stalled ones hold.
const REQUEST_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * REQUEST_WINDOW;

/// How each connection is served.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    service: Arc<dyn Service>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    tls: Option<Tls>,
    silence: Option<Duration>,
    keepidle: Duration,
}

impl Connections {
    /// Connections to `service`.
    pub(super) fn new(service: Arc<dyn Service>, settings: &Settings) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .keep_alive(settings.keep_alive)
            .max_headers(MAX_HEADERS)
            .max_buf_size(settings.header_bytes)
            .header_read_timeout(settings.silence)
            // Never one buffer for head and body: files are recognised by where they are mapped, and must not be looked at.
            .writev(true)
            // A client that has sent its request may close its side and still wait for the answer.
            .half_close(true);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(settings.header_bytes).unwrap_or(u32::MAX))
            .max_concurrent_streams(settings.streams)
            .initial_stream_window_size(REQUEST_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        let (tls, silence, keepidle) = (settings.tls.clone(), settings.silence, settings.keepidle);
        Self { service, http1, http2, tls, silence, keepidle }
    }

    /// Serves the one with `peer`, on the thread that it is to live on, until one side ends it. What is not even
    /// agreed on when `stopping` ends at once.
    pub(super) async fn serve(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
        stopping: CancellationToken,
    ) {
        self.prepare(&stream);
        let socket = match stream.into_std().and_then(TcpStream::from_std) {
            Ok(stream) => Socket::new(stream, peer, self.silence),
            Err(error) => return tracing::error!("cannot serve a connection: {error}"),
        };
        let served = match &self.tls {
            None => {
                let connection = self.http1.serve_connection(TokioIo::new(socket), self.requests(peer, None));
                watcher.watch(connection).await
            }
            Some(tls) => {
                let agreed = tokio::select! {
                    agreed = self.agree(tls, socket) => agreed,
                    () = stopping.cancelled() => return,
                };
                match agreed {
                    Ok(stream) => self.serve_encrypted(stream, peer, watcher).await,
                    Err(error) => return tracing::debug!("no TLS with {peer}: {error}"),
                }
            }
        };
        if let Err(error) = served {
            tracing::debug!("connection of {peer} ended: {error:?}");
        }
    }

    fn prepare(&self, socket: &TcpStream) {
        use rustix::net::sockopt;
        let tuned = socket
            .set_nodelay(true)
            .and_then(|()| Ok(sockopt::set_socket_keepalive(socket, true)?))
            .and_then(|()| Ok(sockopt::set_tcp_keepidle(socket, self.keepidle)?));
        if let Err(error) = tuned {
            tracing::debug!("cannot tune a connection: {error}");
        }
    }

    async fn agree(&self, tls: &Tls, socket: Socket) -> io::Result<TlsStream<Socket>> {
        match self.silence {
            None => tls.accept(socket).await,
            Some(silence) => timeout(silence, tls.accept(socket)).await?,
        }
    }

    async fn serve_encrypted(
        &self,
        mut stream: TlsStream<Socket>,
        peer: SocketAddr,
        watcher: Watcher,
    ) -> hyper::Result<()> {
        let work = Work::default();
        let requests = self.requests(peer, Some(work.clone()));
        if wants_http2(&stream) {
            stream.get_mut().0.time_reading(self.silence, work);
            watcher.watch(self.http2.serve_connection(TokioIo::new(stream), requests)).await
        } else {
            watcher.watch(self.http1.serve_connection(TokioIo::new(stream), requests)).await
        }
    }

    /// What answers the requests of a connection. `work`: where it is encrypted, what is done for it.
    fn requests(
        &self,
        peer: SocketAddr,
        work: Option<Work>,
    ) -> impl hyper::service::Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static>
    + use<> {
        let (service, silence) = (Arc::clone(&self.service), self.silence);
        let peer = Peer { address: peer, encrypted: work.is_some() };
        service_fn(move |request| {
            let (service, work) = (Arc::clone(&service), work.clone());
            let request = RequestBody::wrap(in_words_of_http1(request), silence);
            async move {
                let working = work.as_ref().map(Work::begin);
                let response = answer(&*service, request, peer).await;
                drop(working);
                Ok(match work {
                    None => response,
                    Some(work) => response.map(|body| Body::new(ResponseBody::new(body, work))),
                })
            }
        })
    }
}

/// Answers and logs one request.
async fn answer(service: &dyn Service, request: Request<RequestBody>, peer: Peer) -> Response {
    let started = Instant::now();
    let line = format!("{} {}", request.method(), request.uri().path());
    let response = service.call(request.map(Body::new), peer).await;
    let millis = started.elapsed().as_secs_f64() * 1e3;
    let id = response.headers().get("x-openstack-request-id").and_then(|id| id.to_str().ok()).unwrap_or("-");
    let status = response.status().as_u16();
    tracing::info!(logger = "gander.access", "[{id}] {} \"{line}\" {status} {millis:.3} ms", peer.address.ip());
    response
}
