//! Image data on its way.

use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;

/// Image bytes in blocks. An error ends the stream: what came before is all there is.
pub(crate) type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;
