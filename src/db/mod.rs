//! The metadata seam: image records and memberships, behind one trait with two sides.
//!
//! [`sql`] keeps them in Glance's own tables; [`registry`] asks a v1 registry server, which owns the database.
//! Visibility and ownership are judged here, next to the rows, so that both sides agree
//! and no caller can forget it. Nothing here knows the image API or the stores.

pub(crate) mod registry;
pub(crate) mod sql;

use async_trait::async_trait;

use crate::model::{
    Context, Image, ImageFields, ImageId, ImageQuery, ImageStatus, InvalidFields, Listing, Location, Member,
    MemberStatus, Membership, Resource, Sharing,
};

/// Why a metadata operation did not happen. The texts are v1's (v1-api §6).
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    /// Unknown, deleted, or not visible to the caller.
    #[error("An object with the specified identifier was not found.{}", details(.0))]
    NotFound(String),
    /// Visible, but not the caller's to change.
    #[error("You are not authorized to complete this action.{}", details(.0))]
    Forbidden(String),
    /// The request breaks a rule; the text names the field.
    #[error("Data supplied was not valid.{}", details(.0))]
    Invalid(String),
    /// The id is taken.
    #[error("An object with the same identifier already exists.{}", details(.0))]
    Duplicate(String),
    /// The image was not in the status that the change started from.
    #[error("The image is in another state.{}", details(.0))]
    Conflict(String),
    /// An image would have more of something than it may.
    #[error("More than allowed. Attempted: {attempted}, Maximum: {quota}")]
    TooMany { attempted: usize, quota: usize },
    /// The database or the registry cannot be asked now.
    #[error("There was an error connecting to a server{}", details(.0))]
    Unavailable(String),
    /// A fault of ours or of the rows.
    #[error("metadata fault: {0}")]
    Internal(String),
}

impl Error {
    /// The same with more to it, if it is about the database itself.
    fn with(self, more: &str) -> Self {
        match self {
            Self::Unavailable(reason) => Self::Unavailable(reason + more),
            Self::Internal(reason) => Self::Internal(reason + more),
            other => other,
        }
    }
}

fn details(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\nDetails: {text}") }
}

impl From<InvalidFields> for Error {
    fn from(invalid: InvalidFields) -> Self {
        Self::Invalid(invalid.to_string())
    }
}

/// What a metadata operation yields.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// How [`Metadata::image_update`] treats what it finds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct UpdateMode {
    /// Remove the properties that the update does not name.
    pub(crate) purge_props: bool,
    /// Compare-and-set: change the row only while the image is in this status, else [`Error::Conflict`].
    pub(crate) from_status: Option<ImageStatus>,
}

/// A step of an image's life, by compare-and-set: it is made only from `from`, else [`Error::Conflict`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) from: ImageStatus,
    pub(crate) to: ImageStatus,
}

/// Image records and memberships.
///
/// Every operation judges the caller's rights (`model::rights`): what the caller cannot see is
/// [`Error::NotFound`]; what it sees but may not change is [`Error::Forbidden`].
#[async_trait]
pub(crate) trait Metadata: Send + Sync + std::fmt::Debug {
    /// One image. v1's admins also find deleted ones.
    async fn image_get(&self, ctx: &Context, id: &ImageId) -> Result<Image>;

    /// A page of the images that the caller may list (v1-api §9).
    async fn image_find(&self, ctx: &Context, query: &ImageQuery) -> Result<Vec<Image>>;

    /// A page of the images that the caller may list, by v2's rules (v2-images §6.3). [`Error::Invalid`] for a marker that
    /// is no image of these.
    async fn image_list(&self, ctx: &Context, listing: &Listing) -> Result<Vec<Image>>;

    /// Adds an image. Missing: status `queued`, owner the caller's, a random id. Only admins set another owner.
    async fn image_insert(&self, ctx: &Context, fields: ImageFields) -> Result<Image>;

    /// Changes an image; the owner only for admins (others' wish is dropped silently, v1-api §11).
    async fn image_update(&self, ctx: &Context, id: &ImageId, fields: ImageFields, mode: UpdateMode) -> Result<Image>;

    /// As [`Metadata::image_update`], but only while the image's data is still at `held`, else [`Error::Conflict`].
    async fn image_relocate(
        &self,
        ctx: &Context,
        id: &ImageId,
        held: &[Location],
        fields: ImageFields,
        mode: UpdateMode,
    ) -> Result<Image>;

    /// Adds a tag; the image as it is then, or `None` if it has that tag already. [`Error::TooMany`] if it may not have
    /// one more than it has.
    async fn tag_add(&self, ctx: &Context, id: &ImageId, tag: &str, quota: Option<usize>) -> Result<Option<Image>>;

    /// Removes a tag; the image as it is then. [`Error::NotFound`] when there is no such tag.
    async fn tag_remove(&self, ctx: &Context, id: &ImageId, tag: &str) -> Result<Image>;

    /// Marks the image, its properties and memberships deleted, and makes `step` at the same time; `None` leaves the
    /// status as it is. Of an image that is deleted already, only the step from `pending_delete` is possible. A protected
    /// image does not take a step that ends its life: [`Error::Conflict`].
    async fn image_delete(&self, ctx: &Context, id: &ImageId, step: Option<Step>) -> Result<()>;

    /// Makes an image active again that waits for its data to be removed, with the locations of that; what else belonged
    /// to it stays deleted. [`Error::Conflict`] in any other status.
    async fn image_restore(&self, ctx: &Context, id: &ImageId) -> Result<()>;

    /// Live memberships of a visible image.
    async fn members(&self, ctx: &Context, id: &ImageId) -> Result<Vec<Member>>;

    /// Sets the memberships to just these.
    async fn members_replace(&self, ctx: &Context, id: &ImageId, members: &[Membership]) -> Result<()>;

    /// Adds or changes one membership.
    async fn member_put(&self, ctx: &Context, id: &ImageId, member: &Membership) -> Result<()>;

    /// Removes one membership; [`Error::NotFound`] when there is none.
    async fn member_delete(&self, ctx: &Context, id: &ImageId, member: &str) -> Result<()>;

    /// Live memberships of a visible image, oldest first: all for its owner and for admins, only their own for others.
    async fn sharings(&self, ctx: &Context, id: &ImageId) -> Result<Vec<Sharing>>;

    /// Shares the image with one more, who has not answered yet. [`Error::Duplicate`] if it is a member already, and before
    /// that [`Error::TooMany`] if the image may not have one more than it has.
    async fn sharing_add(&self, ctx: &Context, id: &ImageId, member: &str, quota: Option<usize>) -> Result<Sharing>;

    /// Sets what a member says to the image; [`Error::NotFound`] when it is none. Whoever sees the image may, as far as the
    /// record is concerned: members answer for themselves, and who else may is the policy's to say.
    async fn sharing_answer(&self, ctx: &Context, id: &ImageId, member: &str, status: MemberStatus) -> Result<Sharing>;

    /// Ends a membership; [`Error::NotFound`] when there is none.
    async fn sharing_end(&self, ctx: &Context, id: &ImageId, member: &str) -> Result<()>;

    /// Bytes that the images of an owner take, whoever asks: each as often as it is stored, and what is staged.
    async fn storage_used(&self, owner: &str) -> Result<u64>;

    /// What the images of an owner take of a resource, in its unit, whoever asks.
    async fn usage(&self, owner: &str, resource: Resource) -> Result<u64>;

    /// Live memberships of `member`, newest first.
    async fn shared_images(&self, ctx: &Context, member: &str) -> Result<Vec<Member>>;
}
