//! Ports, and waiting for something to become true.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt;

/// A port that the kernel chose and will not give to anybody else for a while.
///
/// A connection is made and closed from the listening side: the port then rests in TIME_WAIT, so the kernel hands it
/// to no other socket, while a server that sets address reuse may still bind it.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    drop(accepted);
    drop(client);
    address.port()
}

/// Whether somebody accepts connections on this port of the loopback.
pub(crate) fn is_open(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let connected = TcpStream::connect_timeout(&address, Duration::from_secs(1));
    // The kernel may choose this very port for the client's end; the connection then leads to itself.
    connected.is_ok_and(|stream| stream.local_addr().is_ok_and(|local| local != address))
}

/// Whether a server answers requests on this port of the loopback, or one of TLS refuses what is none.
///
/// That it is open does not tell: a program that is being started elsewhere in this process holds, for an instant, copies
/// of all our sockets, also of a listener that was closed here.
pub(crate) fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut start = [0; 5];
    stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
        && stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").is_ok()
        && stream.read_exact(&mut start).is_ok()
        && (&start == b"HTTP/" || start[..2] == TLS_ALERT)
}

/// A port that leads one client to this one, and lets only 64 KiB of answers through with each `pause`.
pub(crate) fn slow_link(port: u16, pause: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = listener.local_addr().unwrap().port();
    thread::spawn(move || -> io::Result<()> {
        let (client, _) = listener.accept()?;
        let server = TcpStream::connect(("127.0.0.1", port))?;
        // What waits here waits with the server.
        sockopt::set_socket_recv_buffer_size(&server, 64 * 1024)?;
        let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || io::copy(&mut from, &mut to));
        let mut block = [0; 64 * 1024];
        loop {
            match (&server).read(&mut block)? {
                0 => return Ok(()),
                read => (&client).write_all(&block[..read])?,
            }
            thread::sleep(pause);
        }
    });
    here
}

/// How a record of TLS begins that tells of an error (RFC 8446 §5.1).
const TLS_ALERT: [u8; 2] = [21, 3];

/// Asks again until the answer is yes; panics, naming `what`, when it is still no after `limit`.
pub(crate) fn eventually(what: &str, limit: Duration, mut probe: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !probe() {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
