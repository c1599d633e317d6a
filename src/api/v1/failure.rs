//! What a use case's error means to a v1 client (v1-api §10–§14, §17).

use crate::api::error::ApiError;
use crate::db::Error as Metadata;
use crate::images::Error;
use crate::policy;
use crate::store::Error as Store;

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::Policy(policy::Error::Hidden) => Self::not_found(""),
            Error::Policy(policy::Error::Denied(_) | policy::Error::NotOwner)
            | Error::ReadOnly
            | Error::Protected(_) => Self::forbidden(text),
            // What only v2 can ask for.
            Error::ForeignOwner(_)
            | Error::OwnerIsAdmins
            | Error::NotRemovable(_)
            | Error::FormatIsFixed(_)
            | Error::NotForAction { .. } => Self::forbidden(text),
            Error::Sharing(_)
            | Error::Place(_)
            | Error::Withdrawal(_)
            | Error::UnknownPreference(_)
            | Error::OutOfRange { .. } => Self::bad_request(text),
            Error::Reserved(_) => Self::forbidden(text),
            Error::PropertyPresent(_) | Error::NoProperty(_) => Self::conflict(text),
            Error::NoOwner => Self::unauthorized(text),
            Error::Lookup { source, .. } => lookup(text, source),
            Error::List(Metadata::Invalid(_)) => Self::bad_request("").explained(text),
            Error::List(source) | Error::NoMetadata { source, .. } => other(source),
            Error::Reserve { id, source } => match source {
                Metadata::Invalid(_) => Self::bad_request(text),
                Metadata::Duplicate(_) => Self::conflict(match id {
                    Some(id) => format!("An image with identifier {id} already exists"),
                    None => text,
                }),
                Metadata::Forbidden(_) => Self::forbidden("Not authorized to reserve image."),
                source => other(source),
            },
            Error::Update(source) => match source {
                Metadata::Invalid(_) => Self::bad_request(text),
                Metadata::Conflict(_) => Self::conflict(text),
                source => hidden("Failed to find image to update", source),
            },
            Error::Delete(source) => match source {
                Metadata::Conflict(_) => Self::conflict(text),
                source => hidden("Failed to find image to delete", source),
            },
            Error::Membership(source) => match source {
                // Visible but not sharable is a 404 as well [v1-api §14].
                Metadata::NotFound(_) | Metadata::Forbidden(_) => Self::not_found(source.to_string()),
                Metadata::Invalid(_) => Self::bad_request(source.to_string()),
                source => other(source),
            },
            Error::NotActive(_) | Error::NoData(_) => Self::not_found(text),
            Error::Deactivated => Self::forbidden(text),
            Error::NotQueued { .. } | Error::NoCommonCache => Self::conflict(text),
            Error::LocationNotQueued
            | Error::UnknownStore(_)
            | Error::BadLocation(_)
            | Error::AnnouncedTooLarge { .. }
            | Error::Mismatch { .. }
            | Error::BrokenUpload(_)
            | Error::WrongLength { .. }
            | Error::NoFormats(_)
            | Error::Refused(_)
            | Error::NotCacheable(_)
            | Error::NotQueueable => Self::bad_request(text),
            Error::RangeBeyondEnd { size } => Self::range_not_satisfiable(text).of_size(size),
            Error::NoCache | Error::NotCaching | Error::NoJournal | Error::Busy => Self::unavailable(text),
            Error::GoneMeanwhile(_) => Self::precondition_failed(text),
            Error::TooLarge(_)
            | Error::StorageQuota { .. }
            | Error::OverLimit { .. }
            | Error::Quota { .. }
            | Error::TagQuota { .. } => Self::too_large(text),
            Error::Limits(source) if source.may_pass() => {
                tracing::error!("{text}");
                Self::unavailable("The limits of this project cannot be checked at present.")
            }
            Error::Store(source) => upload(source),
            Error::Read(source) => read(&source),
            Error::Policy(policy::Error::Unreadable(_))
            | Error::UnreadableLocation
            | Error::Limits(_)
            | Error::Cache(_)
            | Error::Crashed(_)
            | Error::Prefetch { .. } => internal(&text),
        }
    }
}

fn lookup(text: String, source: Metadata) -> ApiError {
    match source {
        Metadata::NotFound(_) => ApiError::not_found(text),
        Metadata::Forbidden(_) => ApiError::forbidden("Unauthorized image access"),
        source => other(source),
    }
}

/// What is not the caller's to change does not exist for it: suites of 2012 assert 404 [v1-api §11, §12].
fn hidden(what: &str, source: Metadata) -> ApiError {
    match source {
        Metadata::NotFound(_) => ApiError::not_found(format!("{what}: {source}")),
        Metadata::Forbidden(_) => {
            ApiError::not_found(format!("{what}: {}", Metadata::NotFound("Image not found".to_owned())))
        }
        source => other(source),
    }
}

fn other(source: Metadata) -> ApiError {
    let text = source.to_string();
    match source {
        Metadata::Unavailable(_) => {
            tracing::error!("{text}");
            ApiError::unavailable("The image metadata cannot be reached at present.")
        }
        _ => internal(&text),
    }
}

fn upload(source: Store) -> ApiError {
    let text = source.to_string();
    match source {
        Store::Duplicate(_) => ApiError::conflict(format!("Attempt to upload duplicate image: {text}")),
        Store::Full => ApiError::too_large(format!("Image storage media is full: {text}")),
        Store::WriteDenied => ApiError::unavailable(format!("Insufficient permissions on image storage media: {text}")),
        Store::AddDisabled => ApiError::bad_request(format!("Error uploading image: (StoreAddDisabled): {text}")),
        Store::Unsupported(_) => ApiError::bad_request(format!("Error uploading image: (NotImplementedError): {text}")),
        source => {
            tracing::error!("upload failed: {source}");
            ApiError::bad_request("Error uploading image: (BackendException): the store failed")
        }
    }
}

fn read(source: &Store) -> ApiError {
    let text = source.to_string();
    match source {
        Store::NotFound(_) => {
            let base = "An object with the specified identifier was not found.";
            ApiError::not_found("").explained(format!("{base} Details: {text}"))
        }
        Store::Unavailable(_) | Store::BadLocation(_) => {
            tracing::error!("download failed: {text}");
            ApiError::unavailable("The store of this image cannot be reached at present.")
        }
        _ => internal(&text),
    }
}

/// The text is for the log, not for the client.
fn internal(text: &str) -> ApiError {
    tracing::error!("{text}");
    ApiError::internal()
}
