//! The filesystem store, with files without a name and with the fall-back.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Error, Filesystem, Settings, Store, on_disk};
use crate::model::ImageId;
use crate::store::{ByteRange, conformance};

fn settings(dir: &tempfile::TempDir) -> Settings {
    Settings { datadir: Some(dir.path().join("images")), ..Settings::default() }
}

fn without_unnamed_files(dir: &tempfile::TempDir) -> Filesystem {
    let mut store = Filesystem::open(&settings(dir));
    for datadir in &mut Arc::get_mut(store.datadirs.as_mut().unwrap()).unwrap().all {
        datadir.unnamed = false;
    }
    store
}

#[tokio::test]
async fn conforms() {
    let dir = tempfile::tempdir().unwrap();
    let store = Filesystem::open(&settings(&dir));
    assert!(store.datadirs.as_ref().unwrap().all[0].unnamed, "this machine cannot test files without a name");
    conformance::is_writable(&store).await;
}

#[tokio::test]
async fn conforms_without_unnamed_files() {
    let dir = tempfile::tempdir().unwrap();
    conformance::is_writable(&without_unnamed_files(&dir)).await;
}

#[tokio::test]
async fn conforms_with_holes_in_several_directories() {
    let dir = tempfile::tempdir().unwrap();
    let datadirs = ["a", "b:1", "c:1"].map(|name| dir.path().join(name).display().to_string()).into();
    let settings = Settings { datadirs, thin_provisioning: true, ..Settings::default() };
    conformance::is_writable(&Filesystem::open(&settings)).await;
}

