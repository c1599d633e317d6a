//! What to send where a file turns out not to have it.

use std::fmt::Debug;
use std::io;
use std::pin::Pin;

use bytes::Bytes;
use rustix::io::Errno;

/// What reading a file fails with, be it by sendfile or, in place of it, from a map.
const FAULTS: [Errno; 5] = [Errno::IO, Errno::FAULT, Errno::STALE, Errno::BADMSG, Errno::UCLEAN];

/// Bytes from elsewhere, in a while.
pub type Rescued = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// Has what a file is a mere copy of. It is asked when the file fails after its bytes were promised: when it was cut
/// short, or its disk cannot read it.
pub trait Rescue: Debug + Send + Sync {
    /// All `len` bytes at `offset` of what the file should be.
    fn rescue(&self, offset: u64, len: usize) -> Rescued;
}

/// Whether this is what a rescue is for.
pub(crate) fn is_fault_of_file(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
        || Errno::from_io_error(error).is_some_and(|errno| FAULTS.contains(&errno))
}
