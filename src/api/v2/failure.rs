//! What a use case's error means to a v2 client (v2-images §6–§9).

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::api::error::ApiError;
use crate::db::Error as Metadata;
use crate::images::{Error, PlaceRefusal, SharingRefusal, WithdrawalRefusal};
use crate::policy;
use crate::store::Error as Store;

/// An answer that is not a success. A type of its own, as v1 answers the same errors otherwise.
#[derive(Debug)]
pub(super) struct Failure(ApiError);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(answer(error))
    }
}

/// The same, but an image that is not there is `missing`.
pub(super) fn missing(error: Error, missing: impl FnOnce(&str) -> String) -> Failure {
    match error {
        Error::Lookup { id, source: Metadata::NotFound(_) } => Failure(ApiError::not_found("").explained(missing(&id))),
        error => Failure::from(error),
    }
}

/// What calls about something of an image say where there is no such image.
pub(super) fn not_found(id: &str) -> String {
    format!("Image {id} not found.")
}

/// The explanation of a 415, which ends in a line of its own.
pub(super) fn unsupported(content_type: &str) -> String {
    format!("The request media type {content_type} is not supported by this server.")
}

fn answer(error: Error) -> ApiError {
    let text = error.to_string();
    let explained = |status| ApiError::new(status, "").explained(text.clone());
    match error {
        Error::Policy(policy::Error::Hidden) => ApiError::not_found(""),
        Error::ForeignOwner(_) | Error::OwnerIsAdmins | Error::NotRemovable(_) => ApiError::forbidden(text),
        Error::PropertyPresent(_) | Error::NoProperty(_) => ApiError::conflict(text),
        Error::Policy(policy::Error::Denied(_) | policy::Error::NotOwner) | Error::ReadOnly | Error::FormatIsFixed(_) | Error::Reserved(_) => {
            explained(StatusCode::FORBIDDEN)
        }
        Error::Sharing(refusal) => sharing(&refusal),
        Error::Place(refusal) => place(&refusal),
        Error::NotForAction { .. } => explained(StatusCode::FORBIDDEN),
        Error::Protected(id) => {
            ApiError::forbidden("").explained(format!("Image {id} is protected and cannot be deleted."))
        }
        Error::Lookup { id, source: Metadata::NotFound(_) } => {
            ApiError::not_found("").explained(format!("No image found with ID {id}"))
        }
        Error::Lookup { source, .. } | Error::List(source) | Error::Membership(source) => metadata(source),
        Error::Reserve { id, source: Metadata::Duplicate(_) } => {
            let id = id.map(|id| id.to_string()).unwrap_or_default();
            ApiError::conflict("").explained(format!("Image ID {id} already exists!"))
        }
        Error::Reserve { source, .. }
        | Error::Update(source)
        | Error::Delete(source)
        | Error::NoMetadata { source, .. } => metadata(source),
        Error::NotCaching => explained(StatusCode::NOT_FOUND),
        Error::NoCommonCache => explained(StatusCode::CONFLICT),
        Error::NotActive(_) | Error::NoData(_) => ApiError::not_found(""),
        Error::Deactivated => explained(StatusCode::FORBIDDEN),
        Error::NotQueued { is, to } => {
            ApiError::conflict("").explained(format!("Image status transition from {is} to {to} is not allowed"))
        }
        Error::GoneMeanwhile(id) => ApiError::new(StatusCode::GONE, "").explained(format!(
            "Image {id} could not be found after upload. The image may have been deleted during the upload, cleaning up \
             the chunks uploaded."
        )),
        Error::AnnouncedTooLarge { .. } | Error::TooLarge(_) => {
            ApiError::too_large("").explained(format!("The incoming image is too large: {text}"))
        }
        Error::StorageQuota { .. } | Error::OverLimit { .. } | Error::Quota { .. } | Error::TagQuota { .. } => explained(StatusCode::PAYLOAD_TOO_LARGE),
        Error::Refused(_) => explained(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        Error::RangeBeyondEnd { .. } => ApiError::range_not_satisfiable(text),
        Error::NoCache | Error::NoJournal | Error::Busy => explained(StatusCode::SERVICE_UNAVAILABLE),
        Error::UnknownStore(id) => {
            ApiError::bad_request("").explained(format!("Store for identifier {id} not found"))
        }
        Error::Withdrawal(refusal) => withdrawal(&refusal),
        Error::OutOfRange { .. }
        | Error::BadLocation(_)
        | Error::UnknownPreference(_)
        | Error::WrongLength { .. }
        | Error::NoFormats(_)
        | Error::Mismatch { .. }
        | Error::BrokenUpload(_)
        | Error::LocationNotQueued
        | Error::NoOwner
        | Error::NotQueueable
        | Error::NotCacheable(_) => explained(StatusCode::BAD_REQUEST),
        Error::Limits(source) if source.may_pass() => {
            tracing::error!("{text}");
            ApiError::unavailable("").explained("The limits of this project cannot be checked at present.")
        }
        Error::Store(source) => upload(&source),
        Error::Read(source) => read(&source),
        Error::Policy(policy::Error::Unreadable(_))
        | Error::UnreadableLocation
        | Error::Limits(_)
        | Error::Cache(_)
        | Error::Crashed(_)
        | Error::Prefetch { .. } => internal(&text),
    }
}

fn sharing(refusal: &SharingRefusal) -> ApiError {
    let status = match refusal {
        SharingRefusal::NotShared { .. } => StatusCode::FORBIDDEN,
        SharingRefusal::NoneShown | SharingRefusal::NoMember { .. } => StatusCode::NOT_FOUND,
        SharingRefusal::Duplicate { .. } => StatusCode::CONFLICT,
        SharingRefusal::Quota { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        SharingRefusal::UnknownStatus => StatusCode::BAD_REQUEST,
    };
    ApiError::new(status, "").explained(refusal.to_string())
}

fn withdrawal(refusal: &WithdrawalRefusal) -> ApiError {
    let status = match refusal {
        WithdrawalRefusal::UnknownStore(_) | WithdrawalRefusal::NotActive => StatusCode::CONFLICT,
        WithdrawalRefusal::OnlyStore => StatusCode::FORBIDDEN,
        WithdrawalRefusal::NotThere { .. } => StatusCode::NOT_FOUND,
    };
    ApiError::new(status, "").explained(refusal.to_string())
}

fn place(refusal: &PlaceRefusal) -> ApiError {
    let explained = |status| ApiError::new(status, "").explained(refusal.to_string());
    match refusal {
        PlaceRefusal::NoneLeft | PlaceRefusal::LastOne => ApiError::forbidden(refusal.to_string()),
        PlaceRefusal::Invisible(_) | PlaceRefusal::NotHttp => explained(StatusCode::FORBIDDEN),
        PlaceRefusal::Position(_)
        | PlaceRefusal::NotEmpty(_)
        | PlaceRefusal::Invalid
        | PlaceRefusal::Metadata
        | PlaceRefusal::Twice(_) => explained(StatusCode::BAD_REQUEST),
        PlaceRefusal::Status { .. }
        | PlaceRefusal::Conflicting(_)
        | PlaceRefusal::AlreadySet(_)
        | PlaceRefusal::TooLate(_)
        | PlaceRefusal::OtherData { .. }
        | PlaceRefusal::Algorithm { .. }
        | PlaceRefusal::NotHex { .. }
        | PlaceRefusal::DigestSize { .. } => explained(StatusCode::CONFLICT),
    }
}

fn metadata(source: Metadata) -> ApiError {
    let text = source.to_string();
    match source {
        Metadata::NotFound(_) => ApiError::not_found(""),
        Metadata::Forbidden(detail) => ApiError::forbidden(detail),
        Metadata::TooMany { .. } => ApiError::too_large("").explained(text),
        Metadata::Invalid(detail) => ApiError::bad_request("").explained(detail),
        Metadata::Duplicate(detail) | Metadata::Conflict(detail) => ApiError::conflict("").explained(detail),
        Metadata::Unavailable(_) => {
            tracing::error!("{text}");
            ApiError::unavailable("").explained("The image metadata cannot be reached at present.")
        }
        Metadata::Internal(_) => internal(&text),
    }
}

fn upload(source: &Store) -> ApiError {
    let explained = |status, text: String| ApiError::new(status, "").explained(text);
    match source {
        Store::Duplicate(_) => {
            explained(StatusCode::CONFLICT, format!("Unable to upload duplicate image data: {source}"))
        }
        Store::Full => explained(StatusCode::PAYLOAD_TOO_LARGE, format!("Image storage media is full: {source}")),
        Store::WriteDenied => explained(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("Insufficient permissions on image storage media: {source}"),
        ),
        Store::AddDisabled | Store::Unsupported(_) => {
            explained(StatusCode::GONE, "Error in store configuration. Adding images to store is disabled.".to_owned())
        }
        _ => internal(&format!("upload failed: {source}")),
    }
}

fn read(source: &Store) -> ApiError {
    match source {
        Store::Unsupported(_) => ApiError::bad_request("").explained(source.to_string()),
        Store::Unavailable(_) | Store::BadLocation(_) => {
            tracing::error!("download failed: {source}");
            ApiError::unavailable("").explained("The store of this image cannot be reached at present.")
        }
        _ => internal(&format!("download failed: {source}")),
    }
}

/// The text is for the log, not for the client.
fn internal(text: &str) -> ApiError {
    tracing::error!("{text}");
    ApiError::internal()
}
