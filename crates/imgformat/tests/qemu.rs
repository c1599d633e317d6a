//! Images as QEMU makes them, and what it says of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail loudly")]

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use imgformat::{Format, Inspected, Inspection, Refusal, Rules};
use tempfile::TempDir;

/// Bytes of the disk in every image.
const SIZE: u64 = 12 << 20;

/// A directory with a raw disk to make images of.
struct Workshop(TempDir);

impl Workshop {
    /// `None`: there is no `qemu-img` here, which is told.
    fn open() -> Option<Self> {
        if Command::new("qemu-img").arg("--version").output().is_err() {
            skipped("no qemu-img");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let mut disk = vec![0; SIZE as usize];
        disk[1 << 20..][..10].copy_from_slice(b"some data!");
        std::fs::write(dir.path().join("disk.raw"), disk).unwrap();
        Some(Self(dir))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `qemu-img` in the directory; `false`: this one does not know the format.
    fn run(&self, args: &str) -> bool {
        let ran = Command::new("qemu-img").args(args.split(' ')).current_dir(self.0.path()).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        let unknown = said.contains("Unknown file format") || said.contains("Unknown driver");
        assert!(ran.status.success() || unknown, "qemu-img {args}: {said}");
        if unknown {
            skipped(&format!("qemu-img {args}: {said}"));
        }
        ran.status.success()
    }

    /// Converts the disk and inspects the result.
    fn convert(&self, format: &str, options: &str) -> Option<Image> {
        // What is there would be written over, and stay as long as it was.
        let _old = std::fs::remove_file(self.path("image"));
        let options = if options.is_empty() { String::new() } else { format!("-o {options} ") };
        let done = self.run(&format!("convert -f raw -O {format} {options}disk.raw image"));
        done.then(|| Image::open(&self.path("image"), format))
    }
}

/// An image, and the size that QEMU sees in it.
struct Image {
    inspected: Inspected,
    size: u64,
}

impl Image {
    fn open(path: &Path, format: &str) -> Self {
        let said = Command::new("qemu-img").args(["info", "-f", format, "--output=json"]).arg(path).output().unwrap();
        let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
        Self { inspected: inspect(path), size: said["virtual-size"].as_u64().unwrap() }
    }

    /// Is accepted, and as large as QEMU says.
    fn is(&self, disk_format: &str) {
        let accepted = self.inspected.judge(disk_format, &Rules::default()).unwrap();
        assert_eq!(accepted.virtual_size, Some(self.size), "{disk_format}");
    }

    /// Fails these checks, as what it is and as raw.
    fn fails(&self, disk_format: &str, checks: &[&str]) {
        for claimed in [disk_format, "raw"] {
            match self.inspected.judge(claimed, &Rules::default()) {
                Err(Refusal::Unsafe { detected, failed }) => {
                    assert_eq!((detected.name(), &failed[..]), (disk_format, checks));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

fn inspect(path: &Path) -> Inspected {
    let mut file = std::fs::File::open(path).unwrap();
    let mut inspection = Inspection::new();
    let mut block = vec![0; 65536];
    loop {
        match file.read(&mut block).unwrap() {
            0 => return inspection.finish(),
            read => inspection.feed(&block[..read]),
        }
    }
}

/// Tells on standard error, past the capture of the test runner, what is missing; `tools/test` counts these lines.
fn skipped(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(io::stderr(), "SKIPPED: {test}: {}", reason.trim());
}

#[test]
fn raw() {
    let Some(shop) = Workshop::open() else { return };
    Image::open(&shop.path("disk.raw"), "raw").is("raw");
}

#[test]
fn qcow2() {
    let Some(shop) = Workshop::open() else { return };
    for options in ["compat=0.10", "compat=1.1", "compat=1.1,lazy_refcounts=on", "compat=1.1,cluster_size=512"] {
        shop.convert("qcow2", options).unwrap().is("qcow2");
    }
    shop.convert("qcow2", "compat=1.1,extended_l2=on").unwrap().fails("qcow2", &["unknown_features"]);
}

#[test]
fn qcow2_with_other_files() {
    let Some(shop) = Workshop::open() else { return };
    for compat in ["0.10", "1.1"] {
        assert!(shop.run(&format!("create -f qcow2 -o compat={compat} -b disk.raw -F raw image")));
        let backed = Image::open(&shop.path("image"), "qcow2");
        assert_eq!(backed.size, SIZE);
        backed.fails("qcow2", &["backing_file"]);
    }
    shop.convert("qcow2", "data_file=data").unwrap().fails("qcow2", &["data_file"]);
}

#[test]
fn qed() {
    let Some(shop) = Workshop::open() else { return };
    if let Some(image) = shop.convert("qed", "") {
        image.fails("qed", &["banned"]);
    }
}

#[test]
fn vhd() {
    let Some(shop) = Workshop::open() else { return };
    for options in ["subformat=dynamic", "subformat=dynamic,force_size=on"] {
        shop.convert("vpc", options).unwrap().is("vhd");
    }
    // Its footer is at the end only.
    let fixed = shop.convert("vpc", "subformat=fixed,force_size=on").unwrap().inspected;
    assert_eq!(fixed.judge("raw", &Rules::default()).unwrap().virtual_size, Some(SIZE + 512));
}

#[test]
fn vhdx() {
    let Some(shop) = Workshop::open() else { return };
    for options in ["subformat=dynamic", "subformat=fixed", "block_size=1M,log_size=3M"] {
        shop.convert("vhdx", options).unwrap().is("vhdx");
    }
}

#[test]
fn vdi() {
    let Some(shop) = Workshop::open() else { return };
    for options in ["static=off", "static=on"] {
        shop.convert("vdi", options).unwrap().is("vdi");
    }
}

#[test]
fn vmdk() {
    let Some(shop) = Workshop::open() else { return };
    for kind in ["monolithicSparse", "streamOptimized"] {
        shop.convert("vmdk", &format!("subformat={kind}")).unwrap().is("vmdk");
    }
    for kind in ["monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat"] {
        let _old = std::fs::remove_file(shop.path("image"));
        assert!(shop.run(&format!("create -f vmdk -o subformat={kind} image {SIZE}")));
        Image::open(&shop.path("image"), "vmdk").fails("vmdk", &["descriptor"]);
        // With data, QEMU fills up the sector with zeros, and no inspector takes it for text any more.
        let filled = shop.convert("vmdk", &format!("subformat={kind}")).unwrap().inspected;
        let refusal = filled.judge("vmdk", &Rules::default()).unwrap_err();
        assert_eq!(refusal, Refusal::Mismatch { claimed: "vmdk".to_owned(), detected: Format::Raw });
    }
}

#[test]
fn luks() {
    let Some(shop) = Workshop::open() else { return };
    let secret = "--object secret,id=key,data=secret";
    let options = "key-secret=key,iter-time=10";
    if shop.run(&format!("convert {secret} -f raw -O luks -o {options} disk.raw image")) {
        Image::open(&shop.path("image"), "luks").is("luks");
    }
}

#[test]
fn iso() {
    let Some(shop) = Workshop::open() else { return };
    let mut disc = vec![0; 64 * 2048];
    disc[32768..32775].copy_from_slice(b"\x01CD001\x01");
    disc[32768 + 80..][..8].copy_from_slice(b"\x40\0\0\0\0\0\0\x40");
    disc[32768 + 128..][..4].copy_from_slice(b"\0\x08\x08\0");
    std::fs::write(shop.path("image"), disc).unwrap();
    Image::open(&shop.path("image"), "raw").is("iso");
}
