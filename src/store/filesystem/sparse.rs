//! Zeros that need not be written (`filesystem_thin_provisioning`): a file reads as zeros where it has holes.

use bytes::Bytes;

/// A hole smaller than a disk's block saves nothing.
const MIN_GRAIN: usize = 4096;
/// Bytes looked at together: enough for the machine's widest instructions.
const LANE: usize = 64;

/// What the next bytes of a file are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Run<'a> {
    /// To be written.
    Data(Vec<&'a [u8]>),
    /// As many zeros.
    Hole(u64),
}

/// In what pieces files are looked at for a configured `filesystem_store_chunk_size`: with small ones, files of many
/// small holes come in many parts.
pub(super) fn grain(chunk_size: usize) -> usize {
    chunk_size.max(MIN_GRAIN)
}

/// `blocks`, which come at `position`, with holes where whole pieces are zero.
pub(super) fn runs(blocks: &[Bytes], mut position: u64, grain: usize) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    for block in blocks {
        let mut rest = block.as_ref();
        while !rest.is_empty() {
            let into = usize::try_from(position % grain as u64).unwrap_or(0);
            let (piece, after) = rest.split_at(rest.len().min(grain - into));
            let len = piece.len() as u64;
            match (runs.last_mut(), is_zero(piece)) {
                (Some(Run::Hole(hole)), true) => *hole += len,
                (_, true) => runs.push(Run::Hole(len)),
                (Some(Run::Data(data)), false) => data.push(piece),
                (_, false) => runs.push(Run::Data(vec![piece])),
            }
            position += len;
            rest = after;
        }
    }
    runs
}

fn is_zero(piece: &[u8]) -> bool {
    piece.chunks(LANE).all(|lane| lane.iter().fold(0, |all, byte| all | byte) == 0)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Run, grain, is_zero, runs};

    #[test]
    fn pieces_of_zeros_are_holes() {
        let (zeros, ones) = (Bytes::from(vec![0; 10]), Bytes::from(vec![1; 10]));
        let blocks = [zeros.clone(), ones.clone(), zeros.clone(), zeros];
        let found = runs(&blocks, 5, 10);
        assert_eq!(found, [Run::Hole(10), Run::Data(vec![&ones[..5], &ones[5..]]), Run::Hole(20)]);
        let mixed = [Bytes::from([vec![0; 9], vec![1], vec![0; 10]].concat())];
        assert_eq!(runs(&mixed, 0, 10), [Run::Data(vec![&mixed[0][..10]]), Run::Hole(10)]);
        assert_eq!(runs(&[Bytes::new()], 0, 10), []);
    }

    #[test]
    fn one_byte_anywhere_is_no_zero() {
        for len in [1, 63, 64, 65, 200] {
            let mut piece = vec![0; len];
            assert!(is_zero(&piece));
            for at in 0..len {
                piece[at] = 128;
                assert!(!is_zero(&piece), "{at} of {len}");
                piece[at] = 0;
            }
        }
    }

    #[test]
    fn pieces_are_blocks_at_least() {
        assert_eq!([grain(1), grain(65_536)], [4096, 65_536]);
    }
}
