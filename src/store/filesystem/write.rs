//! From a stream into a file: collects while the disk works.
//!
//! No thread belongs to an upload: each batch is written by one of the blocking pool, so that slow clients,
//! however many, cannot keep others from the disk.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;

use super::datadirs::Datadirs;
use super::incoming::Incoming;
use super::{finished, on_disk};
use crate::model::{ByteStream, ImageId};
use crate::store::{Error, Result};

/// Bytes per write. An upload holds up to two batches: one collecting, one being written.
const BATCH_BYTES: usize = 256 * 1024;
/// Blocks per write, against clients that send crumbs; well below the system's limit of 1024.
const BATCH_BLOCKS: usize = 256;

/// Stores all of `data`, which may be `expected` bytes, as the file of image `id`; its path and size. Dropped half-way,
/// or on any error, it leaves nothing.
pub(super) async fn receive(
    datadirs: Arc<Datadirs>,
    id: ImageId,
    mut data: ByteStream,
    expected: Option<u64>,
) -> Result<(PathBuf, u64)> {
    let mut size = 0;
    let mut disk = on_disk(move || Incoming::create(datadirs.choose(&id, expected.unwrap_or(0))?, &id));
    loop {
        let collected = collect(&mut data).await;
        // Also before an error is reported: then nothing is left, not merely about to go.
        let mut incoming = finished(disk).await?;
        let batch = collected?;
        if batch.is_empty() {
            let published = finished(on_disk(move || incoming.publish())).await?;
            return Ok((published.keep(), size));
        }
        size += batch.iter().map(|block| block.len() as u64).sum::<u64>();
        disk = on_disk(move || incoming.write(&batch).map(|()| incoming));
    }
}

/// The next blocks of `data`, as many as make a batch; none at its end.
async fn collect(data: &mut ByteStream) -> Result<Vec<Bytes>> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while bytes < BATCH_BYTES && batch.len() < BATCH_BLOCKS {
        match data.try_next().await.map_err(Error::Source)? {
            Some(block) if block.is_empty() => {}
            Some(block) => {
                bytes += block.len();
                batch.push(block);
            }
            None => break,
        }
    }
    Ok(batch)
}
