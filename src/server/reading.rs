//! How long a client of HTTP/2 may say nothing while it has no request under way, and how long it has to see the end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::patience::Patience;
use super::streams::Streams;
use super::untaken::Untaken;

/// When all is over it gets this long to see it.
const PARTING: Duration = Duration::from_secs(2);

/// Times the reading side of a connection.
#[derive(Debug)]
pub(super) struct Reading {
    limit: Option<Duration>,
    patience: Patience,
    streams: Streams,
    /// Until the server stops.
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    /// All is over but for what the client has still to take.
    parting: bool,
    /// How often in a row it had taken nothing then.
    stalls: u32,
    /// Something was sent to it, so that it has reason to be silent.
    sent: bool,
    untaken: Untaken,
}

impl Reading {
    /// The client must send something within `limit` (`None`: whenever), unless one of `streams` is under way, or it is
    /// sent something, or it is taking what it was sent. Once the server is `stopping` it has only until it has taken all.
    pub(super) fn new(limit: Option<Duration>, streams: Streams, stopping: CancellationToken) -> Self {
        Self {
            limit,
            patience: Patience::new(limit),
            streams,
            stopping: Box::pin(stopping.cancelled_owned()),
            parting: false,
            stalls: 0,
            sent: false,
            untaken: Untaken::default(),
        }
    }

    /// Whether something was sent just now.
    pub(super) fn sent(&mut self, sent: bool) {
        self.sent |= sent;
    }

    /// From now on the client has only until it has taken all.
    pub(super) fn part(&mut self) {
        if !self.parting {
            self.parting = true;
            self.patience = Patience::new(Some(PARTING));
        }
    }

    /// What was `polled` of `stream`, or an error if its peer was silent for too long.
    pub(super) fn bound<T>(
        &mut self,
        stream: &TcpStream,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if !self.parting && self.stopping.as_mut().poll(cx).is_ready() {
            self.part();
        }
        let Self { limit, patience, streams, parting, stalls, sent, untaken, .. } = self;
        let moved = || {
            let fell = untaken.fell(stream);
            if std::mem::take(sent) || fell || !streams.is_empty() {
                *stalls = 0;
                return true;
            }
            *stalls += 1;
            *parting && !untaken.is_nothing() && limit.is_none_or(|limit| PARTING * *stalls < limit)
        };
        patience.bound_unless(cx, polled, moved).map(Result::flatten)
    }
}
