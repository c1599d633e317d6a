//! A remote web server with images, which can misbehave on demand.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to a request for an image. Numbers of bytes count from the beginning of the image, also where only a
/// part of it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Length and data.
    Serve,
    /// Other data of the same length.
    Flip,
    /// The data, but no length; the end of the connection is the end of the data.
    NoLength,
    /// The bytes up to here; the connection then ends, although more was announced.
    CutAfter(usize),
    /// The bytes up to here; what follows after [`Origin::set`] says something else, also a later pause.
    PauseAfter(usize),
    /// This length announced and the whole data sent.
    Announce(usize),
    /// This status and a short page.
    Status(u16),
    /// Nothing at all, until [`Origin::set`] says something else.
    Stall,
}

#[derive(Debug)]
struct State {
    data: Vec<u8>,
    /// What the next requests get, one after the other, before `behaviour` counts.
    script: VecDeque<Behaviour>,
    behaviour: Behaviour,
    /// Whether a `Range` is honoured.
    ranges: bool,
    requests: Vec<String>,
    /// `Range` of each GET; empty without.
    asked: Vec<String>,
    closed: bool,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    /// Waits, for half a minute at most, while the origin behaves like this; what it does then.
    fn wait_while(&self, behaviour: Behaviour) -> Behaviour {
        let state = self.state.lock().unwrap();
        let unchanged = |state: &mut State| !state.closed && state.behaviour == behaviour;
        self.changed.wait_timeout_while(state, Duration::from_secs(30), unchanged).unwrap().0.behaviour
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
        let state = State {
            data: data.to_vec(),
            script: VecDeque::new(),
            behaviour: Behaviour::Serve,
            ranges: false,
            requests: Vec::new(),
            asked: Vec::new(),
            closed: false,
        };
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

    /// The same, as a server that honours `Range`.
    pub(crate) fn with_ranges(data: &[u8]) -> Self {
        let origin = Self::serving(data);
        origin.shared.state.lock().unwrap().ranges = true;
        origin
    }

    /// What the next GETs get, one after the other; what [`Origin::set`] says is for those after them.
    pub(crate) fn script(&self, behaviours: &[Behaviour]) {
        self.shared.state.lock().unwrap().script = behaviours.iter().copied().collect();
    }

    /// The `Range` of each GET so far; empty where there was none.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().asked.clone()
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
    let mut range = String::new();
    while let Some(Ok(line)) = lines.next().filter(|line| line.as_ref().is_ok_and(|line| !line.is_empty())) {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("range")
        {
            value.trim().clone_into(&mut range);
        }
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (mut data, behaviour, part) = {
        let mut state = shared.state.lock().unwrap();
        state.requests.push(format!("{method} {path}"));
        let part = Some(()).filter(|()| state.ranges).and_then(|()| part_of(&range, state.data.len()));
        let behaviour = if !path.contains("images") {
            Behaviour::Status(404)
        } else if method == "GET" {
            state.asked.push(range);
            state.script.pop_front().unwrap_or(state.behaviour)
        } else {
            state.behaviour
        };
        (state.data.clone(), behaviour, part)
    };
    let (start, end) = part.unwrap_or((0, data.len()));
    let (status, announced) = match behaviour {
        Behaviour::Status(status) => (status, Some(0)),
        Behaviour::NoLength => (200, None),
        Behaviour::Announce(length) => (200, Some(length)),
        _ => (if part.is_some() { 206 } else { 200 }, Some(end - start)),
    };
    if behaviour == Behaviour::Stall {
        shared.wait_while(Behaviour::Stall);
    }
    write!(stream, "HTTP/1.0 {status} Said\r\nContent-Type: application/octet-stream\r\n")?;
    if let Some(length) = announced {
        write!(stream, "Content-Length: {length}\r\n")?;
    }
    if status == 206 {
        write!(stream, "Content-Range: bytes {start}-{}/{}\r\n", end - 1, data.len())?;
    }
    write!(stream, "\r\n")?;
    if method == "HEAD" || matches!(behaviour, Behaviour::Status(_)) {
        return Ok(());
    }
    if behaviour == Behaviour::Flip {
        data.iter_mut().for_each(|byte| *byte = !*byte);
    }
    send(shared, &mut stream, &data[..end], start, behaviour)
}

/// Sends `data` from `start` on, as `behaviour` has it.
fn send(
    shared: &Shared,
    stream: &mut TcpStream,
    data: &[u8],
    mut start: usize,
    mut behaviour: Behaviour,
) -> io::Result<()> {
    loop {
        let end = match behaviour {
            Behaviour::CutAfter(bytes) | Behaviour::PauseAfter(bytes) => bytes.clamp(start, data.len()),
            _ => data.len(),
        };
        stream.write_all(&data[start..end])?;
        start = end;
        if start == data.len() || !matches!(behaviour, Behaviour::PauseAfter(_)) {
            return Ok(());
        }
        behaviour = shared.wait_while(behaviour);
    }
}

/// Beginning and end of the bytes that a `Range` of one part with a beginning names.
fn part_of(range: &str, size: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok().filter(|first| *first < size)?;
    Some((first, last.parse().map_or(size, |last: usize| size.min(last.saturating_add(1)))))
}
