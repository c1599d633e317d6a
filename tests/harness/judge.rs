//! A server that rules of policy ask: it notes every question and answers as the test says.

use std::fmt::{self, Debug};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A question as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

type Opinion = dyn Fn(&Asked) -> (u16, String) + Send + Sync;

/// The server; it lives in threads of the test.
pub(crate) struct Judge {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    closed: Arc<AtomicBool>,
}

impl Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Judge {
    /// Answers each question with a status and a text. `opinion` may take its time.
    pub(crate) fn of(opinion: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let judge = Self { port: listener.local_addr().unwrap().port(), asked: Arc::default(), closed: Arc::default() };
        let (asked, closed) = (Arc::clone(&judge.asked), Arc::clone(&judge.closed));
        let opinion: Arc<Opinion> = Arc::new(opinion);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let (asked, opinion) = (Arc::clone(&asked), Arc::clone(&opinion));
                // An error is the other side's disconnect.
                thread::spawn(move || answer(&asked, &*opinion, stream));
            }
        });
        judge
    }

    /// The URL without a scheme, as the `http:` of a check is followed by it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("//127.0.0.1:{}{path}", self.port)
    }

    /// All questions up to now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // The accepting thread looks at `closed` when somebody comes.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn answer(noted: &Mutex<Vec<Asked>>, opinion: &Opinion, mut stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.strip_prefix("POST ").and_then(|rest| rest.split(' ').next()).unwrap_or("no POST").to_owned();
    let (mut length, mut content_type) = (0, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "content-type" => value.trim().clone_into(&mut content_type),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let asked = Asked { path, content_type, body: String::from_utf8(body).unwrap() };
    noted.lock().unwrap().push(asked.clone());
    let (status, text) = opinion(&asked);
    write!(stream, "HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len())
}
