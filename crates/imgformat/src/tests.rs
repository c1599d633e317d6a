//! Damaged images, cut in any way.

use fuzzing::Target;

use crate::testing::{DESCRIPTOR, gpt, inspect_in, iso, luks, qcow2, qed, streamed_vmdk, vdi, vhd, vhdx, vmdk};
use crate::{Format, Inspected, Inspection, MAX_HELD, Rules};

/// Where the formats keep what counts, so that most damage is done there.
const PLACES: [usize; 12] = [0, 8, 36, 56, 64, 72, 104, 446, 512, 32768, 196_608, 300 << 10];
/// What formats begin with, and what descriptors say.
const WORDS: [&[u8]; 17] = [
    b"QFI\xFB\0\0\0\x03",
    b"QED\0",
    b"conectix",
    b"vhdxfile",
    b"regi",
    b"metadata",
    b"KDMV\x01\0\0\0",
    b"<<< disk >>>",
    b"\x01CD001\x01",
    b"\x55\xAA",
    b"LUKS\xBA\xBE\0\x01",
    b"# Disk Desc",
    b"RW 12 SPARSE \"/x\"\n",
    b"createType=\"custom\"\n",
    b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
    b"\0\0\0\0\0\0\0\x80",
    b"parentCID=1\n",
];

/// Of the verdicts under all rules: how many are refusals.
fn refusals(inspected: &Inspected) -> usize {
    let all = Format::ALL.iter().flat_map(|format| [true, false].map(|require_match| (format, require_match)));
    let rules = |require_match| Rules { require_match, gpt_nonfatal: Vec::new() };
    all.filter(|(format, require_match)| match inspected.judge(format.name(), &rules(*require_match)) {
        Ok(accepted) => {
            // Somebody will hold it in a signed column.
            assert!(accepted.virtual_size.is_none_or(|size| size > 0 && i64::try_from(size).is_ok()));
            false
        }
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            true
        }
    })
    .count()
}

/// Looks at the image whole and in blocks of sizes that depend on itself, at least `least`.
fn look(image: &[u8], least: usize) -> (String, usize) {
    let whole = inspect_in(image, &[usize::MAX]);
    assert_eq!(whole.bytes, image.len() as u64);
    let sum = image.iter().fold(image.len(), |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    for spread in [8, 1000, 100_000] {
        let sizes: Vec<usize> = (0..7).map(|turn| least + (sum >> (8 * turn)) % spread).collect();
        assert_eq!(inspect_in(image, &sizes), whole, "{sizes:?}");
    }
    (format!("{:?}", whole.findings), refusals(&whole))
}

fn target() -> Target {
    Target::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus")).words(WORDS).places(&PLACES)
}

#[test]
fn damage_and_cuts_do_no_harm() {
    let small = [qcow2(), qed(), vhd(), vdi(), gpt(), luks(), vmdk(DESCRIPTOR), streamed_vmdk(), DESCRIPTOR.into()];
    target().and(small).run(|image| look(image, 1));
}

#[test]
fn damage_and_cuts_do_no_harm_to_large_images() {
    target().and([iso(), vhdx()]).rounds(300).run(|image| look(image, 500));
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
