//! A cache in a directory of its own, and a store whose every block can be held back.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use crate::cache::hit::Hit;
use crate::cache::{Cache, Driver, Expected, FetchError, Fetched, Settings, Source};
use crate::db::sql::{self, CachedOnNode, Sql};
use crate::model::{ByteStream, ImageId};
use crate::store::{self, ByteRange};

/// Bytes of the blocks a [`Script`] sends.
pub(super) const STEP: usize = 4096;
/// Fills at a time.
pub(super) const FILLS: u32 = 8;
/// Longest wait of a test for something that should happen: far beyond any real time.
const LONG: Duration = Duration::from_secs(60);

/// A cache and its directory.
pub(super) struct House {
    pub(super) cache: Arc<Cache>,
    pub(super) dir: TempDir,
    rows: Option<CachedOnNode>,
}

impl House {
    pub(super) async fn new(driver: Driver) -> Self {
        Self::with(driver, |settings| settings).await
    }

    /// With other settings than usual.
    pub(super) async fn with(driver: Driver, change: impl FnOnce(Settings) -> Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let rows = if driver == Driver::CentralizedDb { Some(rows().await) } else { None };
        let cache = Cache::open(change(settings(dir.path(), driver)), rows.clone()).await.unwrap();
        Self { cache, dir, rows }
    }

    /// The same directory and index, opened with another limit.
    pub(super) async fn limited(self, max_size: u64) -> Self {
        let settings = Settings { max_size, ..settings(self.dir.path(), self.cache.driver()) };
        Self { cache: Cache::open(settings, self.rows.clone()).await.unwrap(), ..self }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn entry(&self, id: &ImageId) -> PathBuf {
        self.path(id.as_str())
    }

    pub(super) fn incomplete(&self, id: &ImageId) -> PathBuf {
        self.path("incomplete").join(id.as_str())
    }

    pub(super) fn invalid(&self, id: &ImageId) -> PathBuf {
        self.path("invalid").join(id.as_str())
    }

    pub(super) async fn fetch(&self, id: &ImageId, source: &Arc<Script>) -> Fetched {
        self.try_fetch(id, source, None).await.unwrap()
    }

    pub(super) async fn try_fetch(
        &self,
        id: &ImageId,
        source: &Arc<Script>,
        expected_size: Option<u64>,
    ) -> Result<Fetched, FetchError> {
        self.cache.fetch(id, source.store(), &of_size(expected_size), None).await
    }

    /// Waits until all fills have ended.
    pub(super) async fn settle(&self) {
        assert!(self.cache.drain(LONG).await, "fills still run");
        self.cache.write_hits().await;
    }

    /// Puts an image of `size` bytes into the cache.
    pub(super) async fn fill(&self, size: usize) -> ImageId {
        let id = ImageId::random();
        let fetched = self.fetch(&id, &Script::new(image(size)).shared()).await;
        assert_eq!(all(fetched.data).await.unwrap().len(), size);
        id
    }

    /// Reads a cached image to its end.
    pub(super) async fn read(&self, id: &ImageId) -> Vec<u8> {
        all(self.hit(id).await.whole(nowhere())).await.unwrap()
    }

    /// Opens a cached image.
    pub(super) async fn hit(&self, id: &ImageId) -> Hit {
        self.cache.lookup(id, &Expected::default()).await.expect("cached")
    }
}

/// An image of which only the size is known.
pub(super) fn of_size(size: Option<u64>) -> Expected {
    Expected { size, digest: None }
}

pub(super) fn settings(dir: &Path, driver: Driver) -> Settings {
    Settings {
        dir: dir.to_owned(),
        driver,
        sqlite_db: "cache.db".to_owned(),
        max_size: 1 << 30,
        min_free: 0,
        max_fills: FILLS,
        fill_retries: 0,
        finish_abandoned: true,
        fill_on_range: false,
        hits_interval: LONG,
        stall_time: Duration::from_secs(86400),
    }
}

/// The rows of a node in a database of its own.
async fn rows() -> CachedOnNode {
    let database = Sql::connect(&sql::Settings::new("sqlite://")).unwrap();
    database.sync_schema().await.unwrap();
    database.cached_on("http://node.example.com".to_owned())
}

/// Runs `test` with every driver that works here.
pub(super) async fn with_each_driver(test: impl AsyncFn(House)) {
    for driver in [Driver::Sqlite, Driver::Xattr, Driver::CentralizedDb] {
        let house = House::new(driver).await;
        if house.cache.driver() == driver {
            test(house).await;
        } else {
            skipped(&format!("{driver:?}: the file system of {:?} takes no user attributes", house.dir.path()));
        }
    }
}

/// Tells on standard error, past the capture of the test runner, what could not be tested; `tools/test` counts these.
pub(super) fn skipped(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(io::stderr(), "SKIPPED: {test}: {reason}");
}

/// Bytes that differ from block to block.
pub(super) fn image(size: usize) -> Bytes {
    (0..size).map(|at| (at / 7 % 251) as u8).collect()
}

/// Reads a stream to its end.
pub(super) async fn all(data: ByteStream) -> io::Result<Vec<u8>> {
    tokio::time::timeout(
        LONG,
        data.try_fold(Vec::new(), async |mut read, block| {
            read.extend_from_slice(&block);
            Ok(read)
        }),
    )
    .await
    .expect("the stream goes on")
}

/// The next block of a stream.
pub(super) async fn block(data: &mut ByteStream) -> Option<io::Result<Bytes>> {
    tokio::time::timeout(LONG, data.next()).await.expect("the stream goes on")
}

/// A store with one image. Sends it in blocks of [`STEP`] bytes.
pub(super) struct Script {
    data: Bytes,
    /// What it says the image's size is.
    pub(super) announced: Option<u64>,
    /// Before it sends the byte at this offset, the store waits for the gate.
    pub(super) held_at: Option<usize>,
    /// A closed semaphore is an open gate: nobody waits for its permits any more.
    gate: Semaphore,
    /// The store fails instead of sending the byte at this offset …
    pub(super) fails_at: Option<usize>,
    /// … as often as this.
    pub(super) failures: AtomicU32,
    /// Who first reads the byte at this offset panics.
    pub(super) panics_at: Option<usize>,
    /// The store does not open the image at all.
    pub(super) refuses: bool,
    /// What it says which state of the image it is.
    pub(super) version: Mutex<Option<String>>,
    opened_at: Mutex<Vec<u64>>,
}

impl Script {
    pub(super) fn new(data: Bytes) -> Self {
        Self {
            announced: Some(data.len() as u64),
            data,
            held_at: None,
            gate: Semaphore::new(0),
            fails_at: None,
            failures: AtomicU32::new(u32::MAX),
            panics_at: None,
            refuses: false,
            version: Mutex::default(),
            opened_at: Mutex::default(),
        }
    }

