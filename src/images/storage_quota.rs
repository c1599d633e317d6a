//! Room for an owner's data (`user_storage_quota`, policy-and-auth §8.1).
//!
//! What is stored is in the metadata; what uploads of this server are bringing is in an account of the owner. Both are looked
//! at together whenever an upload begins or ends, so that two uploads never take the same room.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::{StreamExt, stream};
use tokio::sync::Mutex as Turn;

use super::{Error, Images, Result};
use crate::model::{ByteStream, Context, Resource, mebibytes};

/// The accounts of owners for whom something is on its way.
#[derive(Debug, Clone, Default)]
pub(super) struct Accounts(Arc<Mutex<HashMap<String, Weak<Account>>>>);

#[derive(Debug, Default)]
struct Account {
    /// Uploads begin and end one after the other.
    turn: Turn<()>,
    bytes: Mutex<Bytes>,
}

#[derive(Debug, Default)]
struct Bytes {
    /// As the metadata had it last, and what has been added since.
    stored: u64,
    underway: u64,
}

/// Room that an upload has taken; dropped, it is free again.
#[derive(Debug)]
pub(super) struct Room {
    account: Arc<Account>,
    quota: u64,
    taken: Mutex<u64>,
}

/// Marks the error of a stream for which there is no more room.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no room for {size} bytes")]
pub(super) struct Overfull {
    /// So far.
    pub(super) size: u64,
    pub(super) remaining: u64,
}

impl Accounts {
    fn of(&self, owner: &str) -> Arc<Account> {
        let mut accounts = lock(&self.0);
        if let Some(account) = accounts.get(owner).and_then(Weak::upgrade) {
            return account;
        }
        accounts.retain(|_, account| account.strong_count() > 0);
        let account = Arc::new(Account::default());
        accounts.insert(owner.to_owned(), Arc::downgrade(&account));
        account
    }
}

impl Images {
    /// Room for data of this owner, as much as is announced; `None`: there is no quota. Without an announcement it is taken as
    /// the data comes, if there is any left.
    ///
    /// Where Keystone keeps limits, the one of `resource` for the caller's project counts instead (`limits.rs`).
    pub(super) async fn take_room(
        &self,
        ctx: &Context,
        owner: Option<&str>,
        announced: Option<u64>,
        resource: Resource,
    ) -> Result<Option<Arc<Room>>> {
        if self.parts.limits.is_some() {
            self.check_limit(ctx, resource, mebibytes(announced.unwrap_or(0))).await?;
            return Ok(None);
        }
        let (Some(quota), Some(owner)) = (self.parts.settings.storage_quota, owner) else { return Ok(None) };
        let account = self.background.accounts.of(owner);
        let turn = account.turn.lock().await;
        let stored = self.parts.metadata.storage_used(owner).await.map_err(Error::List)?;
        let taken = announced.unwrap_or(0);
        {
            let mut bytes = lock(&account.bytes);
            bytes.stored = stored;
            let remaining = quota.saturating_sub(stored).saturating_sub(bytes.underway);
            if taken > remaining || remaining == 0 && announced != Some(0) {
                return Err(Error::StorageQuota { size: announced, remaining });
            }
            bytes.underway += taken;
        }
        drop(turn);
        Ok(Some(Arc::new(Room { account, quota, taken: Mutex::new(taken) })))
    }
}

impl Room {
    /// Cuts `data` with [`Overfull`] before the block for which there is no room.
    pub(super) fn metered(self: &Arc<Self>, data: ByteStream) -> ByteStream {
        let room = Arc::clone(self);
        Box::pin(stream::try_unfold((data, room, 0_u64), |(mut data, room, seen)| async move {
            let Some(block) = data.next().await.transpose()? else { return Ok(None) };
            let seen = seen + block.len() as u64;
            room.extend_to(seen).map_err(io::Error::other)?;
            Ok(Some((block, (data, room, seen))))
        }))
    }

    fn extend_to(&self, size: u64) -> std::result::Result<(), Overfull> {
        let mut taken = lock(&self.taken);
        let more = size.saturating_sub(*taken);
        if more > 0 {
            let mut bytes = lock(&self.account.bytes);
            let remaining = self.quota.saturating_sub(bytes.stored).saturating_sub(bytes.underway);
            if more > remaining {
                return Err(Overfull { size, remaining: remaining + *taken });
            }
            bytes.underway += more;
            *taken = size;
        }
        Ok(())
    }

    /// Takes over what another room of the same owner has taken.
    pub(super) fn join(&self, other: &Self) {
        let more = std::mem::take(&mut *lock(&other.taken));
        *lock(&self.taken) += more;
    }

    /// What the room was taken for is recorded.
    fn kept(&self) {
        let taken = std::mem::take(&mut *lock(&self.taken));
        let mut bytes = lock(&self.account.bytes);
        bytes.underway = bytes.underway.saturating_sub(taken);
        bytes.stored = bytes.stored.saturating_add(taken);
    }
}

/// Lets `saving` record the data for which `room` was taken; from then on it is stored. Nobody looks at the account meanwhile.
pub(super) async fn recorded<T, E>(
    room: Option<&Room>,
    saving: impl Future<Output = std::result::Result<T, E>>,
) -> std::result::Result<T, E> {
    let Some(room) = room else { return saving.await };
    let _turn = room.account.turn.lock().await;
    let saved = saving.await?;
    room.kept();
    Ok(saved)
}

impl Drop for Room {
    fn drop(&mut self) {
        let taken = *lock(&self.taken);
        let mut bytes = lock(&self.account.bytes);
        bytes.underway = bytes.underway.saturating_sub(taken);
    }
}

/// Numbers are never left half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
