//! The timer of all waits for a peer (`client_socket_timeout`).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// Bounds one wait after another; each starts afresh.
#[derive(Debug)]
pub(super) struct Patience {
    /// `None`: without end.
    limit: Option<Duration>,
    /// Kept between waits, as moving a timer is cheaper than making one.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Patience {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self { limit, timer: None, waiting: false }
    }

    /// What was `polled`, or an error if this is the end of patience with it.
    pub(super) fn bound<T>(&mut self, cx: &mut Context<'_>, polled: Poll<T>) -> Poll<io::Result<T>> {
        self.bound_unless(cx, polled, || false)
    }

    /// The same, but patience begins anew where something `moved` since this was asked last. That is asked at the
    /// beginning of a wait, too.
    pub(super) fn bound_unless<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<T>,
        mut moved: impl FnMut() -> bool,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(value) = polled {
            self.waiting = false;
            return Poll::Ready(Ok(value));
        }
        let Some(limit) = self.limit else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !self.waiting {
            self.waiting = true;
            moved();
            timer.as_mut().reset(Instant::now() + limit);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if !moved() {
                break;
            }
            timer.as_mut().reset(Instant::now() + limit);
        }
        let text = format!("nothing moved for {} seconds", limit.as_secs());
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)))
    }
}
