//! What Keystone said of tokens, remembered for a while: in this process only, by digest, and each token once however many
//! ask (security S51, S52).

use std::sync::Arc;
use std::time::{Duration, Instant};

use keystone::Token;
use moka::Expiry;
use moka::future::Cache;
use sha2::{Digest, Sha256};

use crate::auth::Refusal;

/// Tokens that are remembered at the same time; the least used ones make room.
const MOST: u64 = 100_000;
/// For that long a token that is worth nothing is not asked for again, at most.
const BAD_FOR: Duration = Duration::from_secs(10);

/// Of a token, and of whether it may be expired.
type Key = ([u8; 32], bool);
type Worth = Option<Arc<Token>>;

/// The memory.
#[derive(Debug)]
pub(super) struct Tokens(Option<Cache<Key, Worth>>);

/// How long what is remembered.
struct Lifetime(Duration);

impl Expiry<Key, Worth> for Lifetime {
    fn expire_after_create(&self, _: &Key, worth: &Worth, _: Instant) -> Option<Duration> {
        Some(if worth.is_some() { self.0 } else { self.0.min(BAD_FOR) })
    }
}

impl Tokens {
    /// Remembers for that long; `None`: not at all.
    pub(super) fn new(remembered: Option<Duration>) -> Self {
        Self(remembered.map(|time| Cache::builder().max_capacity(MOST).expire_after(Lifetime(time)).build()))
    }

    /// What the token is worth, by memory or by asking; whoever comes while somebody asks for it waits for that answer. That
    /// there is none is not remembered.
    pub(super) async fn get(
        &self,
        token: &str,
        lenient: bool,
        ask: impl AsyncFnOnce() -> Result<Option<Token>, Refusal>,
    ) -> Result<Worth, Refusal> {
        let asking = async { Ok(ask().await?.map(Arc::new)) };
        match &self.0 {
            None => asking.await,
            Some(cache) => {
                let key = (Sha256::digest(token.as_bytes()).into(), lenient);
                cache.try_get_with(key, asking).await.map_err(|refusal: Arc<Refusal>| (*refusal).clone())
            }
        }
    }
}
