//! The requests of one connection of HTTP/2. Each is a stream of its own, and ends alone if its client takes nothing:
//! what is read and written for others on the same connection tells nothing of it.

use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::rt::Executor;

use super::patience::Patience;
use super::untaken::Untaken;

tokio::task_local! {
    /// Of the stream that is being worked on.
    static TURN: Turn;
}

/// The streams of a connection.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    shared: Arc<Shared>,
    silence: Option<Duration>,
}

/// What they share.
#[derive(Debug)]
struct Shared {
    alive: AtomicUsize,
    socket: OwnedFd,
}

/// Whether a stream waits for its client.
#[derive(Debug, Clone, Default)]
pub(super) struct Turn(Arc<TurnState>);

#[derive(Debug, Default)]
struct TurnState {
    /// The answer has begun: before that nothing is the client's to take.
    answered: AtomicBool,
    /// The body was asked for more since that was looked at last.
    asked: AtomicBool,
}

impl Streams {
    /// None yet, on this socket. A client takes something of each within `silence`; `None`: whenever.
    pub(super) fn new(socket: OwnedFd, silence: Option<Duration>) -> Self {
        Self { shared: Arc::new(Shared { alive: AtomicUsize::new(0), socket }), silence }
    }

    /// No request is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.shared.alive.load(Ordering::Relaxed) == 0
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    /// Runs a stream to its end. Dropped before that, it is reset. What the client has not taken yet of what was written,
    /// for whichever stream, may be this one's.
    fn execute(&self, stream: F) {
        let (alive, turn) = (Alive::on(&self.shared), Turn::default());
        let mut patience = Patience::new(self.silence);
        let mut untaken = Untaken::default();
        tokio::spawn(TURN.scope(turn.clone(), async move {
            let mut stream = pin!(stream);
            let ended = poll_fn(|cx| {
                let polled = stream.as_mut().poll(cx);
                let mut taken = || untaken.fell(&alive.0.socket);
                patience.bound_unless(cx, polled, || turn.moved() | taken())
            });
            if let Err(late) = ended.await {
                tracing::debug!("a stream is cut: {late}");
            }
        }));
    }
}

impl Turn {
    /// That of the stream that this is called from, if it is one.
    pub(super) fn here() -> Option<Self> {
        TURN.try_with(Clone::clone).ok()
    }

    /// The body of the answer is asked for more, which it is when there is room for more. If it has nothing yet it is asked
    /// again whenever its stream is looked at, also when the time is up: so it is not the client who is waited for.
    pub(super) fn body_is_asked(&self) {
        self.0.answered.store(true, Ordering::Relaxed);
        self.0.asked.store(true, Ordering::Relaxed);
    }

    fn moved(&self) -> bool {
        self.0.asked.swap(false, Ordering::Relaxed) || !self.0.answered.load(Ordering::Relaxed)
    }
}

/// One of them.
struct Alive(Arc<Shared>);

impl Alive {
    fn on(shared: &Arc<Shared>) -> Self {
        shared.alive.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(shared))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::Relaxed);
    }
}
