//! Use cases of images: the only place where policy, metadata, cache and stores meet.
//!
//! A file for each verb (and for each thing with many: members, locations, the cache's management), and what they share. Nothing here
//! knows HTTP or SQL: the API and the commands call these. The order is always the same: authorise, then change state by
//! compare-and-set, then touch data; only scrubbing, which nobody asks for, removes first.

mod activity;
mod cache_api;
mod cached;
mod change;
mod copy;
mod create;
mod delete;
mod digest;
mod download;
mod error;
mod guard;
mod habits;
mod held;
mod journal;
mod leftovers;
mod limits;
mod locate;
mod members;
mod overtaken;
mod place;
mod places;
mod prefetch;
mod prefetcher;
mod protected;
mod recover;
mod register;
mod remote;
mod reservation;
mod running;
mod scrub;
mod scrub_queue;
mod sharing;
mod show;
mod source;
mod stage;
mod storage_quota;
mod tag;
#[cfg(test)]
mod tests;
mod update;
mod upload;
mod verify;
mod withdraw;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fastio::Algorithm;
use serde_json::Map;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use prefetch::CONCURRENT_PREFETCHES;
use running::Running;
use storage_quota::Accounts;

use crate::cache::Cache;
use crate::crypt::LocationCipher;
use crate::db::Metadata;
use crate::model::{Api, Context, Image, Location};
use crate::notify::Notifier;
use crate::policy::Policy;
use crate::quota::Limits;
use crate::store::{ServiceStore, Stores};

pub(crate) use cache_api::Clear;
pub(crate) use change::{Attribute, Change};
pub(crate) use copy::Copy;
pub(crate) use download::{Download, Requester, Wanted};
pub(crate) use error::{Error, Result};
pub(crate) use place::{Place, PlaceChange, PlaceRefusal, Position, Validation};
pub(crate) use scrub::Cleanup;
pub(crate) use sharing::SharingRefusal;
pub(crate) use update::Brings;
pub(crate) use upload::Upload;
pub(crate) use verify::Verification;
pub(crate) use withdraw::WithdrawalRefusal;

/// Limits and habits of the use cases, as configured.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Bytes that all images of an owner may take; `None`: any number (`user_storage_quota`).
    pub(crate) storage_quota: Option<u64>,
    /// Largest image in bytes (`image_size_cap`).
    pub(crate) image_size_cap: u64,
    /// What new data is hashed with, beside MD5 (`hashing_algorithm`).
    pub(crate) hashing_algorithm: Algorithm,
    /// Data at locations that clients name is hashed (`do_secure_hash`).
    pub(crate) secure_hash: bool,
    /// How often in a row such data is asked for again where it fails (`http_retries`).
    pub(crate) hash_retries: u32,
    /// Leave the data of deleted images to the scrubber (`delayed_delete`).
    pub(crate) delayed_delete: bool,
    /// Seconds that deleted data is kept for (`scrub_time`).
    pub(crate) scrub_time: u64,
    /// Where the scrubber's work is queued (`scrubber_datadir`).
    pub(crate) scrubber_datadir: PathBuf,
    /// Where unfinished uploads and deletions are noted (`upload_journal_dir`).
    pub(crate) upload_journal_dir: PathBuf,
    /// Where data is staged (`node_staging_uri`, or that of `[os_glance_staging_store]`).
    pub(crate) staging_dir: PathBuf,
    /// Where other servers reach this one, which has staged data (`worker_self_reference_url`).
    pub(crate) stage_host: Option<String>,
    /// How strictly v2 judges data (`require_image_format_match`, `gpt_safety_checks_nonfatal`).
    pub(crate) format_rules: imgformat::Rules,
    /// Copies fetched in the background at the same time (`task_pool_threads`).
    pub(crate) concurrent_copies: usize,
    /// Properties that an image may have; `None`: any number (`image_property_quota`).
    pub(crate) property_quota: Option<usize>,
    /// Operations that a patch of an image may have; `None`: any number (`image_patch_quota`).
    pub(crate) patch_quota: Option<usize>,
    /// Tags that an image may have; `None`: any number (`image_tag_quota`).
    pub(crate) tag_quota: Option<usize>,
    /// Members that an image may have; `None`: any number (`image_member_quota`).
    pub(crate) member_quota: Option<usize>,
    /// Locations that an image may have; `None`: any number (`image_location_quota`).
    pub(crate) location_quota: Option<usize>,
    /// Clients see where the data is, and may change that (`show_multiple_locations`).
    pub(crate) show_multiple_locations: bool,
}

/// The use cases. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    parts: Arc<Parts>,
    background: Background,
}

/// What the use cases work with.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) metadata: Arc<dyn Metadata>,
    pub(crate) stores: Arc<Stores>,
    /// `None`: no cache in this pipeline, or it could not be opened.
    pub(crate) cache: Option<Arc<Cache>>,
    pub(crate) policy: Policy,
    /// What Keystone lets projects take (`use_keystone_limits`); `storage_quota` does not count then.
    pub(crate) limits: Option<Limits>,
    pub(crate) notifier: Notifier,
    /// Encrypts locations on their way to the metadata (`metadata_encryption_key`).
    pub(crate) cipher: Option<LocationCipher>,
    pub(crate) settings: Settings,
}

