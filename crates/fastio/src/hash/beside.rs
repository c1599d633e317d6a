//! Hashing blocks beside whoever passes them on: each batch on threads of the blocking pool, one thread for each
//! algorithm, while the stream goes on.
//!
//! No thread belongs to a stream: slow clients, however many, must not keep others from the blocking pool, which all
//! work on files needs.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Algorithm, Hasher};

/// Bytes hashed at a time. A stream keeps up to two batches alive: one collecting, one being hashed.
const BATCH_BYTES: usize = 256 * 1024;
/// Blocks hashed at a time, against clients that send crumbs.
const BATCH_BLOCKS: usize = 256;

/// Digests of one stream of blocks.
#[derive(Debug)]
pub struct Hashing {
    lanes: Vec<Lane>,
    batch: Vec<Bytes>,
    batch_bytes: usize,
    size: u64,
}

/// One algorithm. The hasher is at rest here, or away with a batch.
#[derive(Debug)]
struct Lane {
    resting: Option<Hasher>,
    away: Option<JoinHandle<Hasher>>,
}

impl Lane {
    /// Waits for the hasher to come back. Dropped half-way, it has changed nothing.
    async fn rest(&mut self) -> io::Result<()> {
        if let Some(away) = &mut self.away {
            self.resting = Some(away.await.map_err(io::Error::other)?);
            self.away = None;
        }
        Ok(())
    }
}

impl Hashing {
    /// Starts one digest for each of `algorithms`.
    #[must_use]
    pub fn start(algorithms: &[Algorithm]) -> Self {
        let lanes = algorithms.iter().map(|algorithm| Lane { resting: Some(Hasher::new(*algorithm)), away: None });
        Self { lanes: lanes.collect(), batch: Vec::new(), batch_bytes: 0, size: 0 }
    }

    /// Bytes heard so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Hears a block; holds the caller back only when a batch is full and its predecessor not yet hashed. Dropped
    /// half-way, the block is heard all the same.
    ///
    /// # Errors
    /// The runtime is ending.
    pub async fn hear(&mut self, block: Bytes) -> io::Result<()> {
        self.size += block.len() as u64;
        self.batch_bytes += block.len();
        self.batch.push(block);
        if self.batch_bytes >= BATCH_BYTES || self.batch.len() >= BATCH_BLOCKS { self.turn().await } else { Ok(()) }
    }

    /// The digests in lower-case hex, in the order of the algorithms.
    ///
    /// # Errors
    /// The runtime is ending.
    pub async fn finish(mut self) -> io::Result<Vec<String>> {
        self.turn().await?;
        let mut digests = Vec::with_capacity(self.lanes.len());
        for mut lane in self.lanes {
            lane.rest().await?;
            digests.extend(lane.resting.map(Hasher::finish));
        }
        Ok(digests)
    }

    /// Waits for the predecessor of the batch and sends all hashers away with the batch.
    async fn turn(&mut self) -> io::Result<()> {
        for lane in &mut self.lanes {
            lane.rest().await?;
        }
        let batch: Arc<[Bytes]> = std::mem::take(&mut self.batch).into();
        self.batch_bytes = 0;
        for lane in &mut self.lanes {
            let Some(mut hasher) = lane.resting.take() else { continue };
            let batch = Arc::clone(&batch);
            lane.away = Some(spawn_blocking(move || {
                batch.iter().for_each(|block| hasher.update(block));
                hasher
            }));
        }
        Ok(())
    }
}
