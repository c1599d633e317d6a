//! Moving image bytes at the speed of the kernel. Knows files, sockets and bytes, no service.
//!
//! A file's way to a client: [`outgoing()`] maps a stretch of it without ever looking into the map, the map travels
//! through HTTP as ordinary [`bytes::Bytes`], and [`Sendfile`], under the connection, recognises its addresses and has the
//! kernel send the file instead. Where the bytes have to pass through our hands on the way, [`Blocks`] reads them from the file.
//! Whoever wants to see them himself takes [`read_block`].
//!
//! Beside that: digests computed while a stream passes ([`Hashing`]), writing behind, and files that processes share by name
//! ([`shared`]). The only place with unsafe code: each use says why it holds.

mod blocks;
pub mod hash;
mod image_file;
mod mapped;
mod outgoing;
mod read;
mod rescue;
mod residence;
mod send;
pub mod shared;
mod unacknowledged;
mod writeback;

pub use blocks::Blocks;
pub use hash::{Algorithm, Hasher, Hashing};
pub use image_file::ImageFile;
pub use outgoing::{FRAME, outgoing};
pub use read::{BLOCK, read_block};
pub use rescue::{Rescue, Rescued};
pub use send::Sendfile;
pub use unacknowledged::unacknowledged;
pub use writeback::begin_writeback;
