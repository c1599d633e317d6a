//! One connection: its settings, its protocol, its requests.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use http::{Method, Request};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::http2::in_words_of_http1;
use super::request_body::RequestBody;
use super::response_body::readable;
use super::socket::Socket;
use super::streams::Streams;
use super::tls::{Tls, wants_http2};
use crate::api::{Peer, Service};

/// Headers per request; v1 sends one per image property, and 128 properties are allowed (security §4).
const MAX_HEADERS: usize = 256;
/// Bytes of a request that a client of HTTP/2 may send ahead of who reads them. They bound an upload's speed by the time
/// of a round trip, and the memory that a stalled one holds.
const WINDOW: u32 = 1024 * 1024;
/// The most bytes of a window (RFC 9113 §6.9.1).
const MAX_WINDOW: u32 = (1 << 31) - 1;

/// How each connection is served.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    service: Arc<dyn Service>,
    http1: http1::Builder,
    header_bytes: u32,
    streams: u32,
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
        Self {
            service,
            http1,
            header_bytes: u32::try_from(settings.header_bytes).unwrap_or(u32::MAX),
            streams: settings.streams,
            tls: settings.tls.clone(),
            silence: settings.silence,
            keepidle: settings.keepidle,
        }
    }

    fn http2(&self, streams: Streams) -> http2::Builder<Streams> {
        let mut http2 = http2::Builder::new(streams);
        http2
            .timer(TokioTimer::new())
            .max_header_list_size(self.header_bytes)
            .max_concurrent_streams(self.streams)
            .initial_stream_window_size(WINDOW)
            // No request keeps another from being sent.
            .initial_connection_window_size(WINDOW.saturating_mul(self.streams).min(MAX_WINDOW));
        http2
    }

    /// Serves the one with `peer`, on the thread that it is to live on, until one side ends it. Once the server is
    /// `stopping`, requests that run are finished as `watcher` wants it, and who has none goes.
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
                let connection = self.http1.serve_connection(TokioIo::new(socket), self.requests(peer, false));
                watcher.watch(connection).await.map_err(Into::into)
            }
            Some(tls) => {
                let agreed = tokio::select! {
                    agreed = self.agree(tls, socket) => agreed,
                    () = stopping.cancelled() => return,
                };
                match agreed {
                    Ok(stream) => self.serve_encrypted(stream, peer, watcher, stopping).await,
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
        stopping: CancellationToken,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let requests = self.requests(peer, true);
        if wants_http2(&stream) {
            let streams = stream.get_mut().0.streams(self.silence, stopping)?;
            watcher.watch(self.http2(streams).serve_connection(TokioIo::new(stream), requests)).await?;
        } else {
            watcher.watch(self.http1.serve_connection(TokioIo::new(stream), requests)).await?;
        }
        Ok(())
    }

    /// What answers the requests of a connection. `encrypted`: it is one of TLS.
    fn requests(
        &self,
        peer: SocketAddr,
        encrypted: bool,
    ) -> impl hyper::service::Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static>
    + use<> {
        let (service, silence) = (Arc::clone(&self.service), self.silence);
        let peer = Peer { address: peer, encrypted };
        service_fn(move |request| {
            let service = Arc::clone(&service);
            let to_head = request.method() == Method::HEAD;
            let request = RequestBody::wrap(in_words_of_http1(request), silence);
            async move {
                let response = answer(&*service, request, peer).await;
                Ok(if encrypted { readable(response, to_head) } else { response })
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
