//! A remote web server with images, which can misbehave on demand.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to a request for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// 200 with length and data.
    Serve,
    /// 200 with the data, but no length; the end of the connection is the end of the data.
    NoLength,
    /// 200 and this many bytes; the connection then ends, although more was announced.
    CutAfter(usize),
    /// 200 and this many bytes; the rest follows after [`Origin::set`] says something else.
    PauseAfter(usize),
    /// 200 with this length announced and the whole data sent.
    Announce(usize),
    /// This status and a short page.
    Status(u16),
    /// Nothing at all, until [`Origin::set`] says something else.
    Stall,
}

#[derive(Debug)]
struct State {
    data: Vec<u8>,
    behaviour: Behaviour,
    requests: Vec<String>,
    closed: bool,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    /// Waits, for half a minute at most, while the origin behaves like this.
    fn wait_while(&self, behaviour: Behaviour) {
        let state = self.state.lock().unwrap();
        let unchanged = |state: &mut State| !state.closed && state.behaviour == behaviour;
        drop(self.changed.wait_timeout_while(state, Duration::from_secs(30), unchanged).unwrap());
    }
}

/// The server; it lives in threads of the test.
#[derive(Debug)]
pub(crate) struct Origin {
    shared: Arc<Shared>,
    port: u16,
}

impl Origin {
    /// Serves this data under every path that contains `images`; everything else is 404.
    pub(crate) fn serving(data: &[u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { data: data.to_vec(), behaviour: Behaviour::Serve, requests: Vec::new(), closed: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if accepting.state.lock().unwrap().closed {
                    return;
                }
                let shared = Arc::clone(&accepting);
                thread::spawn(move || answer(&shared, stream));
            }
        });
        Self { shared, port }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Changes the behaviour; whoever was kept waiting is served on.
    pub(crate) fn set(&self, behaviour: Behaviour) {
        self.shared.state.lock().unwrap().behaviour = behaviour;
        self.shared.changed.notify_all();
    }

    /// Method and path of each request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    /// How often data was asked for.
    pub(crate) fn gets(&self) -> usize {
        self.requests().iter().filter(|request| request.starts_with("GET ")).count()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().closed = true;
        self.shared.changed.notify_all();
        // The accepting thread looks at `closed` when somebody comes.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

/// One request per connection, as servers of HTTP/1.0 do. Errors are the other side's disconnects.
fn answer(shared: &Shared, stream: TcpStream) {
    let _ = try_answer(shared, stream);
}

fn try_answer(shared: &Shared, mut stream: TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (data, behaviour) = {
        let mut state = shared.state.lock().unwrap();
        state.requests.push(format!("{method} {path}"));
        let behaviour = if path.contains("images") { state.behaviour } else { Behaviour::Status(404) };
        (state.data.clone(), behaviour)
    };
    let (status, announced) = match behaviour {
        Behaviour::Status(status) => (status, Some(0)),
        Behaviour::NoLength => (200, None),
        Behaviour::Announce(length) => (200, Some(length)),
        Behaviour::Stall => {
            shared.wait_while(Behaviour::Stall);
            (200, Some(data.len()))
        }
        _ => (200, Some(data.len())),
    };
    write!(stream, "HTTP/1.0 {status} Said\r\nContent-Type: application/octet-stream\r\n")?;
    if let Some(length) = announced {
        write!(stream, "Content-Length: {length}\r\n")?;
    }
    write!(stream, "\r\n")?;
    match behaviour {
        _ if method == "HEAD" => Ok(()),
        Behaviour::Status(_) => Ok(()),
        Behaviour::CutAfter(bytes) => stream.write_all(&data[..bytes]),
        Behaviour::PauseAfter(bytes) => {
            stream.write_all(&data[..bytes])?;
            shared.wait_while(behaviour);
            stream.write_all(&data[bytes..])
        }
        _ => stream.write_all(&data),
    }
}
