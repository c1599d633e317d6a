//! A connection whose peer must go on taking what it is sent, and that sends files without reading them.
//!
//! Reading is not timed here, as hyper also has a read pending while it waits for a handler: requests' headers are
//! timed by hyper, their bodies by [`super::request_body::RequestBody`]. Of HTTP/2 hyper times nothing, so there it is
//! timed while no request is under way ([`Reading`]); those that are have each [its own time](super::streams).

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use fastio::Sendfile;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::patience::Patience;
use super::reading::Reading;
use super::streams::Streams;
use super::untaken::Untaken;

/// A TCP connection that fails if the peer takes nothing for too long. A slow reader is none that stalls.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    peer: SocketAddr,
    sending: Sendfile,
    patience: Patience,
    untaken: Untaken,
    /// `None`: somebody else times what is read.
    reading: Option<Reading>,
}

impl Socket {
    /// `limit`: how long a single write may wait; `None`: for ever.
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, limit: Option<Duration>) -> Self {
        Self {
            stream,
            peer,
            sending: Sendfile::default(),
            patience: Patience::new(limit),
            untaken: Untaken::default(),
            reading: None,
        }
    }

    /// For HTTP/2: its streams. From now on reading is timed: `limit` is for silence, and there is less of it when the server
    /// is `stopping`.
    ///
    /// # Errors
    /// The process has no file descriptor left.
    pub(super) fn streams(&mut self, limit: Option<Duration>, stopping: CancellationToken) -> io::Result<Streams> {
        let streams = Streams::new(self.stream.as_fd().try_clone_to_owned()?, limit);
        self.reading = Some(Reading::new(limit, streams.clone(), stopping));
        Ok(streams)
    }

    /// What was `polled`, or an error if the peer takes nothing for too long. That there is no room yet does not tell:
    /// the kernel says so only after the peer has taken a good part of what may be megabytes.
    fn bound(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let Self { stream, patience, untaken, reading, .. } = self;
        if let Some(reading) = reading {
            reading.sent(polled.is_ready());
        }
        // Who has taken everything is not the one that is waited for.
        let taken = || untaken.fell(stream) || untaken.is_nothing();
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
        let Self { stream, reading, .. } = &mut *self;
        let polled = Pin::new(&mut *stream).poll_read(cx, buf);
        match reading {
            None => polled,
            Some(reading) => reading.bound(stream, cx, polled),
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

    // TCP sockets keep nothing back.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// A client of HTTP/2 talks while it takes the last of an answer. To close the socket before it is done would make the
    /// kernel throw away what it has still to take.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, reading, .. } = &mut *self;
        ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        let Some(reading) = reading else { return Poll::Ready(Ok(())) };
        reading.part();
        let mut unread = [0; 4096];
        loop {
            let mut unread = ReadBuf::new(&mut unread);
            let polled = Pin::new(&mut *stream).poll_read(cx, &mut unread);
            match ready!(reading.bound(stream, cx, polled)) {
                Ok(()) if !unread.filled().is_empty() => {}
                // It has closed its side, or was given the time to.
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}
