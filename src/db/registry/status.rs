//! What the registry's statuses mean at the metadata seam (v1-system §3).

use reqwest::StatusCode;

use crate::db::Error;

/// What was asked, where a status depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Insert,
    Change,
}

/// The error that a status other than success stands for; the registry's text becomes its detail.
pub(super) fn failure(operation: Operation, status: StatusCode, text: String) -> Error {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Error::Invalid(text),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::Forbidden(text),
        StatusCode::NOT_FOUND => Error::NotFound(text),
        StatusCode::CONFLICT if operation == Operation::Insert => Error::Duplicate(text),
        StatusCode::CONFLICT => Error::Conflict(text),
        StatusCode::SERVICE_UNAVAILABLE => Error::Unavailable("The registry is not available".to_owned()),
        status => Error::Internal(format!("the registry answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::{Operation, failure};
    use crate::db::Error;

    #[test]
    fn statuses_have_the_meanings_of_the_seam() {
        let failed = |operation, code| failure(operation, StatusCode::from_u16(code).unwrap(), "text".to_owned());
        assert!(matches!(failed(Operation::Insert, 400), Error::Invalid(text) if text == "text"));
        assert!(matches!(failed(Operation::Change, 401), Error::Forbidden(_)));
        assert!(matches!(failed(Operation::Change, 403), Error::Forbidden(_)));
        assert!(matches!(failed(Operation::Read, 404), Error::NotFound(_)));
        assert!(matches!(failed(Operation::Insert, 409), Error::Duplicate(_)));
        assert!(matches!(failed(Operation::Change, 409), Error::Conflict(_)));
        assert!(matches!(failed(Operation::Read, 503), Error::Unavailable(_)));
        for code in [300, 302, 500, 502] {
            assert!(matches!(failed(Operation::Read, code), Error::Internal(_)));
        }
    }
}