#[tokio::test]
async fn an_image_that_is_in_another_directory_is_not_stored_again() {
    let dir = tempfile::tempdir().unwrap();
    let datadirs = ["high:1", "low"].map(|name| dir.path().join(name).display().to_string()).into();
    let store = Filesystem::open(&Settings { datadirs, ..Settings::default() });
    let id = ImageId::random();
    fs::write(dir.path().join("low").join(id.as_str()), "there").unwrap();
    let added = store.add(&id, conformance::stream_of(b"data", 4), None).await;
    assert!(matches!(added, Err(Error::Duplicate(_))));
    assert_eq!(fs::read_dir(dir.path().join("high")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_directory_that_vanished_is_passed_by_if_there_are_others() {
    let dir = tempfile::tempdir().unwrap();
    let datadirs = ["high:1", "low"].map(|name| dir.path().join(name).display().to_string()).into();
    let store = Filesystem::open(&Settings { datadirs, ..Settings::default() });
    fs::remove_dir(dir.path().join("high")).unwrap();
    let added = store.add(&ImageId::random(), conformance::stream_of(b"data", 4), None).await.unwrap();
    assert!(added.uri.contains("/low/"), "{}", added.uri);
    fs::rename(dir.path().join("low"), dir.path().join("elsewhere")).unwrap();
    let added = store.add(&ImageId::random(), conformance::stream_of(b"data", 4), None).await;
    assert!(matches!(added, Err(Error::Io(_))), "{added:?}");
}

#[tokio::test]
async fn holes_are_read_as_zeros() {
    let dir = tempfile::tempdir().unwrap();
    let store = Filesystem::open(&Settings { thin_provisioning: true, ..settings(&dir) });
    let (noise, zeros) = (&conformance::content(100_000)[..], &[0; 300_000][..]);
    for parts in [vec![noise, zeros, noise], vec![zeros, noise, zeros], vec![zeros]] {
        let content = parts.concat();
        for block in [3, 7777, 1 << 20] {
            let data = conformance::stream_of(&content, block);
            let added = store.add(&ImageId::random(), data, None).await.unwrap();
            assert_eq!(added.size, content.len() as u64);
            conformance::serves(&store, &added.uri, &content).await;
        }
    }
}

#[tokio::test]
async fn a_broken_upload_leaves_an_empty_datadir() {
    let dir = tempfile::tempdir().unwrap();
    for store in [Filesystem::open(&settings(&dir)), without_unnamed_files(&dir)] {
        let broken = Box::pin(futures_util::stream::iter([Err(std::io::Error::other("gone"))]));
        assert!(matches!(store.add(&ImageId::random(), broken, None).await, Err(Error::Source(_))));
        assert_eq!(fs::read_dir(dir.path().join("images")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn images_lie_under_their_id_with_the_configured_mode() {
    let dir = tempfile::tempdir().unwrap();
    let store = Filesystem::open(&Settings { file_perm: 604, ..settings(&dir) });
    let id = ImageId::random();
    let added = store.add(&id, conformance::stream_of(b"data", 4), None).await.unwrap();
    let path = dir.path().join("images").join(id.as_str());
    assert_eq!(added.uri, format!("file://{}", path.display()));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o604);
    let again = store.add(&id, conformance::stream_of(b"data", 4), None).await.unwrap_err();
    assert_eq!(again.to_string(), format!("Image file {} already exists!", path.display()));
}

#[tokio::test]
async fn a_datadir_that_vanished_is_created_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = Filesystem::open(&settings(&dir));
    fs::remove_dir(dir.path().join("images")).unwrap();
    store.add(&ImageId::random(), conformance::stream_of(b"data", 4), None).await.unwrap();
}

#[tokio::test]
async fn without_a_datadir_files_are_still_read_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("some file #1?%20");
    fs::write(&path, b"content").unwrap();
    let store = Filesystem::open(&Settings::default());
    let added = store.add(&ImageId::random(), conformance::stream_of(b"data", 4), None).await;
    assert!(matches!(added, Err(Error::AddDisabled)));
    for scheme in ["file", "filesystem", "FILE"] {
        conformance::serves(&store, &format!("{scheme}://{}", path.display()), b"content").await;
    }
    store.delete(&format!("file://{}", path.display())).await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn an_unusable_datadir_only_disables_adding() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for datadir in [PathBuf::from("/proc/none"), file.path().to_owned()] {
        let store = Filesystem::open(&Settings { datadir: Some(datadir), ..Settings::default() });
        let added = store.add(&ImageId::random(), conformance::stream_of(b"data", 4), None).await;
        assert!(matches!(added, Err(Error::AddDisabled)));
    }
}

#[tokio::test]
async fn what_is_no_file_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = Filesystem::open(&settings(&dir));
    let pipe = dir.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let dangling = dir.path().join("dangling");
    symlink("/nowhere", &dangling).unwrap();
    for path in [dir.path().to_owned(), pipe, dangling, dir.path().join("missing"), "/proc/self/exe/x".into()] {
        let uri = format!("file://{}", path.display());
        conformance::misses(&store, &uri).await;
        let error = store.get(&uri, ByteRange::default()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("Image file {} not found", path.display()));
    }
}

#[tokio::test]
async fn what_cannot_be_removed_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let store = Filesystem::open(&settings(&dir));
    let error = store.delete(&format!("file://{}", dir.path().display())).await.unwrap_err();
    assert!(matches!(error, Error::DeleteDenied(_)));
    assert_eq!(error.to_string(), format!("You cannot delete file {}", dir.path().display()));
}

#[tokio::test]
async fn locations_must_name_absolute_paths() {
    let store = Filesystem::open(&Settings::default());
    for uri in ["file://", "file:// ", "file://relative/path", "file:/etc/passwd", "file:///a\0b"] {
        conformance::refuses(&store, uri).await;
    }
}

#[tokio::test]
async fn a_file_that_shrinks_while_read_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, conformance::content(1 << 20)).unwrap();
    let store = Filesystem::open(&Settings::default());
    let opened = store.get(&format!("file://{}", path.display()), ByteRange::default()).await.unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(400_000).unwrap();
    let read: Vec<_> = futures_util::StreamExt::collect(opened.data).await;
    assert_eq!(read.last().unwrap().as_ref().unwrap_err().kind(), std::io::ErrorKind::Other);
}

#[tokio::test]
async fn a_disk_that_does_not_answer_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { timeout: Some(Duration::from_millis(20)), ..settings(&dir) };
    let store = Filesystem::open(&settings);
    let (answer, question) = std::sync::mpsc::channel::<()>();
    let work = on_disk(move || question.recv().map_err(|_| Error::AddDisabled));
    assert!(matches!(store.in_time(work).await, Err(Error::Unavailable(_))));
    drop(answer);
    assert!(store.in_time(on_disk(|| Ok(()))).await.is_ok());
}
