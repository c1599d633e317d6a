//! What was made to be sent by the kernel, for a connection whose bytes have to pass through our hands.

use std::io;

use bytes::Bytes;

use crate::mapped::{Origin, origin_of};
use crate::read::{BLOCK, read_block};
use crate::rescue::is_fault_of_file;

/// A piece of a body, read on its way out: what [`crate::outgoing()`] mapped comes from its file, a [`BLOCK`] at a time;
/// other bytes as they are.
#[derive(Debug)]
pub struct Blocks(Rest);

#[derive(Debug)]
enum Rest {
    Here(Bytes),
    InFile { origin: Origin, len: usize },
}

impl Blocks {
    /// Those of `bytes`.
    #[must_use]
    pub fn of(bytes: Bytes) -> Self {
        match origin_of(&bytes) {
            Some(origin) => Self(Rest::InFile { origin, len: bytes.len() }),
            None => Self(Rest::Here(bytes)),
        }
    }

    /// How many bytes are still to come.
    #[must_use]
    pub fn left(&self) -> usize {
        match &self.0 {
            Rest::Here(bytes) => bytes.len(),
            Rest::InFile { len, .. } => *len,
        }
    }

    /// The next bytes; none when all were given. What the file does not give, its rescue does.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file is not as long any more as what was made of it; what reading it fails with; what its
    /// rescue fails with.
    pub async fn next(&mut self) -> io::Result<Bytes> {
        match &mut self.0 {
            Rest::Here(bytes) => Ok(std::mem::take(bytes)),
            Rest::InFile { len: 0, .. } => Ok(Bytes::new()),
            Rest::InFile { origin, len } => {
                let block = (*len).min(BLOCK);
                match read_block(&origin.file, origin.offset, block).await {
                    Ok(bytes) => {
                        origin.offset += block as u64;
                        *len -= block;
                        Ok(bytes)
                    }
                    Err(error) => {
                        let rescue = origin.rescue.as_ref().filter(|_| is_fault_of_file(&error)).ok_or(error)?;
                        let rest = rescue.rescue(origin.offset, *len).await?;
                        if rest.len() != *len {
                            return Err(io::Error::new(io::ErrorKind::InvalidData, "not what was begun"));
                        }
                        self.0 = Rest::Here(Bytes::new());
                        Ok(rest)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};
    use std::sync::Arc;

    use bytes::Bytes;

    use super::Blocks;
    use crate::mapped::origin_of;
    use crate::read::BLOCK;
    use crate::{FRAME, ImageFile, Rescue, Rescued, outgoing};

    fn content(len: usize) -> Vec<u8> {
        (0..len as u32).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect()
    }

    fn file(content: &[u8]) -> Arc<ImageFile> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Arc::new(ImageFile::from(file))
    }

    #[derive(Debug)]
    struct Copy(Vec<u8>);

    impl Rescue for Copy {
        fn rescue(&self, offset: u64, len: usize) -> Rescued {
            let bytes = Bytes::copy_from_slice(&self.0[offset as usize..offset as usize + len]);
            Box::pin(async move { Ok(bytes) })
        }
    }

    #[tokio::test]
    async fn a_map_is_read_in_blocks_and_memory_passed_on() {
        let content = content(FRAME + 5);
        let mapped = outgoing(&file(&content), 3, FRAME as u64, None).await.unwrap();
        let mut blocks = Blocks::of(mapped);
        let mut all = Vec::new();
        while blocks.left() > 0 {
            let block = blocks.next().await.unwrap();
            assert!(block.len() <= BLOCK && origin_of(&block).is_none());
            all.extend_from_slice(&block);
            assert_eq!(all.len() + blocks.left(), FRAME - 3);
        }
        assert!(all == content[3..FRAME]);
        assert!(blocks.next().await.unwrap().is_empty());
        let mut blocks = Blocks::of(Bytes::from_static(b"abc"));
        assert_eq!((blocks.left(), blocks.next().await.unwrap().as_ref()), (3, b"abc".as_ref()));
        assert_eq!((blocks.left(), blocks.next().await.unwrap().is_empty()), (0, true));
    }

    #[tokio::test]
    async fn what_was_cut_off_the_file_comes_from_the_rescue_or_is_an_error() {
        let content = content(3 * BLOCK);
        for rescued in [true, false] {
            let file = file(&content);
            let rescue = rescued.then(|| Arc::new(Copy(content.clone())) as Arc<dyn Rescue>);
            let mut blocks = Blocks::of(outgoing(&file, 0, content.len() as u64, rescue).await.unwrap());
            assert!(blocks.next().await.unwrap() == content[..BLOCK]);
            file.set_len(BLOCK as u64 + 1).unwrap();
            match blocks.next().await {
                Ok(rest) => assert!(rescued && rest == content[BLOCK..] && blocks.left() == 0),
                Err(error) => assert!(!rescued && error.kind() == ErrorKind::UnexpectedEof),
            }
        }
    }
}
