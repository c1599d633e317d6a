//! Images made by hand, each as small as its format allows, and ways to look at them.

use crate::{Finding, Inspected, Inspection, MAX_HELD, Safety};

/// Where the table of items of [`vhdx`] is.
pub(crate) const VHDX_ITEMS_AT: usize = 300 << 10;
/// Where the size in [`vhdx`] is.
pub(crate) const VHDX_SIZE_AT: usize = VHDX_ITEMS_AT + (64 << 10);

/// Inspects the image in blocks of `sizes`, over and over.
pub(crate) fn inspect_in(image: &[u8], sizes: &[usize]) -> Inspected {
    let mut inspection = Inspection::new();
    let mut rest = image;
    for size in sizes.iter().cycle() {
        let (block, after) = rest.split_at(rest.len().min(*size));
        inspection.feed(block);
        assert!(inspection.held() <= MAX_HELD);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    inspection.finish()
}

/// Inspects the image in blocks of several sizes, which all must come to the same.
pub(crate) fn inspect(image: &[u8]) -> Inspected {
    let whole = inspect_in(image, &[usize::MAX]);
    for sizes in [&[1][..], &[3, 0, 61], &[511], &[512], &[4096], &[65536], &[1, 70000]] {
        assert_eq!(inspect_in(image, sizes), whole, "{sizes:?}");
    }
    whole
}

/// The only finding on the image, if any.
pub(crate) fn finding(image: &[u8]) -> Option<Finding> {
    let mut findings = inspect(image).findings;
    assert!(findings.len() < 2, "{findings:?}");
    findings.pop()
}

/// The checks that the image fails.
pub(crate) fn failed(image: &[u8]) -> Vec<&'static str> {
    match finding(image).unwrap().safety {
        Safety::Checked { failed } => failed,
        Safety::Incomplete => panic!("incomplete"),
    }
}

/// The image with other bytes at an offset.
pub(crate) fn with(image: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut image = image.to_vec();
    image[at..at + bytes.len()].copy_from_slice(bytes);
    image
}

/// An image of `len` bytes with these parts, and zeros elsewhere.
fn image(len: usize, parts: &[(usize, &[u8])]) -> Vec<u8> {
    parts.iter().fold(vec![0; len], |image, (at, bytes)| with(&image, *at, bytes))
}

/// Version 3, 10 MiB.
pub(crate) fn qcow2() -> Vec<u8> {
    image(1024, &[(0, b"QFI\xFB"), (4, &3_u32.to_be_bytes()), (24, &(10_u64 << 20).to_be_bytes())])
}

pub(crate) fn qed() -> Vec<u8> {
    image(1024, &[(0, b"QED\0")])
}

/// 20 MiB.
pub(crate) fn vhd() -> Vec<u8> {
    image(1024, &[(0, b"conectix"), (40, &(20_u64 << 20).to_be_bytes())])
}

/// 30 MiB.
pub(crate) fn vdi() -> Vec<u8> {
    image(1024, &[(0, b"<<< disk >>>"), (64, &0xBEDA_107F_u32.to_le_bytes()), (368, &(30_u64 << 20).to_le_bytes())])
}

/// 100 blocks of 2048 bytes.
pub(crate) fn iso() -> Vec<u8> {
    let parts: [(usize, &[u8]); 3] =
        [(32768, b"\x01CD001\x01"), (32768 + 80, &100_u32.to_le_bytes()), (32768 + 128, &2048_u16.to_le_bytes())];
    image(40000, &parts)
}

/// A protective partition table.
pub(crate) fn gpt() -> Vec<u8> {
    image(2048, &[(446, &[0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 3]), (510, &[0x55, 0xAA])])
}

/// Version 1, with data from 1024 on.
pub(crate) fn luks() -> Vec<u8> {
    image(4096, &[(0, b"LUKS\xBA\xBE\0\x01"), (104, &2_u32.to_be_bytes())])
}

/// 40 MiB. The second region of three is the metadata, the second item of three the size.
pub(crate) fn vhdx() -> Vec<u8> {
    let (regions, items) = (192 << 10, VHDX_ITEMS_AT);
    let metadata = b"\x06\xA2\x7C\x8B\x90\x47\x9A\x4B\xB8\xFE\x57\x5F\x05\x0F\x88\x6E";
    let size = b"\x24\x42\xA5\x2F\x1B\xCD\x76\x48\xB2\x11\x5D\xBE\xD8\x3B\xF4\xB8";
    let parts: [(usize, &[u8]); 12] = [
        (0, b"vhdxfile"),
        (regions, b"regi"),
        (regions + 8, &3_u32.to_le_bytes()),
        (regions + 16, b"another region"),
        (regions + 48, metadata),
        (regions + 64, &(items as u64).to_le_bytes()),
        (items, b"metadata"),
        (items + 10, &3_u16.to_le_bytes()),
        (items + 32, b"another item"),
        (items + 64, size),
        (items + 80, &[0, 0, 1, 0, 8]),
        (VHDX_SIZE_AT, &(40_u64 << 20).to_le_bytes()),
    ];
    image(VHDX_SIZE_AT + 1024, &parts)
}

/// What a descriptor that is fine says.
pub(crate) const DESCRIPTOR: &str = "# Disk DescriptorFile\nversion=1\nCID=d16cbc6d\nparentCID=ffffffff\n\
    createType=\"monolithicSparse\"\n\n# Extent description\nRW 102400 SPARSE \"disk.vmdk\"\n\n# The Disk Data Base\n\
    #DDB\n\nddb.virtualHWVersion = \"4\"\nddb.geometry.cylinders = \"101\"\n";

/// A sparse extent of 50 MiB with a descriptor of two sectors.
pub(crate) fn vmdk(descriptor: &str) -> Vec<u8> {
    let parts: [(usize, &[u8]); 7] = [
        (0, b"KDMV"),
        (4, &1_u32.to_le_bytes()),
        (12, &102_400_u64.to_le_bytes()),
        (28, &1_u64.to_le_bytes()),
        (36, &2_u64.to_le_bytes()),
        (56, &21_u64.to_le_bytes()),
        (512, descriptor.as_bytes()),
    ];
    image(4096, &parts)
}

/// A streamed extent of 50 MiB, with its footer.
pub(crate) fn streamed_vmdk() -> Vec<u8> {
    let streamed = vmdk(&DESCRIPTOR.replace("monolithicSparse", "streamOptimized"));
    let copy = streamed[..512].to_vec();
    let parts: [(usize, &[u8]); 3] = [(0, &[1]), (12, &3_u32.to_le_bytes()), (512, &copy)];
    let footer = image(1536, &parts);
    [with(&streamed, 56, &[0xFF; 8]), footer].concat()
}
