//! Cleaning up after processes that died, and after what could not be cleaned up at once: round after round through the
//! journal, at the start and for as long as the server runs.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Images;
use super::journal::{self, Abandoned, Said};
use super::leftovers::Failure;
use crate::model::{Api, Context, Image, ImageId, ImageStatus};

/// The start waits this long for the first round: metadata that cannot be reached must not keep images from anybody.
const START_WAIT: Duration = Duration::from_secs(3);
/// Pause before the second round, if that may help; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Pause where nothing is expected: what other servers leave, and what could not be removed, can wait.
const QUIET_PAUSE: Duration = Duration::from_secs(600);

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
            let ended = images.background.ended.clone();
            ended.run_until_cancelled(images.recover_again_and_again(&ctx, first_round)).await;
        });
        // The sender is dropped, whatever becomes of the round; or it takes too long.
        let _ = tokio::time::timeout(START_WAIT, first_done).await;
    }

    async fn recover_again_and_again(&self, ctx: &Context, first_round: oneshot::Sender<()>) {
        let mut first_round = Some(first_round);
        let mut left_alone = HashSet::new();
        let mut pause = FIRST_PAUSE;
        loop {
            let again = self.recover_all(ctx, &mut left_alone).await;
            first_round.take();
            if again {
                tokio::time::sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
            } else {
                tokio::time::sleep(QUIET_PAUSE).await;
                pause = FIRST_PAUSE;
            }
        }
    }

    /// One round; whether another one is worth while. Entries that newer releases understand are told of once, and then
    /// known by `left_alone`.
    async fn recover_all(&self, ctx: &Context, left_alone: &mut HashSet<PathBuf>) -> bool {
        let entries = match journal::entries(&self.parts.settings.upload_journal_dir).await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::error!("upload_journal_dir cannot be read: {error}");
                return false;
            }
        };
        let mut again = false;
        for (id, path) in entries {
            if left_alone.contains(&path) {
                continue;
            }
            match self.recover_entry(ctx, &id, path.clone()).await {
                Ok(()) => {}
                Err(Failure::Unknown) => {
                    let name = path.display();
                    tracing::warn!("{name} is of a kind that this release does not know; it is left to a newer one");
                    left_alone.insert(path);
                }
                Err(failure) => {
                    tracing::error!("what was left of the work on image {id} stays for now: {failure}");
                    again |= !matches!(failure, Failure::Lasting(_));
                    if matches!(failure, Failure::Unreachable(_)) {
                        return true;
                    }
                }
            }
        }
        again
    }

    /// What one entry says is done, and the entry gone, unless somebody works on it.
    async fn recover_entry(&self, ctx: &Context, id: &ImageId, path: PathBuf) -> Result<(), Failure> {
        let Some(claimed) = Abandoned::claim(path).await? else { return Ok(()) };
        match &claimed.said {
            Said::Work(note) => self.clean_up(ctx, id, note, &claimed).await?,
            Said::Nothing => {}
            Said::Unknown => return Err(Failure::Unknown),
        }
        claimed.settle().await;
        Ok(())
    }

    /// Cleans up what was left of the work on one image, as far as that can be done now.
    pub(super) async fn recover_now(&self, ctx: &Context, id: &ImageId) {
        // The image may be deleted, which v2 does not see.
        let ctx = Context { api: Api::V1, ..ctx.elevated() };
        let entries = journal::entries(&self.parts.settings.upload_journal_dir).await.unwrap_or_default();
        for (_, path) in entries.into_iter().filter(|(of, _)| of == id) {
            if let Err(failure) = self.recover_entry(&ctx, id, path).await {
                tracing::error!("what was left of the work on image {id} stays for now: {failure}");
            }
        }
    }

    /// An image that is to get data, as it is once that of a failed upload is gone which could not be removed before.
    pub(super) async fn mended(&self, ctx: &Context, image: Image) -> super::Result<Image> {
        if image.status != ImageStatus::Killed {
            return Ok(image);
        }
        self.recover_now(ctx, &image.id).await;
        self.lookup(ctx, &image.id).await
    }
}
