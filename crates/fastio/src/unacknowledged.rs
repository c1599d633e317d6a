//! How much a peer has still to take.

use std::ffi::c_int;
use std::io;
use std::os::fd::AsFd;

use rustix::ioctl::{Getter, Opcode, ioctl};

/// `SIOCOUTQ` by its other name (tcp(7)).
const SIOCOUTQ: Opcode = libc::TIOCOUTQ as Opcode;

/// Bytes written to a TCP `socket` that the peer's kernel has not taken yet.
///
/// # Errors
/// The kernel's.
#[expect(unsafe_code, reason = "an ioctl is as safe as its declaration")]
pub fn unacknowledged(socket: &impl AsFd) -> io::Result<usize> {
    // SAFETY: this request writes one C int to the place it is given, and does nothing else.
    let bytes = unsafe { ioctl(socket, Getter::<SIOCOUTQ, c_int>::new()) }?;
    Ok(usize::try_from(bytes).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::unacknowledged;

    #[tokio::test]
    async fn it_falls_as_the_peer_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        server.writable().await.unwrap();
        let mut written = 0;
        // Until there is no room, which is when the peer's kernel has none either.
        while let Ok(more) = server.try_write(&[0; 65_536]) {
            written += more;
        }
        let left = unacknowledged(&server).unwrap();
        assert!(left > 0 && left <= written, "{left} of {written}");
        client.read_exact(&mut vec![0; written]).await.unwrap();
        let all_taken = async {
            while unacknowledged(&server).unwrap() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), all_taken).await.unwrap();
    }
}
