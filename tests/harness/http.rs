//! A raw HTTP/1.1 client. Client libraries add headers of their own (`Accept: */*`) and refuse to send the malformed
//! requests that some tests are about, so the bytes are written here.

use std::fmt::Debug;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who asks one server, always with the same extra headers.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    host: String,
    port: u16,
    headers: Vec<(String, String)>,
    /// Speaks TLS like that.
    tls: Option<Arc<ClientConfig>>,
}

/// The two directions of a connection.
pub(crate) trait Wire: Read + Write + Debug + Send {}

impl<T: Read + Write + Debug + Send> Wire for T {}

impl Client {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, headers: Vec::new(), tls: None }
    }

    /// The same server, behind TLS.
    pub(crate) fn over_tls(&self, tls: &Arc<ClientConfig>) -> Self {
        Self { tls: Some(Arc::clone(tls)), ..self.clone() }
    }

    /// The same server, with one more header in every request.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// Somebody whom a proxy in front has identified.
    pub(crate) fn acting_as(&self, user: &str, tenant: &str, roles: &str) -> Self {
        self.with("X-Auth-Token", "a-token")
            .with("X-Identity-Status", "Confirmed")
            .with("X-User-Id", user)
            .with("X-Tenant-Id", tenant)
            .with("X-Roles", roles)
    }

    /// `host:port`, as the `Host` header says it.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// What links begin with.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }

    pub(crate) fn get(&self, target: &str) -> Response {
        self.request("GET", target).send()
    }

    pub(crate) fn head(&self, target: &str) -> Response {
        self.request("HEAD", target).send()
    }

    pub(crate) fn delete(&self, target: &str) -> Response {
        self.request("DELETE", target).send()
    }

    pub(crate) fn put(&self, target: &str) -> Request {
        self.request("PUT", target)
    }

    pub(crate) fn post(&self, target: &str) -> Request {
        self.request("POST", target)
    }

    pub(crate) fn request(&self, method: &str, target: &str) -> Request {
        let mut headers = vec![("Host".to_owned(), self.authority())];
        headers.extend(self.headers.iter().cloned());
        Request {
            client: self.clone(),
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body: Vec::new(),
        }
    }

    /// A connection of one's own, for requests that are cut, slow, or malformed; below TLS.
    pub(crate) fn connect(&self) -> TcpStream {
        self.try_connect().unwrap()
    }

    /// As [`Client::connect`], to a server that may not be there.
    ///
    /// # Errors
    /// Nobody accepts connections.
    pub(crate) fn try_connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A connection of one's own, within TLS if that is spoken.
    ///
    /// # Errors
    /// Nobody accepts connections.
    pub(crate) fn dial(&self) -> io::Result<Box<dyn Wire>> {
        let stream = self.try_connect()?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(tls) => {
                let name = self.host.clone().try_into().map_err(io::Error::other)?;
                let session = ClientConnection::new(Arc::clone(tls), name).map_err(io::Error::other)?;
                Ok(Box::new(StreamOwned::new(session, stream)))
            }
        }
    }

    /// Sends exactly these bytes, says no more, and reads what comes back.
    pub(crate) fn raw(&self, bytes: &[u8]) -> io::Result<Response> {
        let mut stream = self.try_connect()?;
        // The server may have answered and closed before it has read everything.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        read_response(&mut BufReader::new(stream), false)
    }
}

/// A request being put together.
#[derive(Debug)]
pub(crate) struct Request {
    client: Client,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn headers(mut self, headers: &[(&str, &str)]) -> Self {
        self.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// A body of announced length.
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        let length = self.body.len().to_string();
        self.header("Content-Length", &length)
    }

    /// A body in chunks of at most 1000 bytes.
    pub(crate) fn chunked(mut self, body: &[u8]) -> Self {
        for chunk in body.chunks(1000) {
            self.body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            self.body.extend_from_slice(chunk);
            self.body.extend_from_slice(b"\r\n");
        }
        self.body.extend_from_slice(b"0\r\n\r\n");
        self.header("Transfer-Encoding", "chunked")
    }

    pub(crate) fn json(self, value: &Value) -> Self {
        self.body(value.to_string())
    }

