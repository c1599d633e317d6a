use super::*;
use crate::testing::{DESCRIPTOR, gpt, inspect, iso, luks, qcow2, qed, vdi, vhd, vhdx, vmdk, with};

fn strict() -> Rules {
    Rules::default()
}

fn lenient() -> Rules {
    Rules { require_match: false, ..strict() }
}

fn size(image: &[u8], disk_format: &str) -> Option<u64> {
    let accepted = inspect(image).judge(disk_format, &strict()).unwrap();
    assert_eq!(accepted.overlooked, None);
    accepted.virtual_size
}

/// The text of the refusal.
fn refused(image: &[u8], disk_format: &str) -> String {
    inspect(image).judge(disk_format, &strict()).unwrap_err().to_string()
}

/// The text of what lenient rules overlook, and the size.
fn overlooked(image: &[u8], disk_format: &str) -> (String, Option<u64>) {
    let accepted = inspect(image).judge(disk_format, &lenient()).unwrap();
    (accepted.overlooked.unwrap().to_string(), accepted.virtual_size)
}

/// A disc that starts as a disk as well.
fn bootable() -> Vec<u8> {
    with(&iso(), 0, &gpt())
}

#[test]
fn an_image_that_is_what_it_is_said_to_be_has_its_size() {
    assert_eq!(size(&qcow2(), "qcow2"), Some(10 << 20));
    assert_eq!(size(&vhd(), "vhd"), Some(20 << 20));
    assert_eq!(size(&vdi(), "vdi"), Some(30 << 20));
    assert_eq!(size(&vhdx(), "vhdx"), Some(40 << 20));
    assert_eq!(size(&vmdk(DESCRIPTOR), "vmdk"), Some(50 << 20));
    assert_eq!(size(&iso(), "iso"), Some(204_800));
    assert_eq!(size(&gpt(), "gpt"), Some(2048));
    assert_eq!(size(&luks(), "luks"), Some(3072));
    assert_eq!(size(b"bytes", "raw"), Some(5));
}

#[test]
fn raw_may_be_anything_that_is_safe_and_is_as_large_as_it_is() {
    for image in [qcow2(), vhd(), vdi(), vhdx(), vmdk(DESCRIPTOR), iso(), gpt(), luks(), DESCRIPTOR.into()] {
        assert_eq!(size(&image, "raw"), Some(image.len() as u64));
    }
    let without_regions = with(&vhdx(), 192 << 10, b"R");
    assert_eq!(size(&without_regions, "raw"), Some(without_regions.len() as u64));
    assert_eq!(size(&without_regions, "vhdx"), None);
    assert_eq!(refused(&qed(), "raw"), "Image failed safety checks");
    assert_eq!(refused(&with(&gpt(), 446, &[1]), "raw"), "Image failed safety checks");
    assert_eq!(refused(&vhd()[..100], "raw"), "Incomplete file cannot be safety checked");
}

#[test]
fn names_that_cannot_be_told_are_believed() {
    for name in ["ami", "ari", "aki", "ploop", "own"] {
        assert_eq!(size(b"bytes", name), None);
        assert_eq!(refused(&gpt(), name), format!("Image disk_format {name} does not match stream data gpt"));
    }
}

#[test]
fn other_formats_are_refused() {
    assert_eq!(refused(b"bytes", "qcow2"), "Image disk_format qcow2 does not match stream data raw");
    assert_eq!(refused(&gpt(), "qcow2"), "Image disk_format qcow2 does not match stream data gpt");
    assert_eq!(refused(&qcow2(), "QCOW2"), "Image disk_format QCOW2 does not match stream data qcow2");
    assert_eq!(refused(b"", "iso"), "Image disk_format iso does not match stream data raw");
}

#[test]
fn several_formats_are_refused() {
    let two = with(&with(&qcow2(), 64, &vdi()[64..68]), 368, &vdi()[368..376]);
    for name in ["qcow2", "vdi", "raw", "ami"] {
        assert_eq!(refused(&two, name), "Multiple formats detected: qcow2,vdi");
    }
    assert_eq!(overlooked(&two, "qcow2"), ("Multiple formats detected: qcow2,vdi".to_owned(), None));
}

#[test]
fn a_bootable_disc_is_a_disc() {
    assert_eq!(size(&bootable(), "iso"), Some(204_800));
    assert_eq!(refused(&bootable(), "gpt"), "Image disk_format gpt does not match stream data iso");
    // Its partition table does not count.
    assert_eq!(size(&with(&bootable(), 446, &[1]), "iso"), Some(204_800));
    assert_eq!(refused(&bootable(), "raw"), "Multiple formats detected: iso,gpt");
    let three = with(&bootable(), 64, &vdi()[64..68]);
    assert_eq!(refused(&three, "iso"), "Multiple formats detected: vdi,iso,gpt");
}

#[test]
fn checks_of_partition_tables_may_be_overlooked() {
    let image = with(&gpt(), 446, &[1]);
    let rules = Rules { gpt_nonfatal: vec!["other".to_owned(), "mbr".to_owned()], ..strict() };
    for name in ["raw", "gpt"] {
        let accepted = inspect(&image).judge(name, &rules).unwrap();
        assert_eq!(accepted.virtual_size, Some(2048));
        assert_eq!(accepted.overlooked, Some(Refusal::Unsafe { detected: Format::Gpt, failed: vec!["mbr"] }));
    }
    let rules = Rules { gpt_nonfatal: vec!["banned".to_owned()], ..strict() };
    assert!(inspect(&image).judge("gpt", &rules).is_err());
    assert!(inspect(&qed()).judge("qed", &rules).is_err(), "for partition tables only");
}

#[test]
fn a_mismatch_may_be_overlooked_but_not_danger() {
    let mismatch = "Image disk_format vmdk does not match stream data qcow2".to_owned();
    assert_eq!(overlooked(&qcow2(), "vmdk"), (mismatch, None));
    let backed = with(&qcow2(), 8, &[1]);
    assert!(inspect(&backed).judge("vmdk", &lenient()).is_ok(), "nobody looks");
    for name in ["qcow2", "raw"] {
        let refusal = inspect(&backed).judge(name, &lenient()).unwrap_err();
        assert_eq!(refusal, Refusal::Unsafe { detected: Format::Qcow2, failed: vec!["backing_file"] });
    }
}

#[test]
fn what_cannot_be_read_may_be_overlooked() {
    assert_eq!(refused(DESCRIPTOR.as_bytes(), "vmdk"), "Image format inspection failed");
    assert_eq!(overlooked(DESCRIPTOR.as_bytes(), "vmdk"), ("Image format inspection failed".to_owned(), None));
    let short = overlooked(&vhd()[..100], "raw");
    assert_eq!(short, ("Incomplete file cannot be safety checked".to_owned(), Some(100)));
}

#[test]
fn no_size_is_zero_or_more_than_an_offset_can_be() {
    assert_eq!(size(&with(&qcow2(), 24, &[0; 8]), "qcow2"), None);
    assert_eq!(size(&with(&qcow2(), 24, &[0x80]), "qcow2"), None);
    assert_eq!(size(&with(&qcow2(), 24, &[0x7F]), "qcow2"), Some(0x7F << 56 | 10 << 20));
    assert_eq!(size(b"", "raw"), None);
}
