//! A client of HTTP/2 whose every frame is the test's own business.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use h2::{RecvStream, SendStream};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificates::Certificates;
use super::gander::Gander;
use super::http::Response;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection with a server.
#[derive(Debug)]
pub(crate) struct Http2 {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
    base: String,
}

/// An answer whose body is read at the test's own pace.
#[derive(Debug)]
pub(crate) struct Coming {
    pub(crate) head: Response,
    body: RecvStream,
}

impl Http2 {
    /// Connects, and takes `window` bytes of each body, and of all together, before it is asked for more.
    pub(crate) fn connect(gander: &Gander, certificates: &Certificates, window: u32) -> Self {
        Self::connect_by(gander.port(), certificates, window)
    }

    /// The same by a port that leads there.
    pub(crate) fn connect_by(port: u16, certificates: &Certificates, window: u32) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let tls = TlsConnector::from(certificates.client(&["h2"], None));
        let sender = runtime.block_on(async {
            let mut builder = Builder::new();
            builder.initial_window_size(window).initial_connection_window_size(window.max(65_535));
            let (sender, connection) = builder.handshake(dial(port, &tls).await).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        let base = format!("https://127.0.0.1:{port}");
        Self { runtime, sender, base }
    }

    /// A client that was answered once, and reads and answers nothing any more, as long as this is kept.
    pub(crate) fn deaf(gander: &Gander, certificates: &Certificates) -> impl Sized + use<> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let tls = TlsConnector::from(certificates.client(&["h2"], None));
        let port = gander.port();
        let connection = runtime.block_on(async {
            let (mut sender, mut connection) = h2::client::handshake(dial(port, &tls).await).await.unwrap();
            let request = http::Request::get(format!("https://127.0.0.1:{port}/v1/images")).body(()).unwrap();
            let (answer, _) = sender.send_request(request, true).unwrap();
            tokio::select! {
                answer = answer => assert_eq!(answer.unwrap().status(), 200),
                ended = &mut connection => panic!("{ended:?}"),
            }
            // In a box, as it is not to be awaited.
            Box::new(connection) as Box<dyn Send>
        });
        // Without the runtime its socket would be closed.
        (connection, runtime)
    }

    /// How many requests the server lets run at a time; it has told with its first answer.
    pub(crate) fn most_streams(&self) -> usize {
        self.sender.current_max_send_streams()
    }

    /// Begins a request; `bodiless`: that is all of it.
    pub(crate) fn begin(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        bodiless: bool,
    ) -> Result<(h2::client::ResponseFuture, SendStream<Bytes>), h2::Error> {
        let mut request = http::Request::builder().method(method).uri(format!("{}{target}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.within(async {
            let mut sender = self.sender.clone().ready().await?;
            sender.send_request(request.body(()).unwrap(), bodiless)
        })
    }

    /// Sends a request without a body, and reads no more than the head of the answer.
    pub(crate) fn open(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Result<Coming, h2::Error> {
        let (answer, _) = self.begin(method, target, headers, true)?;
        self.head(answer)
    }

    /// The head of an answer.
    pub(crate) fn head(&self, answer: h2::client::ResponseFuture) -> Result<Coming, h2::Error> {
        let (head, body) = self.within(answer)?.into_parts();
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let head = Response { status: head.status.as_u16(), headers, body: Vec::new(), complete: false };
        Ok(Coming { head, body })
    }

    /// Reads on; `None` at the end.
    pub(crate) fn read(&self, coming: &mut Coming) -> Option<Result<Bytes, h2::Error>> {
        let block = self.within(poll_fn(|cx| coming.body.poll_data(cx)))?;
        if let Ok(block) = &block {
            coming.body.flow_control().release_capacity(block.len()).unwrap();
        }
        Some(block)
    }

    /// Reads the rest.
    pub(crate) fn finish(&self, mut coming: Coming) -> Response {
        loop {
            match self.read(&mut coming) {
                Some(Ok(block)) => coming.head.body.extend_from_slice(&block),
                Some(Err(_)) => return coming.head,
                None => {
                    coming.head.complete = true;
                    return coming.head;
                }
            }
        }
    }

    /// A whole request without a body, and its answer.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
        self.finish(self.open(method, target, headers).unwrap())
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Response {
        self.ask("GET", target, &[])
    }

    /// Sends a part of a body as the other side has room for it; `end`: the last.
    ///
    /// # Errors
    /// The other side wants no more.
    pub(crate) fn send(&self, body: &mut SendStream<Bytes>, data: &[u8], end: bool) -> io::Result<()> {
        let mut rest = data;
        while !rest.is_empty() {
            body.reserve_capacity(rest.len());
            let room = self.within(poll_fn(|cx| body.poll_capacity(cx)));
            let room = room.ok_or(io::ErrorKind::BrokenPipe)?.map_err(io::Error::other)?;
            let (part, left) = rest.split_at(room.min(rest.len()));
            body.send_data(Bytes::copy_from_slice(part), end && left.is_empty()).map_err(io::Error::other)?;
            rest = left;
        }
        Ok(())
    }

    /// A whole request with a body of unknown length, and its answer.
    #[track_caller]
    pub(crate) fn put(&self, method: &str, target: &str, headers: &[(&str, &str)], data: &[u8]) -> Response {
        let (answer, mut body) = self.begin(method, target, headers, false).unwrap();
        // A refusal may come before everything is sent.
        let _ = self.send(&mut body, data, true);
        self.finish(self.head(answer).unwrap())
    }

    fn within<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(async { timeout(PATIENCE, work).await.unwrap() })
    }
}

/// A connection on which HTTP/2 was agreed on.
async fn dial(port: u16, tls: &TlsConnector) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let stream = tls.connect("127.0.0.1".try_into().unwrap(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_ref()));
    stream
}
