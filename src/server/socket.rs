//! A connection whose peer must go on taking what it is sent, and that sends files without reading them.
//!
//! Reading is not timed here, as hyper also has a read pending while it waits for a handler: requests' headers are
//! timed by hyper, their bodies by [`super::request_body::RequestBody`]. Of HTTP/2 hyper times nothing, so there it is
//! timed while no handler is [at work](Work).

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use fastio::Sendfile;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::patience::Patience;
use super::work::Work;

/// A TCP connection that fails if the peer takes nothing for too long. A slow reader is none that stalls.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    peer: SocketAddr,
    sending: Sendfile,
    patience: Patience,
    /// Bytes that the peer had still to take when it was last looked at.
    untaken: usize,
    /// `None`: somebody else times what is read.
    reading: Option<Reading>,
}

/// How long the peer may send nothing.
#[derive(Debug)]
struct Reading {
    patience: Patience,
    work: Work,
    /// Something was sent to it, so that it has reason to be silent.
    sent: bool,
}

impl Socket {
    /// `limit`: how long a single write may wait; `None`: for ever.
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, limit: Option<Duration>) -> Self {
        Self { stream, peer, sending: Sendfile::default(), patience: Patience::new(limit), untaken: 0, reading: None }
    }

    /// From now on the peer must send something within `limit`, unless it is sent something or `work` is on.
    pub(super) fn time_reading(&mut self, limit: Option<Duration>, work: Work) {
        self.reading = Some(Reading { patience: Patience::new(limit), work, sent: false });
    }

    /// What was `polled`, or an error if the peer takes nothing for too long. That there is no room yet does not tell:
    /// the kernel says so only after the peer has taken a good part of what may be megabytes.
    fn bound(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let Self { stream, patience, untaken, reading, .. } = self;
        if let (Some(reading), Poll::Ready(Ok(_))) = (reading, &polled) {
            reading.sent = true;
        }
        let taken = || {
            let before = std::mem::replace(untaken, fastio::unacknowledged(stream).unwrap_or(0));
            // Who has taken everything is not the one that is waited for.
            *untaken < before || *untaken == 0
        };
        patience.bound_unless(cx, polled, taken).map(Result::flatten)
    }
}

impl Drop for Socket {
    /// Tells whether files went the short way: nothing else shows it but the processor's time.
    fn drop(&mut self) {
        let (calls, bytes) = (self.sending.calls(), self.sending.bytes());
        if calls > 0 {
            tracing::debug!("connection of {}: {calls} sendfile calls, {bytes} bytes", self.peer);
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let socket = &mut *self;
        let polled = Pin::new(&mut socket.stream).poll_read(cx, buf);
        match &mut socket.reading {
            None => polled,
            Some(Reading { patience, work, sent }) => {
                let moved = || std::mem::take(sent) || work.is_on();
                patience.bound_unless(cx, polled, moved).map(Result::flatten)
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bound(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let socket = &mut *self;
        let polled = socket.sending.poll_write_vectored(&mut socket.stream, cx, slices);
        socket.bound(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // TCP sockets keep nothing back: neither of these two ever waits.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
