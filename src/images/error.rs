//! Why a use case did not do what was asked; the API turns each meaning into its own status and text.

use std::sync::Arc;

use imgformat::Refusal;

use super::{PlaceRefusal, SharingRefusal, WithdrawalRefusal};
use crate::cache;
use crate::db;
use crate::model::{ImageId, ImageStatus, Resource};
use crate::policy;
use crate::quota;
use crate::store;

/// What a use case yields.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Meanings that a caller acts on. The texts are those that clients know (v1-api §10–§13, v2-images §6–§9).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The policy file forbids it, or cannot be read.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// An anonymous caller wants to change something.
    #[error("Read-only access")]
    ReadOnly,
    /// Memberships need an owner identity.
    #[error("No authenticated user")]
    NoOwner,
    /// Reading one image's record failed.
    #[error("Image with identifier {id} not found")]
    Lookup { id: String, source: db::Error },
    /// Listing failed.
    #[error("{0}")]
    List(#[source] db::Error),
    /// The record of a new image was refused.
    #[error("Failed to reserve image. Got error: {source}")]
    Reserve { id: Option<ImageId>, source: db::Error },
    /// A change of the record was refused.
    #[error("Failed to update image metadata. Got error: {0}")]
    Update(#[source] db::Error),
    /// The record could not be marked deleted.
    #[error("Failed to find image to delete: {0}")]
    Delete(#[source] db::Error),
    /// A membership operation was refused.
    #[error("{0}")]
    Membership(#[source] db::Error),
    /// Protected images are not deleted.
    #[error("Image is protected")]
    Protected(ImageId),
    /// The policy does not let the caller create images of others.
    #[error("You are not permitted to create images owned by '{0}'")]
    ForeignOwner(String),
    /// Only admins give images away.
    #[error("Owner can't be updated by non admin.")]
    OwnerIsAdmins,
    /// What was to be added is there.
    #[error("Property {0} already present.")]
    PropertyPresent(String),
    /// What was to be replaced or removed is not there.
    #[error("Property {0} does not exist.")]
    NoProperty(String),
    /// Every image has this attribute.
    #[error("Property {0} may not be removed.")]
    NotRemovable(String),
    /// The service keeps such properties for itself.
    #[error("Attribute '{0}' is reserved.")]
    Reserved(String),
    /// A size that servers need is no such size.
    #[error("{}", out_of_range(.field, *.value))]
    OutOfRange { field: &'static str, value: i64 },
    /// What v2 says of members.
    #[error(transparent)]
    Sharing(#[from] SharingRefusal),
    /// What v2 says of locations.
    #[error(transparent)]
    Place(#[from] PlaceRefusal),
    /// The image is in a status in which it does not come to rest or to work.
    #[error("Not allowed to {action} image in status '{status}'")]
    NotForAction { action: &'static str, status: ImageStatus },
    /// The image has as many tags as it may have.
    #[error(
        "Image tag limit exceeded for image {id}: The limit has been exceeded on the number of allowed image tags. \
         Attempted: {attempted}, Maximum: {quota}:"
    )]
    TagQuota { id: ImageId, attempted: usize, quota: usize },
    /// Data that came in one format does not become another by saying so.
    #[error("Attribute {0} can be only replaced for a queued image.")]
    FormatIsFixed(&'static str),
    /// The data of an image in this status cannot be downloaded.
    #[error("Image {0} is not active")]
    NotActive(ImageId),
    /// Nobody but an admin gets the data of a deactivated image.
    #[error("The requested image has been deactivated. Image data download is forbidden.")]
    Deactivated,
    /// The image has no data yet.
    #[error("Image {0} has no data")]
    NoData(ImageId),
    /// Data was sent for an image that has some or is getting some: in status `is`, it cannot become `to`.
    #[error("Cannot upload to an unqueued image")]
    NotQueued { is: ImageStatus, to: ImageStatus },
    /// Nobody could use the data without these.
    #[error(
        "{} {} must be set prior to saving data.",
        if .0.len() == 1 { "Property" } else { "Properties" }, .0.join(", ")
    )]
    NoFormats(Vec<&'static str>),
    /// A location was named for an image that has data.
    #[error("Attempted to update Location field for an image not in queued status.")]
    LocationNotQueued,
    /// The image was deleted, or changed its status, while its data arrived.
    #[error("Image {0} was changed or deleted during the upload")]
    GoneMeanwhile(ImageId),
    /// No such store.
    #[error("Requested store {0} not available on this Glance server")]
    UnknownStore(String),
    /// A store that is preferred for a download is none.
    #[error("Store '{0}' is not configured.")]
    UnknownPreference(String),
    /// What v2 says of taking data from one of several stores.
    #[error(transparent)]
    Withdrawal(#[from] WithdrawalRefusal),
    /// A location that clients may not name, or that cannot be understood.
    #[error("{0}")]
    BadLocation(#[source] store::Error),
    /// The announced size is above `image_size_cap`.
    #[error("Denying attempt to upload image larger than {cap}. Supplied image size was {size}")]
    AnnouncedTooLarge { cap: u64, size: u64 },
    /// More bytes arrived than `image_size_cap` allows.
    #[error("Denying attempt to upload image larger than {0} bytes.")]
    TooLarge(u64),
    /// The owner of the image has no room for it; `size` is what is known of it.
    #[error(
        "Image exceeds the storage quota: The size of the data {} will exceed the limit. {remaining} bytes remaining.",
        .size.map_or("None".to_owned(), |size| size.to_string())
    )]
    StorageQuota { size: Option<u64>, remaining: u64 },
    /// The caller's project would take more of something than Keystone says.
    #[error(
        "The request returned a 413 Request Entity Too Large. This generally means that rate limiting or a quota \
         threshold was breached.\n\nThe response body:\nProject {project} is over a limit for [Resource {} is over limit \
         of {limit} due to current usage {usage} and delta {delta}]",
        .resource.name()
    )]
    OverLimit { project: String, resource: Resource, limit: u64, usage: u64, delta: u64 },
    /// Keystone does not say what the caller's project may take.
    #[error("limits cannot be checked: {0}")]
    Limits(#[source] quota::Error),
    /// A field of the request is not what arrived. `field` is `checksum` or `size`.
    #[error(
        "Supplied {field} ({supplied}) and {field} generated from uploaded image ({actual}) did not match. \
         Setting image status to 'killed'."
    )]
    Mismatch { field: &'static str, supplied: String, actual: String },
    /// The client's data ended early or broke off.
    #[error("Error uploading image: (IncompleteRead): {0}")]
    BrokenUpload(String),
    /// Other than the announced number of bytes arrived, or more than that at least.
    #[error("Error uploading image: (IncompleteRead): {arrived} bytes arrived instead of {announced}")]
    WrongLength { announced: u64, arrived: u64 },
    /// The data is not what its format says, or not safe to use.
    #[error("{0}")]
    Refused(#[source] Refusal),
    /// The store failed while writing.
    #[error("{0}")]
    Store(#[source] store::Error),
    /// The store failed while reading.
    #[error("{0}")]
    Read(#[source] Arc<store::Error>),
    /// The part that was asked for begins behind the end of the image.
    #[error(
        "Invalid start position in Range header. Start position MUST be in the inclusive range [0, {}].",
        i128::from(*.size) - 1
    )]
    RangeBeyondEnd { size: u64 },
    /// An image queued for the cache has no record.
    #[error("No metadata found for image '{id}'")]
    NoMetadata { id: ImageId, source: db::Error },
    /// Only active images are cached.
    #[error("Image '{0}' is not active. Not caching.")]
    NotCacheable(ImageId),
    /// The cache could not do what was asked of it.
    #[error("image cache: {0}")]
    Cache(#[source] cache::Error),
    /// The cache could not be opened when the server started.
    #[error("The image cache of this server cannot be used at present; its log tells why")]
    NoCache,
    /// Nothing is cached here.
    #[error("Caching via API is not supported at this site.")]
    NotCaching,
    /// Only the caches of an index that nodes have in common know of each other.
    #[error("Centralized caching is not enabled")]
    NoCommonCache,
    /// An image without data is wanted in the cache.
    #[error("Only images with status active can be targeted for queueing")]
    NotQueueable,
    /// An image queued for the cache did not come into it.
    #[error("Failed to cache image '{id}': {source}")]
    Prefetch { id: ImageId, source: cache::PrefetchError },
    /// The journal cannot be written: an upload that could leave an orphan is worse than a refused one.
    #[error("This server cannot take images at present; its log tells why")]
    NoJournal,
    /// More copies wait than this node takes.
    #[error("Too many images are waiting to be copied here; try again later")]
    Busy,
    /// More of something than a quota allows.
    #[error(
        "The limit has been exceeded on the number of allowed image {what}. Attempted: {attempted}, Maximum: {quota}"
    )]
    Quota { what: &'static str, attempted: usize, quota: usize },
    /// Our own code panicked on this image.
    #[error("the upload crashed: {0}")]
    Crashed(String),
    /// A stored location does not decrypt with the configured key.
    #[error("a stored location cannot be read; is metadata_encryption_key the one it was written with?")]
    UnreadableLocation,
}

fn out_of_range(field: &str, value: i64) -> String {
    match value {
        ..0 => format!("Invalid value '{value}' for parameter '{field}': Cannot be a negative value"),
        _ => format!("'{field}' value out of range, must not exceed {}.", i32::MAX),
    }
}

impl From<cache::FetchError> for Error {
    fn from(error: cache::FetchError) -> Self {
        match error {
            cache::FetchError::Store(source) => Self::Read(source),
            cache::FetchError::BeyondEnd { size } => Self::RangeBeyondEnd { size },
        }
    }
}
