//! In what uploads by v1 and by v2 differ; in all else they are the same.
//!
//! | | v1 (v1-api §13) | v2 (v2-images §8.1, v2-import-and-tasks §8) |
//! |---|---|---|
//! | an upload fails | the image is `killed`, for good | it is `queued` as if nothing had been, for another try |
//! | a process dies over it | the same | the same, as the journal says (`repeatable`) |
//! | the data | anything | what it says it is, if nothing is wrapped around it; its virtual size is noted |
//! | others hear of | the upload | each step, that the upload begins, and that the image is active |
//! | before it begins | the policy has been asked | so is here, with the image as its target; formats must be set |

use imgformat::{Accepted, Inspection};

use super::digest::Received;
use super::{Error, Images, Result};
use crate::model::{Api, Context, Image, ImageFields, ImageStatus};
use crate::notify::{Event, Priority};

/// Data that is a disk image and nothing else.
const BARE: &str = "bare";

/// What an upload that came to nothing makes of the image.
pub(super) fn after_failure(api: Api) -> ImageFields {
    match api {
        Api::V1 => ImageFields { status: Some(ImageStatus::Killed), ..ImageFields::default() },
        Api::V2 => ImageFields {
            status: Some(ImageStatus::Queued),
            size: Some(None),
            virtual_size: Some(None),
            checksum: Some(None),
            os_hash_algo: Some(None),
            os_hash_value: Some(None),
            ..ImageFields::default()
        },
    }
}

/// What looks at the data of this image as it arrives, if anything does.
pub(super) fn inspection(api: Api, image: &Image) -> Option<Inspection> {
    (api == Api::V2 && image.container_format.as_deref() == Some(BARE)).then(Inspection::new)
}

/// Refuses an image that is to have data and does not say of what formats.
pub(super) fn check_formats(image: &Image) -> Result<()> {
    let formats = [("disk_format", &image.disk_format), ("container_format", &image.container_format)];
    let missing: Vec<_> = formats.into_iter().filter(|(_, format)| format.is_none()).map(|(name, _)| name).collect();
    if missing.is_empty() { Ok(()) } else { Err(Error::NoFormats(missing)) }
}

impl Images {
    /// Whether the data is what the image says, if somebody looked; the virtual size it has then.
    pub(super) fn judge(&self, image: &Image, got: &Received) -> Result<Option<u64>> {
        let Some(inspected) = &got.inspected else { return Ok(None) };
        let disk_format = image.disk_format.as_deref().unwrap_or_default();
        let Accepted { virtual_size, overlooked } =
            inspected.judge(disk_format, &self.parts.settings.format_rules).map_err(Error::Refused)?;
        if let Some(refusal) = overlooked {
            tracing::warn!("image {} is kept although its data is not as it should be: {refusal}", image.id);
        }
        Ok(virtual_size)
    }

    /// The data of this image is about to come.
    pub(super) fn tell_begin(&self, ctx: &Context, image: &Image) {
        if ctx.api == Api::V2 {
            self.tell_change(ctx, image);
            self.parts.notifier.image(Event::Prepare, Priority::Info, image);
        }
    }

    /// What became of the data of this image.
    pub(super) fn tell_end(&self, ctx: &Context, image: &Image, outcome: &Result<Image>) {
        let notifier = &self.parts.notifier;
        match (outcome, ctx.api) {
            (Err(error), _) => notifier.failure(Event::Upload, &error.to_string()),
            (Ok(_), Api::V1) => notifier.image(Event::Upload, Priority::Info, image),
            (Ok(active), Api::V2) => {
                notifier.image(Event::Upload, Priority::Info, active);
                notifier.image(Event::Activate, Priority::Info, active);
                self.tell_change(ctx, active);
            }
        }
    }
}
