//! What is in a cache directory, and whether it is what it should be.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::files::names;
use super::gander::Gander;
use super::net::eventually;

/// A file as it cannot be taken for another one: its number is given to another file soon after its end.
type Identity = (u64, String, Option<SystemTime>);

/// Sizes of the files of images in the cache, finished or not.
fn files(cache: &Path) -> BTreeMap<Identity, u64> {
    let mut found = BTreeMap::new();
    for dir in [cache.join("incomplete"), cache.to_owned()] {
        let Ok(listing) = fs::read_dir(dir) else { continue };
        for entry in listing.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Ok(metadata) = entry.metadata()
                && metadata.is_file()
                && name.len() == 36
            {
                found.insert((metadata.ino(), name, metadata.created().ok()), metadata.len());
            }
        }
    }
    found
}

/// Bytes that were occupied at one moment: by the files that were there before and after it. A single listing may show
/// a file that went and the one that took its room.
pub(crate) fn occupied(cache: &Path) -> u64 {
    let (before, after) = (files(cache), files(cache));
    before.iter().filter_map(|(file, size)| after.get(file).map(|later| *later.min(size))).sum()
}

/// Measures a cache directory all the time.
#[derive(Debug)]
pub(crate) struct Sampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(u64, u64)>,
}

impl Sampler {
    pub(crate) fn watching(cache: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut most, mut samples) = (0, 0);
            while !stopped.load(Ordering::Relaxed) {
                most = most.max(occupied(&cache));
                samples += 1;
                // Leaves the few processors to those that are watched.
                std::thread::sleep(Duration::from_millis(1));
            }
            (most, samples)
        });
        Self { stop, thread }
    }

    /// The most bytes that were ever seen, and how often somebody looked.
    pub(crate) fn most(self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

impl Gander {
    /// What the cache did for each download of this image.
    pub(crate) fn verdicts(&self, id: &str) -> Vec<String> {
        let mark = format!("image {id}: cache ");
        self.log().lines().filter_map(|line| Some(line.split_once(&mark)?.1.trim().to_owned())).collect()
    }

    /// Waits until no fill runs, and checks that the index lists what is in the directory and that nothing is left over.
    /// What is cached.
    #[track_caller]
    pub(crate) fn settled(&self) -> Vec<String> {
        let cache = self.path("cache");
        let limit = Duration::from_secs(20);
        let records = || -> Vec<String> { self.client().cached().into_iter().map(|(id, _)| id).collect() };
        // A finished file is recorded just after it has its name.
        eventually("no fill runs, and the index lists what is in the directory", limit, || {
            names(&cache.join("incomplete")).is_empty() && records() == names(&cache)
        });
        names(&cache)
    }
}