    pub(super) fn held_at(mut self, offset: usize) -> Self {
        self.held_at = Some(offset);
        self
    }

    pub(super) fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }

    /// The store that plays this.
    pub(super) fn store(self: &Arc<Self>) -> Arc<dyn Source> {
        Arc::new(Scripted(Arc::clone(self)))
    }

    pub(super) fn open_gate(&self) {
        self.gate.close();
    }

    /// The offsets it was opened at, in that order.
    pub(super) fn opened_at(&self) -> Vec<u64> {
        self.opened_at.lock().unwrap().clone()
    }

    async fn send(&self, offset: usize) -> Option<io::Result<Bytes>> {
        if self.held_at.is_some_and(|at| at == offset) {
            let _opened = self.gate.acquire().await;
        }
        let fails = || self.failures.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        if self.fails_at.is_some_and(|at| at == offset) && fails() {
            return Some(Err(io::Error::other("the store broke")));
        }
        assert!(self.panics_at != Some(offset) || self.opened_at().len() > 1, "as the script says");
        (offset < self.data.len()).then(|| Ok(self.data.slice(offset..self.data.len().min(offset + STEP))))
    }
}

/// A store that has nothing.
pub(super) fn nowhere() -> Arc<dyn Source> {
    let mut script = Script::new(Bytes::new());
    script.refuses = true;
    script.shared().store()
}

/// The store that a script plays.
struct Scripted(Arc<Script>);

#[async_trait]
impl Source for Scripted {
    async fn open(&self, range: ByteRange) -> store::Result<store::Opened> {
        let ByteRange { start, len } = range;
        self.0.opened_at.lock().unwrap().push(start);
        if self.0.refuses {
            return Err(store::Error::NotFound("No such image".to_owned()));
        }
        let script = Arc::clone(&self.0);
        let end = len.map_or(usize::MAX, |len| (start + len) as usize);
        let data = stream::unfold(start as usize, move |offset| {
            let script = Arc::clone(&script);
            async move {
                if offset >= end {
                    return None;
                }
                let block = script.send(offset).await?.map(|block| block.slice(..block.len().min(end - offset)));
                let sent = block.as_ref().map_or(0, Bytes::len);
                Some((block, offset + sent))
            }
        });
        Ok(store::Opened {
            data: Box::pin(data),
            file: None,
            size: self.0.announced,
            version: self.0.version.lock().unwrap().clone(),
        })
    }
}
