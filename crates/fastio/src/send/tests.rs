//! Over real connections, with little room in the socket.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use rustix::fs::{Advice, fadvise};
use rustix::net::sockopt;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::Sendfile;
use crate::image_file::ImageFile;
use crate::mapped::sendable;
use crate::rescue::{Rescue, Rescued};

const LIMIT: Duration = Duration::from_secs(30);

/// Bytes in which no two stretches look alike.
fn content(len: usize) -> Vec<u8> {
    (0..len.div_ceil(8) as u64).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).take(len).collect()
}

fn file_of(content: &[u8]) -> Arc<ImageFile> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    Arc::new(ImageFile::from(file))
}

/// A connection; the kernel holds little of what is sent.
async fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, _) = listener.accept().await.unwrap();
    sockopt::set_socket_send_buffer_size(&server, 16 * 1024).unwrap();
    sockopt::set_socket_recv_buffer_size(&client, 16 * 1024).unwrap();
    server.set_nodelay(true).unwrap();
    (server, client)
}

/// Writes `frames` as HTTP does: all that is there each time, and after a part of it what is left.
async fn write_all(sending: &mut Sendfile, stream: &mut TcpStream, frames: Vec<Bytes>) -> io::Result<()> {
    let mut frames = VecDeque::from(frames);
    while !frames.is_empty() {
        let mut written = {
            let slices: Vec<_> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
            poll_fn(|cx| sending.poll_write_vectored(stream, cx, &slices)).await?
        };
        if written == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        while let Some(frame) = frames.front_mut() {
            let part = written.min(frame.len());
            frame.advance(part);
            written -= part;
            if !frame.is_empty() {
                break;
            }
            frames.pop_front();
        }
    }
    Ok(())
}

