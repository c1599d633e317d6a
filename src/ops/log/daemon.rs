//! The way to a log daemon of this machine: datagrams to a socket of a known name.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// A daemon that was found.
#[derive(Debug)]
pub(super) struct Daemon {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Daemon {
    /// Finds the daemon. It need not answer: a full queue costs a record, never the caller's time.
    ///
    /// # Errors
    /// There is none at `path`.
    pub(super) fn connect(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(path)?;
        Ok(Self { socket, path: path.to_owned() })
    }

    /// Sends one record. A daemon that was restarted has a new socket, which is looked up once.
    ///
    /// # Errors
    /// The daemon is gone, or cannot take it now.
    pub(super) fn send(&self, record: &[u8]) -> io::Result<()> {
        match self.socket.send(record) {
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotConnected) => {
                self.socket.connect(&self.path)?;
                self.socket.send(record).map(drop)
            }
            sent => sent.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reaches_the_daemon_even_after_its_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let receive = |socket: &UnixDatagram| {
            let mut buffer = [0; 16];
            let length = socket.recv(&mut buffer).unwrap();
            buffer[..length].to_vec()
        };
        let first = UnixDatagram::bind(&path).unwrap();
        let daemon = Daemon::connect(&path).unwrap();
        daemon.send(b"once").unwrap();
        assert_eq!(receive(&first), b"once");

        drop(first);
        std::fs::remove_file(&path).unwrap();
        daemon.send(b"lost").unwrap_err();
        let second = UnixDatagram::bind(&path).unwrap();
        daemon.send(b"again").unwrap();
        assert_eq!(receive(&second), b"again");
    }
}
