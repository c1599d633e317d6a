//! Fuzz targets that are plain tests on a stable compiler.
//!
//! A [`Target`] has a corpus, a folder of small files. [`Target::run`] hands each of them to a check, and then, by chance but
//! from a seed, damaged copies of them; what leads to an outcome not seen before joins the corpus for the rest of the
//! run. `GANDER_FUZZ_SECONDS` says how long to go on, in place of a number of rounds, and `GANDER_FUZZ_SEED` chooses
//! another course. A check that panics has its input shown, with the seed.
//!
//! Of our own, as `bolero` brings a dozen crates and, in plain tests, replays a corpus but damages nothing of it.

mod mutate;
mod random;

use std::collections::HashSet;
use std::fs;
use std::hash::Hash;
use std::path::PathBuf;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use mutate::Mutator;
pub use random::Random;

/// Rounds of a run that is not told how long to go on: part of a second in a debug build.
const ROUNDS: u64 = 4000;
/// Inputs that are kept for damaging at most.
const POOL: usize = 2000;
/// Bytes of an input that are shown.
const SHOWN: usize = 2000;

/// Something that reads foreign bytes.
#[derive(Debug)]
pub struct Target {
    corpus: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
    places: Vec<usize>,
    rounds: u64,
}

impl Target {
    /// With the files in `corpus`, at least one, in the order of their names.
    ///
    /// # Panics
    /// There are none.
    pub fn new(corpus: impl Into<PathBuf>) -> Self {
        let corpus = corpus.into();
        let entries = fs::read_dir(&corpus).map(|entries| entries.flatten().map(|entry| entry.path()));
        let mut paths: Vec<PathBuf> = entries.into_iter().flatten().collect();
        paths.sort();
        let files: Vec<_> = paths.iter().filter_map(|path| fs::read(path).ok()).collect();
        assert!(!files.is_empty(), "no corpus in {}", corpus.display());
        Self { corpus: files, words: Vec::new(), places: Vec::new(), rounds: ROUNDS }
    }

    /// With inputs more, too large to be kept in files.
    #[must_use]
    pub fn and(mut self, inputs: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.corpus.extend(inputs);
        self
    }

    /// With words that mean something to the reader, which are put into inputs now and then.
    #[must_use]
    pub fn words<W: AsRef<[u8]>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(|word| word.as_ref().to_vec()));
        self
    }

    /// With the places behind which the reader looks, so that most damage is done there.
    #[must_use]
    pub fn places(mut self, places: &[usize]) -> Self {
        self.places.extend_from_slice(places);
        self
    }

    /// Fewer or more rounds than usual.
    #[must_use]
    pub fn rounds(mut self, rounds: u64) -> Self {
        self.rounds = rounds;
        self
    }

    /// Hands inputs to `check`, which panics where something is wrong, and otherwise yields what kind of outcome it was.
    pub fn run<O: Hash + Eq>(self, mut check: impl FnMut(&[u8]) -> O) {
        let seconds: Option<u64> = option("GANDER_FUZZ_SECONDS");
        let seed = option("GANDER_FUZZ_SEED").unwrap_or_else(|| seconds.map_or(1, |_| of_the_clock()));
        println!("seed {seed}");
        let (mut random, mutator) = (Random::new(seed), Mutator { words: &self.words, places: &self.places });
        let (mut pool, mut seen) = (Vec::new(), HashSet::new());
        let mut judge = |input: &[u8]| {
            let shown = OnPanic { input, seed };
            let outcome = check(shown.input);
            seen.insert(outcome)
        };
        for input in self.corpus {
            judge(&input);
            pool.push(input);
        }
        let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        for round in 0.. {
            if end.map_or(round == self.rounds, |end| Instant::now() >= end) {
                println!("{round} rounds, {} kinds of outcomes", seen.len());
                return;
            }
            let input = mutator.damaged(&pool, &mut random);
            if judge(&input) && pool.len() < POOL {
                pool.push(input);
            }
        }
    }
}

/// Shows what the check was about when it panicked.
struct OnPanic<'a> {
    input: &'a [u8],
    seed: u64,
}

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let (seed, len) = (self.seed, self.input.len());
            let shown = self.input[..len.min(SHOWN)].escape_ascii();
            println!("GANDER_FUZZ_SEED={seed}, {len} bytes: \"{shown}\"");
        }
    }
}

fn option<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

fn of_the_clock() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Target;

    #[test]
    fn chance_finds_what_a_few_steps_of_damage_lead_to() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("one"), "aaaa").unwrap();
        let mut first = None;
        let mut longest = 0;
        Target::new(dir.path()).words(["key"]).run(|input| {
            first.get_or_insert_with(|| input.to_vec());
            longest = longest.max(input.windows(3).filter(|word| word == b"key").count());
            longest
        });
        assert_eq!(first.unwrap(), b"aaaa");
        assert!(longest > 3, "{longest}");
    }

    #[test]
    #[should_panic(expected = "no corpus")]
    fn a_target_without_a_corpus_is_an_error() {
        let _target = Target::new("/nonexistent");
    }
}
