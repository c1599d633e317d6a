//! What every driver promises: run by each driver's own tests, as far as its kind of store can do it.

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::oneshot;

use super::{ByteRange, Error, Store};
use crate::model::{ByteStream, ImageId};

/// Bytes in which no two stretches look alike.
pub(crate) fn content(len: usize) -> Vec<u8> {
    (0..len.div_ceil(8) as u64).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).take(len).collect()
}

/// `content` as a stream in blocks of `block` bytes.
pub(crate) fn stream_of(content: &[u8], block: usize) -> ByteStream {
    let blocks: Vec<_> = content.chunks(block).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    Box::pin(stream::iter(blocks))
}

/// The bytes of `range` at `uri`, read to the end; what clients are sent is the same.
pub(crate) async fn read(store: &dyn Store, uri: &str, range: ByteRange) -> io::Result<Vec<u8>> {
    let opened = store.get(uri, range).await.unwrap();
    let file = opened.file.clone();
    let read = all(opened.data).await?;
    if let Some(file) = file {
        assert_eq!(file.len(), read.len() as u64);
        assert!(all(file.for_client()).await? == read);
    }
    Ok(read)
}

async fn all(data: ByteStream) -> io::Result<Vec<u8>> {
    data.try_fold(Vec::new(), |all, block| async move { Ok([all, block.to_vec()].concat()) }).await
}

async fn read_whole(store: &dyn Store, uri: &str) -> Vec<u8> {
    read(store, uri, ByteRange::default()).await.unwrap()
}

/// The object at `uri` holds `content`, which is not empty; any range of it can be read.
pub(crate) async fn serves(store: &dyn Store, uri: &str, content: &[u8]) {
    assert_eq!(store.size(uri).await.unwrap(), Some(content.len() as u64));
    let len = content.len() as u64;
    let starts = [0, 1, len / 3, len - 1, len, len + 7];
    let lens = [None, Some(0), Some(1), Some(len / 2), Some(len), Some(len + 7), Some(u64::MAX)];
    for (start, asked) in starts.into_iter().flat_map(|start| lens.map(|len| (start, len))) {
        let first = start.min(len);
        let last = asked.map_or(len, |asked| first.saturating_add(asked).min(len));
        let range = ByteRange { start, len: asked };
        let expected = &content[first as usize..last as usize];
        assert!(read(store, uri, range).await.unwrap() == expected, "{range:?}");
        assert_eq!(store.get(uri, range).await.unwrap().size, Some(len), "{range:?}");
    }
}

/// There is nothing at `uri`.
pub(crate) async fn misses(store: &dyn Store, uri: &str) {
    assert!(matches!(store.get(uri, ByteRange::default()).await, Err(Error::NotFound(_))));
    assert!(matches!(store.size(uri).await, Err(Error::NotFound(_)) | Ok(None)));
}

/// A location without its substance is refused by every operation that the store can do at all.
pub(crate) async fn refuses(store: &dyn Store, uri: &str) {
    assert!(matches!(store.get(uri, ByteRange::default()).await, Err(Error::BadLocation(_))), "{uri}");
    assert!(matches!(store.size(uri).await, Err(Error::BadLocation(_))), "{uri}");
    assert!(matches!(store.delete(uri).await, Err(Error::BadLocation(_) | Error::Unsupported(_))), "{uri}");
}

/// The store takes nothing and gives nothing up.
pub(crate) async fn is_read_only(store: &dyn Store, uri: &str) {
    assert!(store.locations(&ImageId::random()).is_empty());
    let added = store.add(&ImageId::random(), stream_of(b"data", 4), Some(4)).await;
    assert!(store.is_read_only() && matches!(added, Err(Error::Unsupported(_))));
    assert!(matches!(store.delete(uri).await, Err(Error::Unsupported(_))));
}

/// The store keeps what it is given, all or nothing.
pub(crate) async fn is_writable(store: &dyn Store) {
    keeps_what_it_is_given(store).await;
    never_replaces(store).await;
    forgets_broken_uploads(store).await;
    forgets_abandoned_uploads(store).await;
}

async fn keeps_what_it_is_given(store: &dyn Store) {
    // Empty, tiny, crumbs, more than any buffer; announced rightly, not at all, and wrongly.
    for (len, block, announced) in [
        (0, 1, Some(0)),
        (1, 1, None),
        (4321, 3, Some(4321)),
        (3 << 20, 65_536, None),
        ((5 << 20) + 1, 1 << 20, Some(7)),
    ] {
        let content = content(len);
        let id = ImageId::random();
        let foretold = store.locations(&id);
        let added = store.add(&id, stream_of(&content, block), announced).await.unwrap();
        assert!(foretold.contains(&added.uri), "{} is not one of {foretold:?}", added.uri);
        assert_eq!(added.size, len as u64);
        assert!(store.schemes().contains(&added.uri.split("://").next().unwrap()), "{}", added.uri);
        assert!(read_whole(store, &added.uri).await == content, "{len} bytes");
        if len > 0 {
            serves(store, &added.uri, &content).await;
        }
        store.delete(&added.uri).await.unwrap();
        misses(store, &added.uri).await;
        assert!(matches!(store.delete(&added.uri).await, Err(Error::NotFound(_))));
    }
}

async fn never_replaces(store: &dyn Store) {
    let id = ImageId::random();
    let first = store.add(&id, stream_of(b"first", 2), None).await.unwrap();
    let second = store.add(&id, stream_of(b"second", 2), None).await;
    assert!(matches!(second, Err(Error::Duplicate(_))));
    assert_eq!(read_whole(store, &first.uri).await, b"first");
}

async fn forgets_broken_uploads(store: &dyn Store) {
    for len in [0, 5, 2 << 20] {
        let id = ImageId::random();
        let broken = stream_of(&content(len), 100_000).chain(stream::iter([Err(io::Error::other("gone"))]));
        let Err(Error::Source(error)) = store.add(&id, Box::pin(broken), None).await else { panic!("stored") };
        assert_eq!(error.to_string(), "gone");
        adds_afresh(store, &id).await;
    }
}

async fn forgets_abandoned_uploads(store: &dyn Store) {
    let id = ImageId::random();
    let (stalled, stall) = oneshot::channel();
    // Gives its blocks, tells that it was asked for more, and never answers.
    let end = stream::once(async move {
        stalled.send(()).unwrap();
        std::future::pending().await
    });
    let add = store.add(&id, Box::pin(stream_of(&content(2 << 20), 100_000).chain(end)), None);
    tokio::select! {
        added = add => panic!("{added:?}"),
        told = stall => told.unwrap(),
    }
    adds_afresh(store, &id).await;
}

async fn adds_afresh(store: &dyn Store, id: &ImageId) {
    let added = store.add(id, stream_of(b"afresh", 6), None).await.unwrap();
    assert_eq!(read_whole(store, &added.uri).await, b"afresh");
}
