//! What becomes of that which an entry of the journal says may be left: decided in the light of the record.

use super::journal::{self, Abandoned, Note, Work};
use super::{Error, Images};
use crate::db;
use crate::model::{Context, Image, ImageId, ImageStatus};
use crate::store::Address;
use ImageStatus::{Active, Deactivated, Deleted, Importing, Killed, PendingDelete, Queued, Saving, Uploading};

/// Why an entry stays.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The metadata cannot be asked now: nor can they for the next entry.
    #[error("{0}")]
    Unreachable(db::Error),
    /// Somebody is changing the image right now.
    #[error("another server works on the image")]
    Busy,
    /// Another release's.
    #[error("it is of a kind that this release does not know")]
    Unknown,
    /// Another try soon would not help.
    #[error("{0}")]
    Lasting(String),
}

impl From<db::Error> for Failure {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Unavailable(_) => Self::Unreachable(error),
            db::Error::Conflict(_) => Self::Busy,
            other => Self::Lasting(other.to_string()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NotQueued { .. } => Self::Busy,
            Error::Update(error) => error.into(),
            other => Self::Lasting(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Lasting(error.to_string())
    }
}

impl Images {
    /// Removes what `note`, that of `claimed`, names and the record does not hold, and lets the image take data again if it
    /// may.
    pub(super) async fn clean_up(
        &self,
        ctx: &Context,
        id: &ImageId,
        note: &Note,
        claimed: &Abandoned,
    ) -> Result<(), Failure> {
        // One that is not found may merely not be ours to see, through a registry that takes us for somebody else.
        let image = self.parts.metadata.image_get(ctx, id).await?;
        let address = |stored: &String| {
            let store = note.stores.get(stored).cloned();
            self.plain_location(stored).map(|uri| Address { uri, store })
        };
        let named = note.locations.iter().map(address).collect::<Result<Vec<_>, _>>()?;
        match (note.work, image.status) {
            // It died before it had the image, so it stored nothing; who has it now is not our business.
            (Work::Upload, Queued | Uploading | Importing) if !note.repeatable => Ok(()),
            // What was staged is being imported, or all of it is there and noted.
            (Work::Stage, Importing) => Ok(()),
            (Work::Stage, Uploading) if image.size.is_some() => Ok(()),
            // Somebody else's data comes, maybe to the same place. What becomes of the image shows what is left.
            (Work::Upload, Importing) | (Work::Stage, Saving) => Err(Failure::Busy),
            // It died before it had the image, or was done.
            (Work::Locate, Queued | Saving | Uploading | Active | Deactivated) => Ok(()),
            // It was given up while its data could not be removed, or died with the image or before it had it.
            (Work::Upload, Queued | Saving) | (Work::Stage, Queued | Uploading) | (Work::Locate, Importing) => {
                self.take(ctx, &image, claimed).await?;
                self.undo_upload(ctx, &image, &named, note.repeatable).await
            }
            (Work::Upload | Work::Stage | Work::Locate, Killed) => {
                self.undo_upload(ctx, &image, &named, note.repeatable).await
            }
            // Given up as well, and then other data was staged, which waits.
            (Work::Upload, Uploading) if image.size.is_some() => {
                self.take(ctx, &image, claimed).await?;
                self.remove_left(id, &named).await?;
                self.set_status(ctx, &image, Killed, Uploading).await?;
                Ok(())
            }
            (Work::Upload, Uploading) => Err(Failure::Busy),
            (Work::Upload | Work::Stage | Work::Remove, Active | Deactivated) => {
                self.remove_left(id, &unheld(named, &self.addresses(&image)?)).await
            }
            // The record decides what becomes of the data, whoever was interrupted.
            (_, Deleted) => {
                self.finish_deletion(ctx, &image).await?;
                self.remove_left(id, &named).await
            }
            (_, PendingDelete) => {
                let held = self.addresses(&image)?;
                self.finish_deletion(ctx, &image).await?;
                self.remove_left(id, &unheld(named, &held)).await?;
                match self.queue_for_scrubber(id, &held).await {
                    true => Ok(()),
                    false => Err(Failure::Lasting("it cannot be queued for the scrubber".to_owned())),
                }
            }
            // It died before it deleted the record: the image lives on.
            (Work::Delete, _) => Ok(()),
            // Only active images lose locations, so it died before it began.
            (Work::Remove, _) => Ok(()),
        }
    }

    /// Keeps everybody from bringing data for the image, so that what is removed is no new one's.
    async fn take(&self, ctx: &Context, image: &Image, claimed: &Abandoned) -> Result<(), Failure> {
        // If the work that `claimed` is about ended before it had the image, somebody else may be at work.
        if journal::others_at_work(&self.parts.settings.upload_journal_dir, &image.id, claimed).await? {
            return Err(Failure::Busy);
        }
        self.set_status(ctx, image, image.status, Killed).await?;
        Ok(())
    }

    /// Removes what an upload of a killed image left, and lets the image take data again if it may.
    async fn undo_upload(
        &self,
        ctx: &Context,
        image: &Image,
        places: &[Address],
        repeatable: bool,
    ) -> Result<(), Failure> {
        self.remove_left(&image.id, places).await?;
        if repeatable {
            // There may be staged data behind it, had the removal of other data been interrupted.
            self.unstage(&image.id).await;
            self.requeue(ctx, image).await?;
        }
        let now = if repeatable { Queued } else { Killed };
        tracing::info!("image {} is {now}: its upload was interrupted", image.id);
        Ok(())
    }

    /// Over a registry, deleting a record takes two requests: the second one, if it is missing.
    async fn finish_deletion(&self, ctx: &Context, image: &Image) -> Result<(), Failure> {
        if !image.deleted {
            self.parts.metadata.image_delete(ctx, &image.id, None).await?;
        }
        Ok(())
    }

    /// Removes data that no record holds.
    async fn remove_left(&self, id: &ImageId, places: &[Address]) -> Result<(), Failure> {
        match self.remove_data(id, places).await {
            true => Ok(()),
            false => Err(Failure::Lasting("its data cannot be removed".to_owned())),
        }
    }
}

/// Those of the named locations that the record does not hold.
fn unheld(named: Vec<Address>, held: &[Address]) -> Vec<Address> {
    named.into_iter().filter(|place| held.iter().all(|kept| kept.uri != place.uri)).collect()
}