/// Work that outlives the request which began it.
#[derive(Debug, Clone)]
struct Background {
    tasks: TaskTracker,
    copies: Arc<Semaphore>,
    /// Copies running or waiting for their turn.
    admitted: Arc<Semaphore>,
    uploads: Running,
    accounts: Accounts,
    /// Makes copies fail, as cut connections make uploads fail.
    cut: CancellationToken,
    /// Somebody wants an image in the cache.
    wished: Arc<Notify>,
    /// Ends what goes on as long as the server does.
    ended: CancellationToken,
}

/// Copies that may wait for each one that runs.
const WAITING_COPIES: usize = 64;

impl Images {
    /// Puts the parts together.
    pub(crate) fn new(parts: Parts) -> Self {
        let copies = Arc::new(Semaphore::new(parts.settings.concurrent_copies));
        let admitted = Arc::new(Semaphore::new(parts.settings.concurrent_copies.saturating_mul(WAITING_COPIES)));
        Self {
            parts: Arc::new(parts),
            background: Background {
                tasks: TaskTracker::new(),
                copies,
                admitted,
                uploads: Running::default(),
                accounts: Accounts::default(),
                cut: CancellationToken::new(),
                wished: Arc::default(),
                ended: CancellationToken::new(),
            },
        }
    }

    /// Lets background work end; false if some is left after `grace`. Call when no request can start any more.
    pub(crate) async fn drained(&self, grace: Duration) -> bool {
        self.background.ended.cancel();
        let received = self.received(grace);
        let filled = async {
            match &self.parts.cache {
                Some(cache) => cache.drain(grace).await,
                None => true,
            }
        };
        let (received, filled) = tokio::join!(received, filled);
        received && filled
    }

    /// Breaks off the copies that still run, and waits until they and the uploads whose clients are gone have left
    /// nothing behind; false if that takes longer than `limit`. Cache fills are not waited for: what a dead process
    /// leaves of them is removed by the next.
    pub(crate) async fn cut(&self, limit: Duration) -> bool {
        tracing::warn!("uploads, copies and cache fills still running are cut");
        self.background.cut.cancel();
        self.received(limit).await
    }

    /// Writes what the cache has only in memory. Call last; waits no longer than `limit`.
    pub(crate) async fn remember(&self, limit: Duration) {
        if let Some(cache) = &self.parts.cache
            && tokio::time::timeout(limit, cache.write_hits()).await.is_err()
        {
            tracing::warn!("the latest hits of the image cache are lost: its index cannot be written in time");
        }
    }

    async fn received(&self, limit: Duration) -> bool {
        self.background.tasks.close();
        tokio::time::timeout(limit, self.background.tasks.wait()).await.is_ok()
    }

    /// Whether there is a cache, be it that it cannot be used at present.
    pub(crate) fn has_cache(&self) -> bool {
        self.parts.cache.is_some()
    }

    /// The caller, made an admin if the policy says so (`context_is_admin`); where nobody is asked who he is, there are no
    /// roles, and he stays what he is.
    pub(crate) async fn admitted(&self, ctx: Context) -> Context {
        match ctx.judged_by() == Api::V1 || ctx.roles.is_empty() && ctx.is_admin {
            true => ctx,
            false => Context { is_admin: self.parts.policy.enforce(&ctx, "context_is_admin").await.is_ok(), ..ctx },
        }
    }

    /// The stores, if there are several to choose from.
    pub(crate) fn stores(&self) -> Option<&[Arc<ServiceStore>]> {
        self.parts.stores.several()
    }

    /// The same for who may know how they are configured.
    pub(crate) async fn stores_in_detail(&self, ctx: &Context) -> Result<Option<&[Arc<ServiceStore>]>> {
        if self.stores().is_some() {
            self.parts.policy.enforce(ctx, "stores_info_detail").await?;
        }
        Ok(self.stores())
    }

    /// Asks what v1's own rules say before an image is looked up. Today's look at the image: [`Images::authorise_seen`].
    async fn authorise_unseen(&self, ctx: &Context, rule: &'static str) -> Result<()> {
        match ctx.judged_by() {
            Api::V1 => Ok(self.parts.policy.enforce(ctx, rule).await?),
            Api::V2 => Ok(()),
        }
    }

    /// Asks what today's rules say of an image that v1 has looked up.
    async fn authorise_seen(&self, ctx: &Context, rule: &'static str, image: &Image) -> Result<()> {
        match ctx.judged_by() {
            Api::V1 => Ok(()),
            Api::V2 => Ok(self.parts.policy.enforce_on(ctx, rule, image).await?),
        }
    }

    /// The policy first, then the ban on changes by anonymous callers.
    async fn authorise_change(&self, ctx: &Context, rule: &'static str) -> Result<()> {
        self.authorise_unseen(ctx, rule).await?;
        if ctx.read_only { Err(Error::ReadOnly) } else { Ok(()) }
    }

    fn plain_location(&self, stored: &str) -> Result<String> {
        match &self.parts.cipher {
            None => Ok(stored.to_owned()),
            Some(cipher) => cipher.decrypt(stored).map_err(|_| Error::UnreadableLocation),
        }
    }

    /// A location as it goes to the metadata, with nothing but the store noted of it.
    fn stored_location(&self, uri: &str) -> Location {
        Location { uri: self.stored_uri(uri), metadata: self.parts.stores.noted(uri, Map::new()) }
    }

    fn stored_uri(&self, uri: &str) -> String {
        match &self.parts.cipher {
            None => uri.to_owned(),
            Some(cipher) => cipher.encrypt(uri),
        }
    }
}
