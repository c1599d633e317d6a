//! A single-threaded origin: it serves one connection at a time and one request on each.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Bytes to send in answer to a request.
#[derive(Clone)]
pub(super) struct Answer {
    head: String,
    body: Vec<u8>,
    kept_open: bool,
}

impl Answer {
    /// `head` is sent as it is, then `body`, then the connection is closed.
    pub(super) fn new(head: &str, body: &[u8]) -> Self {
        Self { head: head.to_owned(), body: body.to_vec(), kept_open: false }
    }

    pub(super) fn redirect(status: &str, location: &str) -> Self {
        Self::new(&format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"), b"")
    }

    /// The client has to close the connection.
    pub(super) fn kept_open(self) -> Self {
        Self { kept_open: true, ..self }
    }
}

/// A running origin; ends when dropped.
pub(super) struct Origin {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    closed: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Origin {
    /// Gives `answers` one after another, whatever it is asked.
    pub(super) async fn of_answers(answers: Vec<Answer>) -> Self {
        let mut answers = answers.into_iter();
        Self::start(move |_| answers.next().expect("more requests than answers")).await
    }

    /// Serves `content` at `path` in HTTP/1.0, and 404 elsewhere.
    pub(super) async fn of_file(path: &'static str, content: Vec<u8>, ranges: bool) -> Self {
        Self::start(move |request| {
            if request.split(' ').nth(1) != Some(path) {
                return Answer::new("HTTP/1.0 404 Not Found\r\nContent-Length: 4\r\n\r\n", b"none");
            }
            let range = request.lines().find_map(|line| line.strip_prefix("range: bytes=")).filter(|_| ranges);
            let mut answer = match range {
                None => Answer::new(&format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", content.len()), &content),
                Some(range) => partial(&content, range),
            };
            if request.starts_with("HEAD ") {
                answer.body.clear();
            }
            answer
        })
        .await
    }

    async fn start(mut answer: impl FnMut(&str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, closed) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Semaphore::new(0)));
        let (log, ends) = (Arc::clone(&requests), Arc::clone(&closed));
        let task = tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let request = head(&mut connection).await;
                log.lock().unwrap().push(request.clone());
                let answer = answer(&request);
                // Clients may have enough and leave.
                let _ = connection.write_all(&[answer.head.as_bytes(), &answer.body].concat()).await;
                if answer.kept_open {
                    let _ = connection.read_to_end(&mut Vec::new()).await;
                    ends.add_permits(1);
                }
            }
        });
        Self { address, requests, closed, task }
    }

    /// Location of `path` at this origin.
    pub(super) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Heads of the requests so far, header names in lower case as the client sends them.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until the client has closed a connection that was kept open.
    pub(super) async fn closed_by_client(&self) {
        self.closed.acquire().await.unwrap().forget();
    }
}

async fn head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

fn partial(content: &[u8], range: &str) -> Answer {
    let (first, last) = range.split_once('-').unwrap();
    let (first, end) = (first.parse().unwrap(), content.len());
    if first >= end {
        return Answer::new(&format!("HTTP/1.0 416 No\r\nContent-Range: bytes */{end}\r\n\r\n"), b"");
    }
    let last = last.parse().map_or(end - 1, |last: usize| last.min(end - 1));
    let body = &content[first..=last];
    let len = body.len();
    let head =
        format!("HTTP/1.0 206 Part\r\nContent-Range: bytes {first}-{last}/{end}\r\nContent-Length: {len}\r\n\r\n");
    Answer::new(&head, body)
}
