//! Sending over a TCP connection, with the kernel's help where what is sent is a file.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use rustix::fs::sendfile;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};
use tokio::io::{AsyncWrite, Interest};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::mapped::{Origin, WORTH_MAPPING, origin_of};
use crate::rescue::{Rescued, is_fault_of_file};
use crate::residence::{Residence, residence, warm};

/// Most bytes per call: what the kernel looks at without a break, and what is read ahead of it from a cold disk.
const CALL: usize = 2 * 1024 * 1024;
/// A connection that takes everything at once lets others have their turn after this many bytes: some hundredths of a
/// second. Each time it may find itself on another processor, so it should not be often.
const TURN: usize = 32 * CALL;
/// How far apart the bytes are that are asked whether they are in memory. The kernel reads ahead about as far.
const PROBES: usize = 1024 * 1024;
/// What a kernel, a file system or a sandbox says that will not do it.
const REFUSALS: [Errno; 5] = [Errno::INVAL, Errno::NOSYS, Errno::OVERFLOW, Errno::OPNOTSUPP, Errno::PERM];

/// The sending side of one connection. It writes whatever it is given; what [`crate::outgoing()`] made it sends straight
/// from the file.
#[derive(Default)]
pub struct Sendfile {
    calls: u64,
    bytes: u64,
    /// A stretch that is being read from disk, to be sent then.
    warming: Option<JoinHandle<io::Result<()>>>,
    /// The last that was sent was part of a map, and the rest of it has still to come.
    midway: bool,
    /// Sending files was refused. It will be for the next one, too, as they mostly lie side by side.
    refused: bool,
    /// What is sent instead of the rest of a map whose file failed.
    substitute: Option<Substitute>,
    /// Bytes sent since others had their turn.
    in_a_row: usize,
}

enum Substitute {
    Awaited(Rescued),
    Here(Bytes),
}

