//! Cleaning up after processes that died: what their journal entries say is looked at in the light of the records.

use std::time::Duration;

use tokio::sync::oneshot;

use super::journal::{self, Abandoned, Work};
use super::{Error, Images};
use crate::db;
use crate::model::{Context, Image, ImageId, ImageStatus};
use ImageStatus::{Active, Deactivated, Deleted, Importing, Killed, PendingDelete, Queued, Saving, Uploading};

/// The start waits this long for the first round: metadata that cannot be reached must not keep images from anybody.
const START_WAIT: Duration = Duration::from_secs(3);
/// Pause before the second round; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why an entry stays.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The metadata cannot be asked now: nor can they for the next entry.
    #[error("{0}")]
    Unreachable(db::Error),
    /// Somebody is changing the image right now.
    #[error("another server works on the image")]
    Busy,
    /// Another try now would not help; the next start tries.
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
    /// Removes what dead processes have left of uploads and deletions, and makes the journal ready. For servers, before
    /// they serve. What cannot be cleaned up yet is tried again in the background.
    pub(crate) async fn recover(&self, ctx: Context) {
        let dir = &self.parts.settings.upload_journal_dir;
        if let Err(error) = journal::prepare(dir).await {
            let dir = dir.display();
            tracing::error!("upload_journal_dir {dir} cannot be used, so no upload will be taken: {error}");
            return;
        }
        let images = self.clone();
        let (first_round, first_done) = oneshot::channel::<()>();
        // Not one of the tasks that a stopping server waits for: it may be cut anywhere, the next start goes on.
        tokio::spawn(async move {
            let mut first_round = Some(first_round);
            let mut pause = FIRST_PAUSE;
            while images.recover_once(&ctx).await {
                first_round.take();
                tokio::time::sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        });
        // The sender is dropped, whatever becomes of the round; or it takes too long.
        let _ = tokio::time::timeout(START_WAIT, first_done).await;
    }

    /// One round; whether another one is worth while.
    async fn recover_once(&self, ctx: &Context) -> bool {
        let entries = match journal::entries(&self.parts.settings.upload_journal_dir).await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::error!("upload_journal_dir cannot be read: {error}");
                return false;
            }
        };
        let mut again = false;
        for (id, path) in entries {
            let claimed = match Abandoned::claim(path).await {
                Ok(Some(claimed)) => claimed,
                Ok(None) => continue,
                Err(error) => {
                    tracing::error!("an entry of the upload journal about image {id} cannot be read: {error}");
                    continue;
                }
            };
            match self.recover_image(ctx, &id, &claimed).await {
                Ok(()) => claimed.settle().await,
                Err(failure) => {
                    tracing::error!("what an interrupted server left of image {id} stays for now: {failure}");
                    again |= !matches!(failure, Failure::Lasting(_));
                    if matches!(failure, Failure::Unreachable(_)) {
                        return true;
                    }
                }
            }
        }
        again
    }

    async fn recover_image(&self, ctx: &Context, id: &ImageId, claimed: &Abandoned) -> Result<(), Failure> {
        // Died while it wrote the entry, before it began to work.
        let Some(note) = &claimed.note else { return Ok(()) };
        // One that is not found may merely not be ours to see, through a registry that takes us for somebody else.
        let image = self.parts.metadata.image_get(ctx, id).await?;
        let locations =
            note.locations.iter().map(|stored| self.plain_location(stored)).collect::<Result<Vec<_>, _>>()?;
        match (note.work, image.status) {
            // It died before it had the image, so it stored nothing; who has it now is not our business.
            (Work::Upload, Uploading | Importing) => Ok(()),
            (Work::Upload, Queued) if !note.repeatable => Ok(()),
            (Work::Stage, Queued | Saving | Importing | Active | Deactivated) => Ok(()),
            // Staged: all of it is there, and noted.
            (Work::Stage, Uploading) if image.size.is_some() => Ok(()),
            // A repeatable upload may have been given up while its data could not be removed.
            (Work::Upload, Queued | Saving) | (Work::Stage, Uploading) => {
                // If it died before it had the image, somebody else may be uploading.
                if journal::others_at_work(&self.parts.settings.upload_journal_dir, id, claimed).await? {
                    return Err(Failure::Busy);
                }
                // Nobody brings data for a killed image, so that what is removed is no new one's.
                self.set_status(ctx, &image, image.status, Killed).await?;
                self.undo_upload(ctx, &image, &locations, note.repeatable).await
            }
            (Work::Upload | Work::Stage, Killed) => self.undo_upload(ctx, &image, &locations, note.repeatable).await,
            (Work::Upload | Work::Remove, Active | Deactivated) => {
                let live = self.plain_locations(&image)?;
                let left: Vec<_> = locations.into_iter().filter(|uri| !live.contains(uri)).collect();
                self.remove_left(id, &left).await
            }
            // The record decides what becomes of the data, whoever was interrupted.
            (_, Deleted) => {
                self.finish_deletion(ctx, &image).await?;
                self.remove_left(id, &locations).await
            }
            (_, PendingDelete) => {
                self.finish_deletion(ctx, &image).await?;
                match self.queue_for_scrubber(id, &self.plain_locations(&image)?).await {
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

    /// Removes what an upload of a killed image left, and lets the image take data again if it may.
    async fn undo_upload(
        &self,
        ctx: &Context,
        image: &Image,
        uris: &[String],
        repeatable: bool,
    ) -> Result<(), Failure> {
        self.remove_left(&image.id, uris).await?;
        if repeatable {
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
    async fn remove_left(&self, id: &ImageId, uris: &[String]) -> Result<(), Failure> {
        match self.remove_data(id, uris).await {
            true => Ok(()),
            false => Err(Failure::Lasting("its data cannot be removed".to_owned())),
        }
    }
}
