//! Which entries are missed least.
//!
//! Two generations, so that a flood of images that are read once does not wash out those that are read again and again
//! (security C22): what was never hit goes before what was hit, as in Glance; but the latter are guaranteed only a
//! share of the cache, so that what was loved once makes room for what is loved now. What somebody reads at this moment
//! goes last of all.

use crate::model::ImageId;

/// The share of the limit, in percent, within which entries that were hit go last.
const PROTECTED_PERCENT: u64 = 80;

/// An entry that may have to go.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) id: ImageId,
    /// Bytes.
    pub(super) size: u64,
    /// Whether it was read since its fill.
    pub(super) hit: bool,
    /// Seconds since 1970 of the last read, or else of the fill.
    pub(super) used: f64,
    /// Somebody reads it at this moment. Such an entry would go on occupying the disk.
    pub(super) busy: bool,
}

/// The candidates, those first that should go first, for a cache of `limit` bytes.
pub(super) fn least_missed_first(mut candidates: Vec<Candidate>, limit: u64) -> Vec<Candidate> {
    candidates.sort_by(|a, b| a.used.total_cmp(&b.used).then_with(|| a.id.cmp(&b.id)));
    let share = u128::from(limit) * u128::from(PROTECTED_PERCENT) / 100;
    let mut protected: u128 = candidates.iter().filter(|entry| entry.hit).map(|entry| u128::from(entry.size)).sum();
    let (mut first, mut last, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for entry in candidates {
        let goes_last = entry.hit && protected <= share;
        if entry.hit && !goes_last {
            protected -= u128::from(entry.size);
        }
        match (entry.busy, goes_last) {
            (true, _) => busy.push(entry),
            (false, true) => last.push(entry),
            (false, false) => first.push(entry),
        }
    }
    first.append(&mut last);
    first.append(&mut busy);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(used: u64, hit: bool) -> Candidate {
        Candidate { id: ImageId::random(), size: 10, hit, used: used as f64, busy: false }
    }

    fn order(candidates: &[Candidate], limit: u64) -> Vec<f64> {
        least_missed_first(candidates.to_vec(), limit).iter().map(|entry| entry.used).collect()
    }

    #[test]
    fn what_was_never_hit_goes_first_then_the_least_recently_used() {
        let entries = [entry(1, true), entry(4, false), entry(3, true), entry(2, false)];
        assert_eq!(order(&entries, 100), [2.0, 4.0, 1.0, 3.0]);
    }

    #[test]
    fn hits_protect_only_a_share_of_the_cache() {
        // Of 50 bytes 40 are protected: the oldest hit of five counts for nothing any more.
        let old: Vec<_> = (1..=5).map(|used| entry(used, true)).collect();
        let entries = [old, vec![entry(6, false)]].concat();
        assert_eq!(order(&entries, 50), [1.0, 6.0, 2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn what_is_being_read_goes_last() {
        let busy = Candidate { busy: true, ..entry(1, false) };
        assert_eq!(order(&[busy, entry(2, true), entry(3, false)], 100), [3.0, 2.0, 1.0]);
    }
}
