//! Damaging inputs.

use crate::random::Random;

/// Bytes that are apt to upset a reader: numbers at the edges, and what ends, escapes or separates.
const BYTES: &[u8] = b"\0\x01\x7F\x80\xC3\xED\xFE\xFF \n\r\t\"'\\/:;,.=&%+-*~{}[]09aZ";
/// Numbers and texts at which readers of text stumble.
const WORDS: [&[u8]; 12] = [
    b"18446744073709551616",
    b"9223372036854775807",
    b"-9223372036854775809",
    b"-1",
    b"1e999",
    b"0.5",
    b"null",
    b"%00",
    b"%C3%28",
    b"\\ud800",
    b"\xF0\x9F\xA6\xA2",
    b"\xED\xA0\x80",
];
/// No input grows beyond this by damage, unless it was as large before.
const LONGEST: usize = 8192;
/// Bytes behind a place that belong to it.
const PLACE: usize = 128;

/// Damages inputs of one target.
#[derive(Debug)]
pub(crate) struct Mutator<'a> {
    pub(crate) words: &'a [Vec<u8>],
    pub(crate) places: &'a [usize],
}

impl Mutator<'_> {
    /// A damaged copy of one of the pool.
    pub(crate) fn damaged(&self, pool: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
        let original = random.of(pool);
        let mut input = original.clone();
        for _ in 0..=random.below(4) {
            self.damage(&mut input, pool, random);
        }
        input.truncate(LONGEST.max(original.len()));
        input
    }

    fn damage(&self, input: &mut Vec<u8>, pool: &[Vec<u8>], random: &mut Random) {
        let at = self.place(input.len(), random);
        let end = (at + 1 + random.below(16)).min(input.len()).max(at);
        match random.below(10) {
            0 if !self.places.is_empty() && random.below(4) > 0 => {}
            0 => input.truncate(at),
            1 => input[at..end].fill(*random.of(BYTES)),
            2 => input[at..end].iter_mut().take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
            3 => input[at..end].iter_mut().take(1).for_each(|byte| *byte = random.below(256) as u8),
            // What comes behind stays where it is in formats that count from the beginning.
            4 | 5 if !self.places.is_empty() => {
                let word = self.word(random);
                let len = word.len().min(input.len() - at);
                input[at..at + len].copy_from_slice(&word[..len]);
            }
            4 | 5 => drop(input.splice(at..at, self.word(random).iter().copied())),
            6 => drop(input.splice(at..end, self.word(random).iter().copied())),
            7 => drop(input.drain(at..end)),
            8 => {
                let part = input[at..end].repeat(1 + random.below(3));
                drop(input.splice(at..at, part));
            }
            _ => {
                let other = random.of(pool);
                let from = random.below(other.len() + 1);
                let to = (from + 1 + random.below(64)).min(other.len());
                drop(input.splice(at..end, other[from..to].iter().copied()));
            }
        }
    }

    /// Where damage is done, `len` at most.
    fn place(&self, len: usize, random: &mut Random) -> usize {
        if self.places.is_empty() || random.below(4) == 0 {
            return random.below(len + 1);
        }
        let place = (*random.of(self.places)).min(len);
        place + random.below((len - place).min(PLACE) + 1)
    }

    fn word<'a>(&'a self, random: &mut Random) -> &'a [u8] {
        match self.words.is_empty() || random.below(3) == 0 {
            true => random.of::<&[u8]>(&WORDS),
            false => random.of::<Vec<u8>>(self.words).as_slice(),
        }
    }
}