impl fmt::Debug for Sendfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sendfile").field("calls", &self.calls).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Sendfile {
    /// How often the kernel sent something of a file.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Bytes that went out in these calls.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes the beginning of `slices` to `stream`; as [`AsyncWrite::poll_write_vectored`]. Waits for a disk only
    /// where some pages of a file are in memory and those between them are not.
    ///
    /// # Errors
    /// The socket's; `UnexpectedEof` if a file is not as long any more as what was made of it; what reading it fails
    /// with; what its rescue fails with.
    pub fn poll_write_vectored(
        &mut self,
        stream: &mut TcpStream,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let slices = &slices[slices.iter().take_while(|slice| slice.is_empty()).count()..];
        if self.substitute.is_some() {
            // Nobody writes anything else before the rest of what was begun.
            return self.poll_substitute(stream, cx, slices.first().map_or(0, |slice| slice.len()));
        }
        match self.first_mapped(slices) {
            Some((0, origin)) => self.poll_send(stream, cx, &origin, &slices[0]),
            // The head of an answer leaves in one packet with the beginning of its file.
            Some((before, _)) => poll_write_more(stream, cx, &slices[..before]),
            None => {
                let written = ready!(Pin::new(stream).poll_write_vectored(cx, slices))?;
                self.midway = false;
                Poll::Ready(Ok(written))
            }
        }
    }

    /// The first of `slices` that is a map, and of what. Only those that are worth a map are looked up, and whatever
    /// is left of one that went out in part: its pages were never in our memory, and writing would put them there.
    fn first_mapped(&self, slices: &[IoSlice<'_>]) -> Option<(usize, Origin)> {
        let may_be = |(at, slice): &(usize, &IoSlice<'_>)| slice.len() >= WORTH_MAPPING || (self.midway && *at == 0);
        slices.iter().enumerate().filter(may_be).find_map(|(at, slice)| Some((at, origin_of(slice)?)))
    }

    /// Sends the beginning of `map`, which begins at `origin`.
    fn poll_send(
        &mut self,
        stream: &mut TcpStream,
        cx: &mut Context<'_>,
        origin: &Origin,
        map: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.in_a_row >= TURN {
            self.in_a_row = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let part = &map[..map.len().min(CALL)];
        loop {
            if stream.poll_write_ready(cx)?.is_pending() {
                self.in_a_row = 0;
                return Poll::Pending;
            }
            let sent = match ready!(self.poll_warm(cx, origin, part.len())) {
                Ok(()) => stream.try_io(Interest::WRITABLE, || self.send(stream, origin, part)),
                Err(error) => Err(error),
            };
            match sent {
                Ok(sent) => {
                    self.in_a_row += sent;
                    self.midway = sent < map.len();
                    return Poll::Ready(Ok(sent));
                }
                // It was not writable after all.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => {
                    let rescue = origin.rescue.as_ref().filter(|_| is_fault_of_file(&error)).ok_or(error)?;
                    self.substitute = Some(Substitute::Awaited(rescue.rescue(origin.offset, map.len())));
                    return self.poll_substitute(stream, cx, map.len());
                }
            }
        }
    }

    /// Sends of `part`, which begins at `origin`, what there is room for.
    fn send(&mut self, stream: &TcpStream, origin: &Origin, part: &[u8]) -> io::Result<usize> {
        if !self.refused {
            let mut offset = origin.offset;
            match retry_on_intr(|| sendfile(stream, &origin.file, Some(&mut offset), part.len())) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(sent) => {
                    self.calls += 1;
                    self.bytes += sent as u64;
                    return Ok(sent);
                }
                Err(errno) if REFUSALS.contains(&errno) => self.refused = true,
                Err(errno) => return Err(errno.into()),
            }
        }
        // The kernel copies it from the map: what is gone of the file is an error to it, not the end of the process.
        Ok(retry_on_intr(|| send(stream, part, SendFlags::NOSIGNAL))?)
    }

    /// Waits until the `len` bytes at `origin` are in memory, as far as some of them tell.
    fn poll_warm(&mut self, cx: &mut Context<'_>, origin: &Origin, len: usize) -> Poll<io::Result<()>> {
        let probes = || (0..len).step_by(PROBES).chain([len - 1]).map(|at| origin.offset + at as u64);
        let is_cold = |offset| residence(&origin.file, offset) == Residence::Cold;
        if self.warming.is_none() && probes().any(is_cold) {
            let (file, offset) = (Arc::clone(&origin.file), origin.offset);
            self.warming = Some(tokio::task::spawn_blocking(move || warm(&file, offset, len)));
        }
        let Some(warming) = &mut self.warming else { return Poll::Ready(Ok(())) };
        let warmed = ready!(Pin::new(warming).poll(cx));
        // Once is enough: memory so short that it is cold again will not be longer the next time.
        self.warming = None;
        Poll::Ready(warmed.unwrap_or_else(|gone| Err(io::Error::other(gone))))
    }

    /// Writes the beginning of the substitute, for the `len` bytes that are left of a map.
    fn poll_substitute(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>, len: usize) -> Poll<io::Result<usize>> {
        if let Some(Substitute::Awaited(rescued)) = &mut self.substitute {
            self.substitute = Some(Substitute::Here(ready!(rescued.as_mut().poll(cx))?));
        }
        match &mut self.substitute {
            Some(Substitute::Here(rest)) if rest.len() == len && len > 0 => {
                let written = ready!(Pin::new(stream).poll_write(cx, rest))?;
                rest.advance(written);
                if rest.is_empty() {
                    self.substitute = None;
                }
                Poll::Ready(Ok(written))
            }
            _ => Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, "not what was begun"))),
        }
    }
}

/// Writes the beginning of `slices`, to which more will be added at once.
fn poll_write_more(stream: &TcpStream, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
    let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
    loop {
        ready!(stream.poll_write_ready(cx))?;
        let sending = || Ok(retry_on_intr(|| sendmsg(stream, slices, &mut SendAncillaryBuffer::default(), flags))?);
        match stream.try_io(Interest::WRITABLE, sending) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            written => return Poll::Ready(written),
        }
    }
}