/// Sends `frames` to a client that reads them in odd pieces; what he got, and what sent it.
async fn transfer(mut sending: Sendfile, frames: Vec<Bytes>) -> (io::Result<()>, Vec<u8>, Sendfile) {
    let (mut server, mut client) = connection().await;
    let writing = tokio::spawn(async move {
        let written = write_all(&mut sending, &mut server, frames).await;
        (written, sending)
    });
    let reading = async {
        let (mut all, mut piece) = (Vec::new(), vec![0; 10_007]);
        while let Ok(read @ 1..) = client.read(&mut piece).await {
            all.extend_from_slice(&piece[..read]);
            tokio::task::yield_now().await;
        }
        all
    };
    let all = tokio::time::timeout(LIMIT, reading).await.unwrap();
    let (written, sending) = writing.await.unwrap();
    (written, all, sending)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_arrives_whole_and_is_let_go() {
    let content = content(9_000_001);
    let file = file_of(&content);
    let frames = vec![sendable(&file, 0, content.len(), None).unwrap()];
    let (written, read, sending) = transfer(Sendfile::default(), frames).await;
    written.unwrap();
    assert!(read == content);
    assert_eq!(sending.bytes(), content.len() as u64);
    assert!(sending.calls() > 9, "{} calls", sending.calls());
    assert_eq!(Arc::strong_count(&file), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_and_memory_are_sent_in_their_order() {
    let content = content(1_000_000);
    let file = file_of(&content);
    let stretches = [(0, 70_000), (4095, 300_000), (12_345, 987_655), (999_000, 1_000)];
    let mut frames = vec![Bytes::new(), Bytes::from_static(b"head"), Bytes::new()];
    let mut expected = b"head".to_vec();
    for (offset, len) in stretches {
        frames.push(sendable(&file, offset as u64, len, None).unwrap());
        expected.extend_from_slice(&content[offset..offset + len]);
        let between = Bytes::from(vec![b'-'; len / 7]);
        expected.extend_from_slice(&between);
        frames.extend([between, Bytes::from_static(b"\r\n")]);
        expected.extend_from_slice(b"\r\n");
    }
    let (written, read, sending) = transfer(Sendfile::default(), frames).await;
    written.unwrap();
    assert!(read == expected);
    // All but the one that is not worth it.
    assert_eq!(sending.bytes(), 70_000 + 300_000 + 987_655);
    assert_eq!(Arc::strong_count(&file), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_a_map_is_sent_from_its_place() {
    let content = content(500_000);
    let file = file_of(&content);
    let part = sendable(&file, 7, 400_000, None).unwrap().slice(1_001..390_000);
    let (written, read, sending) = transfer(Sendfile::default(), vec![part]).await;
    written.unwrap();
    assert!(read == content[1_008..390_007]);
    assert_eq!(sending.bytes(), 388_999);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_only_on_disk_is_read_first() {
    let content = content(5_000_000);
    let file = file_of(&content);
    file.sync_all().unwrap();
    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    let frames = vec![sendable(&file, 0, content.len(), None).unwrap()];
    let (written, read, _) = transfer(Sendfile::default(), frames).await;
    written.unwrap();
    assert!(read == content);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_became_shorter_ends_the_connection() {
    for refused in [false, true] {
        let content = content(1_000_000);
        let file = file_of(&content);
        let frames = vec![Bytes::from_static(b"head"), sendable(&file, 0, content.len(), None).unwrap()];
        file.set_len(200_000).unwrap();
        let sending = Sendfile { refused, ..Sendfile::default() };
        let (written, read, _) = transfer(sending, frames).await;
        let error = written.unwrap_err();
        assert!(refused || error.kind() == ErrorKind::UnexpectedEof, "{error}");
        assert!(read.len() <= 4 + 200_000 + 4096, "{} bytes came", read.len());
        assert_eq!(Arc::strong_count(&file), 1);
    }
}

/// Has all that a file should have; gives it after a while.
#[derive(Debug)]
struct Original(Bytes);

impl Rescue for Original {
    fn rescue(&self, offset: u64, len: usize) -> Rescued {
        let rest = self.0.slice(offset as usize..offset as usize + len);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(rest)
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_file_lost_comes_from_its_rescue() {
    let content = content(1_000_000);
    let file = file_of(&content);
    let rescue: Arc<dyn Rescue> = Arc::new(Original(content.clone().into()));
    let map = |offset, len| sendable(&file, offset, len, Some(Arc::clone(&rescue))).unwrap();
    let frames = vec![Bytes::from_static(b"head"), map(0, 600_000), Bytes::from_static(b"tail"), map(600_000, 400_000)];
    file.set_len(200_000).unwrap();
    let (written, read, sending) = transfer(Sendfile::default(), frames).await;
    written.unwrap();
    assert!(read == [b"head", &content[..600_000], b"tail", &content[600_000..]].concat());
    assert_eq!(sending.bytes(), 200_000);
    assert_eq!((Arc::strong_count(&file), Arc::strong_count(&rescue)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_sending_files_is_refused_they_are_written() {
    let content = content(2_000_000);
    let file = file_of(&content);
    let frames = vec![Bytes::from_static(b"head"), sendable(&file, 0, content.len(), None).unwrap()];
    let (written, read, sending) = transfer(Sendfile { refused: true, ..Sendfile::default() }, frames).await;
    written.unwrap();
    assert!(read == [b"head", &content[..]].concat());
    assert_eq!((sending.calls(), sending.bytes()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_lets_the_file_go() {
    let content = content(4_000_000);
    let file = file_of(&content);
    let frames = vec![sendable(&file, 0, content.len(), None).unwrap()];
    let (mut server, mut client) = connection().await;
    let writing = tokio::spawn(async move { write_all(&mut Sendfile::default(), &mut server, frames).await });
    client.read_exact(&mut vec![0; 100_000]).await.unwrap();
    drop(client);
    tokio::time::timeout(LIMIT, writing).await.unwrap().unwrap().unwrap_err();
    assert_eq!(Arc::strong_count(&file), 1);
}

#[tokio::test]
async fn a_client_that_takes_everything_lets_others_have_their_turn() {
    let file = file_of(&content(100_000));
    let frame = sendable(&file, 0, 100_000, None).unwrap();
    let (mut server, _client) = connection().await;
    let mut sending = Sendfile { in_a_row: super::TURN, ..Sendfile::default() };
    let mut polls = 0;
    let sent = poll_fn(|cx| {
        polls += 1;
        sending.poll_write_vectored(&mut server, cx, &[IoSlice::new(&frame)])
    });
    assert!(sent.await.unwrap() > 0);
    assert!(polls > 1);
}
