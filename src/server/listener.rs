//! Taking a port.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, lookup_host};

use super::Settings;

/// A port in use is asked for again after this pause …
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// … for this long, so that a restart need not wait for its predecessor (v1-system §2).
const RETRY_FOR: Duration = Duration::from_secs(30);

/// The port cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// Somebody else keeps it.
    #[error("Could not bind to {host}:{port} after trying for 30 seconds")]
    InUse { host: String, port: u16 },
    /// Not a place to listen on.
    #[error("Could not bind to {host}:{port}: {source}")]
    Refused { host: String, port: u16, source: std::io::Error },
}

/// Binds and listens, waiting for a port that is still in use.
pub(crate) async fn bind(settings: &Settings) -> Result<TcpListener, BindError> {
    let refused = |source| BindError::Refused { host: settings.host.clone(), port: settings.port, source };
    let mut addresses = lookup_host((settings.host.as_str(), settings.port)).await.map_err(refused)?;
    let address = addresses.next().ok_or_else(|| refused(std::io::ErrorKind::AddrNotAvailable.into()))?;
    let started = Instant::now();
    loop {
        match listen(address, settings.backlog) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => return Err(refused(error)),
            Err(_) if started.elapsed() > RETRY_FOR => {
                return Err(BindError::InUse { host: settings.host.clone(), port: settings.port });
            }
            Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
        }
    }
}

fn listen(address: SocketAddr, backlog: u32) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}
