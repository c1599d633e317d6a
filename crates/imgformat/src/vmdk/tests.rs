use super::*;
use crate::Safety;
use crate::testing::{DESCRIPTOR, failed, finding, streamed_vmdk, vmdk, with};

const SIZED: VirtualSize = VirtualSize::Bytes(50 << 20);

fn incomplete() -> Option<Finding> {
    Some(Finding::incomplete(Format::Vmdk, VirtualSize::Unknown))
}

/// The checks that a sparse extent fails whose descriptor has another line.
fn failed_with_line(line: &str) -> Vec<&'static str> {
    failed(&vmdk(&format!("{DESCRIPTOR}{line}\n")))
}

#[test]
fn a_sparse_extent_tells_its_size() {
    assert_eq!(finding(&vmdk(DESCRIPTOR)), Some(Finding::harmless(Format::Vmdk, SIZED)));
    assert_eq!(finding(&streamed_vmdk()), Some(Finding::harmless(Format::Vmdk, SIZED)));
    assert_eq!(finding(&vmdk(&DESCRIPTOR.to_uppercase())), Some(Finding::harmless(Format::Vmdk, SIZED)));
}

#[test]
fn a_number_of_sectors_that_is_too_large_is_no_size() {
    let huge = with(&vmdk(DESCRIPTOR), 12, &[0xFF; 8]);
    assert_eq!(finding(&huge), Some(Finding::harmless(Format::Vmdk, VirtualSize::Unknown)));
}

#[test]
fn a_piece_of_it_is_recognised_but_cannot_be_checked() {
    assert_eq!(finding(&vmdk(DESCRIPTOR)[..3]), None);
    for len in [4, 63, 64, 511, 512, 1535] {
        assert_eq!(finding(&vmdk(DESCRIPTOR)[..len]), incomplete(), "{len}");
    }
    assert!(finding(&vmdk(DESCRIPTOR)[..1536]).is_some_and(|found| found.virtual_size == SIZED));
}

#[test]
fn odd_headers_are_refused() {
    for version in [0_u32, 4, u32::MAX] {
        assert_eq!(failed(&with(&vmdk(DESCRIPTOR), 4, &version.to_le_bytes())), ["descriptor"]);
    }
    for sector in [0_u64, 2, 1 << 55 | 1, u64::MAX] {
        assert_eq!(failed(&with(&vmdk(DESCRIPTOR), 28, &sector.to_le_bytes())), ["descriptor"]);
    }
    assert_eq!(finding(&with(&streamed_vmdk(), 28, &[2])), incomplete());
}

#[test]
fn the_descriptor_must_be_there_and_all_of_it() {
    assert_eq!(failed(&with(&vmdk(DESCRIPTOR), 36, &[0])), ["descriptor"]);
    assert_eq!(failed(&vmdk("")), ["descriptor"]);
    for sectors in [8_u64, 1 << 55, u64::MAX] {
        assert_eq!(finding(&with(&vmdk(DESCRIPTOR), 36, &sectors.to_le_bytes())), incomplete());
    }
}

#[test]
fn only_kinds_with_their_data_inside_are_safe() {
    for kind in ["monolithicFlat", "twoGbMaxExtentSparse", "vmfs", "monolithicSparse ", "", "fullDevice"] {
        let other = vmdk(&DESCRIPTOR.replace("monolithicSparse", kind));
        assert_eq!(failed(&other), ["descriptor"], "{kind}");
        assert_eq!(finding(&other).unwrap().virtual_size, VirtualSize::Unknown);
    }
    assert_eq!(failed(&vmdk(&DESCRIPTOR.replace("createType", "createTyp"))), ["descriptor"]);
    assert_eq!(failed(&vmdk(&DESCRIPTOR.replace("monolithicSparse", &"x".repeat(64)))), ["descriptor"]);
    assert_eq!(failed(&vmdk("RW 1 SPARSE x\ncreateType=\"monolithicSparse")), ["descriptor"]);
}

