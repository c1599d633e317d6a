//! Staging: data is put aside on this node for an import, and the image waits in `uploading` (v2-import-and-tasks §2).
//!
//! The directory is a file store of its own, which is opened anew each time: it may have been mended meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use super::journal::Work;
use super::reservation::{Reservation, not_queued};
use super::storage_quota::{Room, recorded};
use super::{Error, Images, Result};
use crate::db;
use crate::model::{ByteStream, Context, Image, ImageFields, ImageId, ImageStatus, Resource};
use crate::store::{Store, filesystem};

/// Names the server that has an image's staged data; nobody is shown it.
const STAGE_HOST: &str = "os_glance_stage_host";

impl Images {
    /// Stages data for a queued image; `length` is what is announced. On a failure the image is `queued` again, and nothing
    /// is left.
    pub(crate) async fn stage(&self, ctx: &Context, id: &ImageId, data: ByteStream, length: Option<u64>) -> Result<()> {
        if ctx.read_only {
            return Err(Error::ReadOnly);
        }
        let image = self.lookup(ctx, id).await?;
        self.parts.policy.enforce_on(ctx, "modify_image", &image).await?;
        let image = self.mended(ctx, image).await?;
        if image.status != ImageStatus::Queued {
            return Err(not_queued(&image, ImageStatus::Uploading));
        }
        self.check_size_cap(length)?;
        let room = self.take_room(ctx, image.owner.as_deref(), length, Resource::StageTotal).await?;
        let data = match &room {
            Some(room) => room.metered(data),
            None => data,
        };
        let (images, owner, queued) = (self.clone(), ctx.clone(), image.clone());
        let staged =
            self.guarded(ctx, &image, async move { images.stage_now(&owner, &queued, data, length, room).await });
        staged.await.map(drop)
    }

    async fn stage_now(
        &self,
        ctx: &Context,
        image: &Image,
        data: ByteStream,
        length: Option<u64>,
        room: Option<Arc<Room>>,
    ) -> Result<Image> {
        let store = self.staging().await;
        // A size is that of staged data from now on.
        let status = Some(ImageStatus::Uploading);
        let fields = ImageFields { status, size: Some(None), ..ImageFields::default() };
        let mut reserved = self.reserve(ctx, image, &*store, Work::Stage, fields).await?;
        self.tell_change(ctx, &reserved.image);
        let outcome = match self.check_limit(&reserved.authority, Resource::CountUploading, 0).await {
            Ok(()) => self.store_all(&reserved.image, &*store, data, length, None).await,
            Err(error) => Err(error),
        };
        let outcome = match outcome {
            Ok(added) => {
                let host = self.parts.settings.stage_host.clone();
                let properties = host.map(|host| [(STAGE_HOST.to_owned(), Some(host))].into());
                let fields = ImageFields { status, size: Some(Some(added.size)), properties, ..ImageFields::default() };
                recorded(room.as_deref(), self.complete(&mut reserved, &*store, &added, fields)).await
            }
            Err(error @ Error::GoneMeanwhile(_)) => Err(error),
            Err(error) => {
                self.release(&mut reserved).await;
                Err(error)
            }
        };
        let Reservation { entry, .. } = reserved;
        entry.settle().await;
        if let Ok(staged) = &outcome {
            self.tell_change(ctx, staged);
        }
        outcome
    }

    /// The directory as a store.
    async fn staging(&self) -> Arc<dyn Store> {
        let datadir = Some(self.parts.settings.staging_dir.clone());
        let settings = filesystem::Settings { datadir, ..filesystem::Settings::default() };
        let opened = tokio::task::spawn_blocking(move || filesystem::Filesystem::open(&settings)).await;
        // Without a directory it refuses whatever is brought.
        Arc::new(opened.unwrap_or_else(|_| filesystem::Filesystem::open(&filesystem::Settings::default())))
    }

    /// Removes the staged data of an image that wants none any more, if this node has any.
    pub(super) async fn unstage(&self, id: &ImageId) {
        let path = self.parts.settings.staging_dir.join(id.as_str());
        if let Err(error) =
            tokio::task::spawn_blocking(move || remove(&path)).await.unwrap_or_else(|lost| Err(lost.into()))
        {
            tracing::warn!("Unable to remove the staged data of image {id}: {error}");
        }
    }

    /// Removes staged data of images that are no more, in the background. What is not named for an image is left alone.
    pub(crate) fn sweep_staging(&self, ctx: Context) {
        let images = self.clone();
        // Not one of the tasks that a stopping server waits for: the next start goes on.
        tokio::spawn(async move {
            let dir = images.parts.settings.staging_dir.clone();
            let listed = tokio::task::spawn_blocking(move || list(&dir)).await.unwrap_or_else(|lost| Err(lost.into()));
            let names = listed.unwrap_or_else(|error| {
                tracing::warn!("the staging directory cannot be listed, so no orphans are removed: {error}");
                Vec::new()
            });
            for name in names {
                images.sweep(&ctx, name).await;
            }
        });
    }

    async fn sweep(&self, ctx: &Context, name: String) {
        let Some(id) = name.split('.').next().and_then(ImageId::parse) else { return };
        let gone = match self.parts.metadata.image_get(ctx, &id).await {
            Ok(image) => image.deleted,
            Err(db::Error::NotFound(_)) => true,
            Err(error) => {
                tracing::warn!("staged data of image {id} stays for now: {error}");
                false
            }
        };
        let path = self.parts.settings.staging_dir.join(&name);
        if !gone {
            return;
        }
        match tokio::task::spawn_blocking(move || remove(&path)).await.unwrap_or_else(|lost| Err(lost.into())) {
            Ok(()) => tracing::info!("removed {name} from the staging directory: its image is no more"),
            Err(error) => tracing::warn!("Unable to remove {name} from the staging directory: {error}"),
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The names of the files in a directory, which need not exist.
fn list(dir: &Path) -> io::Result<Vec<String>> {
    let listing = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing?,
    };
    let files = listing.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    Ok(files.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}
