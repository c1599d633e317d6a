//! Keeping parts of a stream.

/// A part of the stream that is kept: as many bytes as arrived of `limit` from `offset` on.
#[derive(Debug)]
pub(crate) struct Region {
    offset: u64,
    limit: usize,
    data: Vec<u8>,
}

impl Region {
    /// A region that is wanted before the stream begins.
    pub(crate) fn new(offset: u64, limit: usize) -> Self {
        Self { offset, limit, data: Vec::new() }
    }

    /// A region that the first `known_at` bytes of the stream tell of; `None`: it begins among them, and has gone by.
    /// (It may be in the block at hand; but then it would depend on how the stream is cut whether it is kept.)
    pub(crate) fn later(known_at: u64, offset: u64, limit: usize) -> Option<Self> {
        (offset >= known_at).then(|| Self::new(offset, limit))
    }

    /// Keeps what is wanted of the block that begins at `at`. Blocks come in order, without gaps.
    pub(crate) fn take(&mut self, at: u64, block: &[u8]) {
        let wanted = self.limit - self.data.len();
        let Some(next) = self.offset.checked_add(self.data.len() as u64) else { return };
        let Some(skip) = next.checked_sub(at).and_then(|skip| usize::try_from(skip).ok()) else { return };
        let Some(rest) = block.get(skip..).filter(|rest| wanted > 0 && !rest.is_empty()) else { return };
        let part = &rest[..rest.len().min(wanted)];
        let needed = self.data.len() + part.len();
        if needed > self.data.capacity() {
            // Doubles like any vector, but never beyond the limit.
            let capacity = needed.max(self.data.capacity().saturating_mul(2)).min(self.limit);
            self.data.reserve_exact(capacity - self.data.len());
        }
        self.data.extend_from_slice(part);
    }

    /// Whether all of it arrived.
    pub(crate) fn complete(&self) -> bool {
        self.data.len() == self.limit
    }

    /// What arrived.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Bytes of memory that it holds.
    pub(crate) fn held(&self) -> usize {
        self.data.capacity()
    }
}

/// The last bytes of the stream.
#[derive(Debug)]
pub(crate) struct Tail {
    limit: usize,
    data: Vec<u8>,
}

impl Tail {
    /// Keeps the last `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, data: Vec::with_capacity(limit) }
    }

    /// Keeps the end of what arrived before and of this block.
    pub(crate) fn take(&mut self, block: &[u8]) {
        let block = &block[block.len().saturating_sub(self.limit)..];
        let surplus = (self.data.len() + block.len()).saturating_sub(self.limit);
        self.data.drain(..surplus);
        self.data.extend_from_slice(block);
    }

    /// The last bytes; fewer than asked for if the stream was shorter.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Bytes of memory that it holds.
    pub(crate) fn held(&self) -> usize {
        self.data.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_the_same_however_the_stream_is_cut() {
        let stream: Vec<u8> = (0..100).collect();
        for size in 1..=100 {
            let mut region = Region::new(30, 25);
            let mut tail = Tail::new(7);
            for (n, block) in stream.chunks(size).enumerate() {
                region.take((n * size) as u64, block);
                tail.take(block);
            }
            assert_eq!(region.data(), &stream[30..55]);
            assert_eq!(tail.data(), &stream[93..]);
            assert!(region.complete() && region.held() <= 25 && tail.held() <= 7);
        }
    }

    #[test]
    fn what_has_gone_by_cannot_be_kept() {
        assert!(Region::later(10, 9, 1).is_none());
        let mut region = Region::later(10, u64::MAX, 10).unwrap();
        region.take(u64::MAX - 1, b"abc");
        region.take(u64::MAX, b"abc");
        assert!(!region.complete());
    }
}
