//! Where the client found us, for links.

use crate::model::ImageId;

/// Scheme and host under which the client reached us.
#[derive(Debug, Clone)]
pub(super) struct BaseUrl(pub(super) String);

impl BaseUrl {
    /// Where v1 finds an image again.
    pub(super) fn v1_image(&self, id: &ImageId) -> String {
        format!("{}/v1/images/{id}", self.0)
    }

    /// Where v2 finds an image again.
    pub(super) fn v2_image(&self, id: &ImageId) -> String {
        format!("{}/v2/images/{id}", self.0)
    }
}