    /// The image data of an upload.
    pub(crate) fn data(self, data: impl AsRef<[u8]>) -> Self {
        self.header("Content-Type", "application/octet-stream").body(data)
    }

    /// The bytes of the request line and the headers.
    pub(crate) fn head_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("Connection: close\r\n\r\n");
        head.into_bytes()
    }

    /// Sends the request and reads no more than the head of the answer.
    #[track_caller]
    pub(crate) fn open(self) -> Reading {
        let mut stream = self.client.dial().unwrap();
        stream.write_all(&self.head_bytes()).unwrap();
        stream.write_all(&self.body).unwrap();
        let mut reader = BufReader::new(stream);
        let (status, headers) = read_head(&mut reader).unwrap();
        Reading { reader, head: Response { status, headers, body: Vec::new(), complete: false } }
    }

    pub(crate) fn send(self) -> Response {
        let what = format!("{} {}", self.method, self.target);
        self.try_send().unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// As [`Request::send`], for requests that a server may answer by closing the connection.
    pub(crate) fn try_send(self) -> io::Result<Response> {
        let mut stream = self.client.dial()?;
        let mut bytes = self.head_bytes();
        bytes.extend_from_slice(&self.body);
        // A refusal may arrive before the server has read the whole body: read it in any case.
        let _ = stream.write_all(&bytes);
        read_response(&mut BufReader::new(stream), self.method == "HEAD")
    }
}

/// An answer of announced length that is read at the test's own pace; dropped, the connection is closed.
#[derive(Debug)]
pub(crate) struct Reading {
    reader: BufReader<Box<dyn Wire>>,
    /// What was read so far.
    pub(crate) head: Response,
}

impl Reading {
    /// Reads this many bytes more. Waits for them, and only for them.
    #[track_caller]
    pub(crate) fn take(&mut self, bytes: usize) {
        let mut block = vec![0; bytes];
        self.reader.read_exact(&mut block).unwrap();
        self.head.body.extend(block);
    }

    /// Reads the rest.
    pub(crate) fn finish(mut self) -> Response {
        let mut length: u64 = self.head.header("content-length").unwrap().parse().unwrap();
        length -= self.head.body.len() as u64;
        let got = self.reader.by_ref().take(length).read_to_end(&mut self.head.body);
        self.head.complete = got.is_ok_and(|got| got as u64 == length);
        self.head
    }
}

/// What a server said.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body was as long as announced, or properly ended.
    pub(crate) complete: bool,
}

impl Response {
    /// The first header of this name, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    /// `self`, after checking the status; the body is shown when it is another.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// Reads one answer; interim ones (1xx) are skipped.
///
/// # Errors
/// The connection ended before the headers did.
pub(crate) fn read_response(reader: &mut impl BufRead, to_head: bool) -> io::Result<Response> {
    let (status, headers) = loop {
        let head = read_head(reader)?;
        if head.0 >= 200 {
            break head;
        }
    };
    let mut response = Response { status, headers, body: Vec::new(), complete: true };
    if to_head || status == 204 || status == 304 {
        return Ok(response);
    }
    if response.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        response.complete = read_chunks(reader, &mut response.body).is_ok();
    } else if let Some(length) = response.header("content-length") {
        let length: u64 = length.parse().map_err(io::Error::other)?;
        let _ = reader.take(length).read_to_end(&mut response.body);
        response.complete = response.body.len() as u64 == length;
    } else {
        response.complete = reader.read_to_end(&mut response.body).is_ok();
    }
    Ok(response)
}

fn read_head(reader: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    let status_line = read_line(reader)?;
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("not a status line: {status_line:?}")))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        match line.split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => return Ok((status, headers)),
        }
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let length = u64::from_str_radix(&read_line(reader)?, 16).map_err(io::Error::other)?;
        let read = reader.take(length).read_to_end(body)?;
        let end = read_line(reader)?;
        match (read as u64 == length && end.is_empty(), length) {
            (false, _) => return Err(io::ErrorKind::UnexpectedEof.into()),
            (true, 0) => return Ok(()),
            (true, _) => {}
        }
    }
}
