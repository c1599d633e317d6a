//! Damaged images, cut in any way.

use crate::testing::{DESCRIPTOR, gpt, inspect_in, iso, luks, qcow2, qed, streamed_vmdk, vdi, vhd, vhdx, vmdk};
use crate::{Format, Inspected, Inspection, MAX_HELD, Rules};

/// The xorshift generator with 64 bits of state.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// Where the formats keep what counts, so that most damage is done there.
const PLACES: [usize; 12] = [0, 8, 36, 56, 64, 72, 104, 446, 512, 32768, 196_608, 300 << 10];
/// Bytes that are apt to upset a reader.
const BYTES: [u8; 6] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF];

/// Changes some bytes, in most cases where they count, and cuts the image in some.
fn damage(image: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        let place = PLACES[random.below(PLACES.len())].min(image.len() - 1);
        let at = place + random.below((image.len() - place).min(128));
        let byte = BYTES[random.below(BYTES.len())];
        let run = 1 + random.below(8);
        for at in at..(at + run).min(image.len()) {
            image[at] = byte;
        }
    }
    if random.below(4) == 0 {
        image.truncate(1 + random.below(image.len()));
    }
}

fn judge_all(inspected: &Inspected) {
    for format in Format::ALL {
        for require_match in [true, false] {
            let _verdict = inspected.judge(format.name(), &Rules { require_match, gpt_nonfatal: Vec::new() });
        }
    }
}

#[test]
fn damage_and_cuts_do_no_harm() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let small = [qcow2(), qed(), vhd(), vdi(), gpt(), luks(), vmdk(DESCRIPTOR), streamed_vmdk(), DESCRIPTOR.into()];
    let large = [iso(), vhdx()];
    let rounds = small.iter().map(|image| (image, 500, 1)).chain(large.iter().map(|image| (image, 100, 500)));
    for (image, rounds, least) in rounds {
        for _ in 0..rounds {
            let mut image = image.clone();
            damage(&mut image, &mut random);
            let whole = inspect_in(&image, &[usize::MAX]);
            for spread in [8, 1000, 100_000] {
                let sizes: Vec<usize> = (0..7).map(|_| least + random.below(spread)).collect();
                assert_eq!(inspect_in(&image, &sizes), whole, "{sizes:?}");
            }
            judge_all(&whole);
        }
    }
}

#[test]
fn a_stream_that_wants_everything_kept_has_its_bound() {
    let mut inspection = Inspection::new();
    let mut greedy = streamed_vmdk();
    greedy.splice(36..44, u64::MAX.to_le_bytes());
    for block in [&greedy[..], &vec![b'\n'; 3 << 20]] {
        inspection.feed(block);
        assert!(inspection.held() <= MAX_HELD);
    }
    let mut inspection = Inspection::new();
    for block in
        [b"vhdxfile\n".as_slice(), &[b'\n'; 600], &vec![b'\n'; 180 << 10], &[b'\n'; 70_000], &vec![b'\n'; 2 << 20]]
    {
        inspection.feed(block);
        assert!(inspection.held() <= MAX_HELD);
    }
}

#[test]
fn of_an_ordinary_image_little_is_kept() {
    let mut inspection = Inspection::new();
    for _ in 0..100 {
        inspection.feed(&[0xA5; 65536]);
    }
    assert!(inspection.held() < 3 << 10);
}
