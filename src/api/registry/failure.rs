//! Refusals that the registry's routes share.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::api::error::ApiError;
use crate::db::Error;
use crate::model::{Context, ImageId};

/// The answer to a failed operation, where a route has no other. Detail texts are passed on bare:
/// the client at the other end adds the words of its kind again.
pub(super) fn refused(error: Error) -> ApiError {
    match error {
        Error::NotFound(detail) => ApiError::not_found(detail),
        Error::Forbidden(detail) => ApiError::forbidden(detail),
        Error::Invalid(detail) => ApiError::bad_request(detail),
        error @ Error::TooMany { .. } => ApiError::too_large(error.to_string()),
        Error::Duplicate(detail) | Error::Conflict(detail) => ApiError::conflict(detail),
        Error::Unavailable(cause) => {
            tracing::error!("the metadata cannot be asked: {cause}");
            ApiError::unavailable("")
        }
        Error::Internal(cause) => {
            tracing::error!("metadata fault: {cause}");
            ApiError::internal()
        }
    }
}

/// The context of a caller that may change something: anonymous ones get 403.
pub(super) struct Writer(pub(super) Context);

impl<S: Send + Sync> FromRequestParts<S> for Writer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let ctx = parts.extensions.get::<Context>().ok_or_else(ApiError::internal)?;
        if ctx.read_only {
            return Err(ApiError::forbidden("Read-only access"));
        }
        Ok(Self(ctx.clone()))
    }
}

/// The id in a path. What is no id names no image: 404.
pub(super) fn image_id(text: &str) -> Result<ImageId, ApiError> {
    ImageId::parse(text).ok_or_else(|| ApiError::not_found(""))
}