#[test]
fn a_line_of_a_descriptor_must_be_understood() {
    for line in ["", "  # a remark", "ddb what ever", "word=and more", "\tRDONLY 1 SPARSE x\r", "noaccess 1 ZERO"] {
        assert_eq!(failed_with_line(line), [""; 0], "{line}");
    }
    for line in ["two words=x", "RWX 1 SPARSE x", "rw\t1 SPARSE x", "x", "é"] {
        assert_eq!(failed_with_line(line), ["descriptor"], "{line}");
    }
}

#[test]
fn extents_must_be_beside_the_image() {
    assert_eq!(failed_with_line("RW 1 FLAT \"/etc/passwd\" 0"), ["descriptor"]);
    assert_eq!(failed_with_line("rdonly 1 SPARSE a/b"), ["descriptor"]);
    assert_eq!(failed(&vmdk(&DESCRIPTOR.replace("RW ", "#RW "))), ["descriptor"], "none at all");
}

#[test]
fn the_footer_must_agree_with_the_header() {
    let (image, at) = (streamed_vmdk(), 4096);
    let changes: [(&str, usize, u8); 10] = [
        ("size of the marker", 8, 1),
        ("type of the marker", 12, 2),
        ("padding of the marker", 511, 1),
        ("signature", 512, b'k'),
        ("version", 516, 2),
        ("place of the descriptor", 540, 2),
        ("length of the descriptor", 548, 3),
        ("value of the end", 1024, 1),
        ("type of the end", 1036, 1),
        ("padding of the end", 1535, 1),
    ];
    for (what, offset, byte) in changes {
        assert_eq!(failed(&with(&image, at + offset, &[byte])), ["footer"], "{what}");
    }
    assert_eq!(failed(&with(&image, at + 512 + 56, &[0xFF; 8])), ["footer"], "another footer");
    assert_eq!(failed(&with(&image, at, &[7])), [""; 0], "value of the marker");
    assert_eq!(failed(&[&image[..], &[0]].concat()), ["footer"], "not at the end");
    assert_eq!(failed(&with(&image, 512, b"no")), ["descriptor", "footer"][..1]);
}

#[test]
fn without_room_for_a_footer_it_is_incomplete() {
    let small = with(&streamed_vmdk(), 36, &[1]);
    let found = finding(&small[..1535]).unwrap();
    assert_eq!(found.safety, Safety::Incomplete);
}

#[test]
fn a_descriptor_alone_is_an_image_too() {
    let found = finding(DESCRIPTOR.as_bytes()).unwrap();
    assert_eq!(found, Finding::harmless(Format::Vmdk, VirtualSize::Unreadable));
    let flat = DESCRIPTOR.replace("monolithicSparse", "monolithicFlat");
    assert_eq!(failed(flat.as_bytes()), ["descriptor"]);
    assert_eq!(finding(flat.as_bytes()).unwrap().virtual_size, VirtualSize::Unknown);
    let late = format!("{}\n{flat}", "#".repeat(200_000));
    assert_eq!(failed(late.as_bytes()), ["descriptor"]);
}

#[test]
fn other_text_is_not() {
    assert_eq!(finding(&DESCRIPTOR.as_bytes()[..63]), None);
    assert_eq!(finding("words ".repeat(100).as_bytes()), None);
    assert_eq!(finding(&[b"\x01", DESCRIPTOR.as_bytes()].concat()), None, "not text");
    assert_eq!(finding(&[DESCRIPTOR.as_bytes(), &[0; 300]].concat()), None, "with NULs at once");
    assert_eq!(finding(&[&[b'#'; 600], &b"\0"[..], DESCRIPTOR.as_bytes()].concat()), None, "behind a NUL");
    assert_eq!(finding(&[&[b'#'; DESCRIPTOR_MAX], DESCRIPTOR.as_bytes()].concat()), None, "too late");
}

#[test]
fn a_descriptor_that_stops_being_ascii_is_one_but_not_safe() {
    let image = format!("{DESCRIPTOR}{}é\n", "#".repeat(512));
    assert_eq!(failed(image.as_bytes()), ["descriptor"]);
}
