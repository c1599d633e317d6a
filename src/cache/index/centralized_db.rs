//! The index in the service's database: the rows of this node in Glance's table `cached_images` (operations §7.2).
//!
//! The database may be away, and nobody must wait for it then: from the first change that it does not take until it has
//! been made to agree with the directory again, in the background, it is not asked at all.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout};

use super::sqlite::Sqlite;
use super::{Index, disagreement, epoch};
use crate::cache::blocking::blocking;
use crate::cache::layout::{Entry, Layout};
use crate::cache::{Error, Result};
use crate::db;
use crate::db::sql::CachedOnNode;
use crate::model::{CachedImage, ImageId, Uses};

/// Longest that one operation waits for the database: clients may be waiting for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest that the start waits for it.
const OPENING: Duration = Duration::from_secs(5);
/// Pause before a database that was away is looked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// The index in the rows of this node. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct CentralizedDb {
    rows: CachedOnNode,
    layout: Layout,
    /// Where the records of the SQLite index are, if this cache had that before.
    former: PathBuf,
    /// Rows and directory do not agree, and somebody is about to change that.
    adrift: Arc<AtomicBool>,
}

impl CentralizedDb {
    /// Makes the rows agree with the directory, now if that can be done.
    pub(super) async fn open(rows: CachedOnNode, layout: Layout, former: PathBuf) -> Self {
        let index = Self { rows, layout, former, adrift: Arc::default() };
        if let Err(error) = index.agree_in_time().await {
            index.drift(&error);
        }
        index
    }

    /// While the lists are compared nobody makes or removes entries: not for longer than this.
    async fn agree_in_time(&self) -> Result<()> {
        timeout(OPENING, self.agree()).await.unwrap_or_else(|_| Err(no_answer(OPENING).into()))
    }

    /// Records the entries that have no record and forgets the records that have no entry. What the SQLite index knew of
    /// the former is kept (operations §7.5).
    async fn agree(&self) -> Result<()> {
        // Before anybody has to wait for it the database shows that it is there.
        self.rows.register().await?;
        self.rows.try_changing().await?;
        let former = Sqlite::former(&self.former).await;
        // A living process goes on making and removing entries; it must not do so between the two lists.
        let locking = self.layout.clone();
        let _alone = blocking(move || locking.lock_entries()).await.ok();
        let recorded = self.rows.ids().await?;
        let (layout, base) = (self.layout.clone(), self.layout.base().to_owned());
        let files = blocking(move || layout.entries()).await.map_err(|source| Error::File { path: base, source })?;
        let (unknown, lost) = disagreement(&recorded, files);
        let remembered = match &former {
            Some(former) => former.entries().await,
            None => Vec::new(),
        };
        let put: Vec<_> = unknown.into_iter().map(|entry| recalled(record(entry), &remembered)).collect();
        if !put.is_empty() || !lost.is_empty() {
            self.rows.change(&put, &lost).await?;
        }
        if let Some(former) = former.filter(|_| !remembered.is_empty()) {
            former.clear().await;
        }
        self.adrift.store(false, Ordering::Release);
        Ok(())
    }

    /// The database is away, or it is not known whether it took a change: has somebody make it agree with the directory.
    fn drift(&self, error: &Error) {
        if self.adrift.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::warn!("{error}; the image cache goes on without it until it is back");
        let index = self.clone();
        tokio::spawn(async move {
            loop {
                sleep(PAUSE).await;
                match index.agree_in_time().await {
                    Ok(()) => {
                        return tracing::info!("the index of the image cache is back, and agrees with its directory");
                    }
                    Err(error) => tracing::debug!("{error}"),
                }
            }
        });
    }

    fn is_adrift(&self) -> bool {
        self.adrift.load(Ordering::Acquire)
    }

    /// What the database says, in time; `None` while it is away.
    async fn ask<T>(&self, question: impl Future<Output = db::Result<T>>) -> Option<T> {
        if self.is_adrift() {
            return None;
        }
        let answer = timeout(PATIENCE, question).await.unwrap_or_else(|_| Err(no_answer(PATIENCE)));
        answer.map_err(|error| self.drift(&error.into())).ok()
    }
}

#[async_trait]
impl Index for CentralizedDb {
    async fn admit(&self, id: &ImageId, size: u64, at: f64) {
        let new = CachedImage { image_id: id.clone(), hits: 0, last_accessed: at, last_modified: at, size, row: None };
        self.ask(self.rows.change(&[new], &[])).await;
    }

    async fn remove(&self, id: &ImageId) {
        self.ask(self.rows.change(&[], &[id.to_string()])).await;
    }

    async fn used(&self, batch: &[(ImageId, Uses)]) -> bool {
        if self.is_adrift() {
            return false;
        }
        let written = self.rows.used(batch, Instant::now() + PATIENCE).await;
        written.map_err(|error| self.drift(&error.into())).is_ok()
    }

    async fn failed(&self, id: &ImageId, _reason: &str) {
        self.remove(id).await;
    }

    /// While the database is away, what the directory tells: which entries there are, but not how often they were read.
    async fn entries(&self) -> Vec<CachedImage> {
        if let Some(records) = self.ask(self.rows.all()).await {
            return records;
        }
        let layout = self.layout.clone();
        let files = blocking(move || layout.entries()).await.unwrap_or_else(|error| {
            tracing::warn!("image cache index, listing: {error}");
            Vec::new()
        });
        let mut records: Vec<_> = files.into_iter().map(record).collect();
        records.sort_by(|a, b| a.image_id.cmp(&b.image_id));
        records
    }

    async fn nodes(&self, id: &ImageId) -> db::Result<Vec<String>> {
        self.rows.nodes_with(id).await
    }
}

/// What an entry tells of itself.
fn record(Entry { id, metadata }: Entry) -> CachedImage {
    let filled = metadata.modified().map_or(0.0, epoch);
    let size = metadata.len();
    CachedImage { image_id: id, hits: 0, last_accessed: filled, last_modified: filled, size, row: None }
}

/// With the hits and times among those that are remembered, which are ordered by image id.
fn recalled(found: CachedImage, remembered: &[CachedImage]) -> CachedImage {
    match remembered.binary_search_by(|record| record.image_id.cmp(&found.image_id)) {
        Ok(place) => CachedImage { size: found.size, ..remembered[place].clone() },
        Err(_) => found,
    }
}

fn no_answer(limit: Duration) -> db::Error {
    db::Error::Unavailable(format!(": the database did not answer in {} s", limit.as_secs()))
}
