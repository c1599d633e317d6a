//! How long a client of HTTP/2 may say nothing while it has no request under way, and how long it has to see the end.

use std::io;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::patience::Patience;
use super::streams::Streams;
use super::untaken::Untaken;

/// When the end has come it may be silent for this long.
const PARTING: Duration = Duration::from_secs(2);

/// Times the reading side of a connection.
#[derive(Debug)]
pub(super) struct Reading {
    limit: Option<Duration>,
    patience: Patience,
    streams: Streams,
    stopping: CancellationToken,
    /// The end has come: the client has only until it has taken all.
    parting: bool,
    /// Something was sent to it, so that it has reason to be silent.
    sent: bool,
    untaken: Untaken,
    /// When it was last seen to go on.
    moved: Instant,
}

impl Reading {
    /// The client must send something within `limit` (`None`: whenever), unless one of `streams` is under way, or it is
    /// sent something, or it is taking what it was sent. Once the server is `stopping` it has only until it has taken all.
    pub(super) fn new(limit: Option<Duration>, streams: Streams, stopping: CancellationToken) -> Self {
        Self {
            limit,
            patience: Patience::new(limit),
            streams,
            stopping,
            parting: false,
            sent: false,
            untaken: Untaken::default(),
            moved: Instant::now(),
        }
    }

    /// Whether something was sent just now. When the end has come that tells nothing: it may be an answer to a ping.
    pub(super) fn sent(&mut self, sent: bool) {
        self.sent |= sent && !self.parting;
    }

    /// The end has come.
    pub(super) fn part(&mut self) {
        if !self.parting {
            self.parting = true;
            self.sent = false;
            self.moved = Instant::now();
            self.patience = Patience::new(Some(PARTING));
        }
    }

    /// What was `polled` of `stream`, or an error if its peer was silent for too long. A server that stops has its
    /// connections polled.
    pub(super) fn bound<T>(
        &mut self,
        stream: &TcpStream,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.stopping.is_cancelled() {
            self.part();
        }
        if self.parting && polled.is_ready() {
            // What it says buys it no time.
            return polled;
        }
        let Self { limit, patience, streams, parting, sent, untaken, moved, .. } = self;
        let goes_on = || {
            if untaken.fell(stream) | std::mem::take(sent) || !streams.is_empty() {
                *moved = Instant::now();
                return true;
            }
            *parting && !untaken.is_nothing() && limit.is_none_or(|limit| moved.elapsed() < limit)
        };
        patience.bound_unless(cx, polled, goes_on).map(Result::flatten)
    }
}
