//! Request ids: every answer has one, under which the log is searched (operations §6).

use http::{HeaderMap, HeaderName, StatusCode};
use uuid::Uuid;

use crate::api::error::ApiError;

/// In requests and answers.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-openstack-request-id");
/// What every id begins with.
const PREFIX: &str = "req-";

/// The id that the client names, or a new one; one of the client's with more than `longest` characters (`None`: any number)
/// is a refusal.
pub(super) fn of(headers: &HeaderMap, longest: Option<usize>) -> (String, Result<(), ApiError>) {
    let fresh = || format!("{PREFIX}{}", Uuid::new_v4());
    let named = headers.get(&HEADER).and_then(|value| value.to_str().ok()).map(str::trim).filter(|id| !id.is_empty());
    match named {
        None => (fresh(), Ok(())),
        Some(id) if longest.is_some_and(|longest| id.len() > longest) => {
            let longest = longest.unwrap_or_default();
            let text = format!("The request id is longer than {longest} characters (max_request_id_length)");
            (fresh(), Err(ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "").explained(text)))
        }
        Some(id) if id.starts_with(PREFIX) => (id.to_owned(), Ok(())),
        Some(id) => (format!("{PREFIX}{id}"), Ok(())),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{HEADER, of};

    fn ask(id: &str) -> (String, bool) {
        let (id, acceptable) = of(&HeaderMap::from_iter([(HEADER, HeaderValue::from_str(id).unwrap())]), Some(64));
        (id, acceptable.is_ok())
    }

    #[test]
    fn the_clients_id_is_kept_if_it_is_short() {
        assert_eq!(ask("req-1"), ("req-1".to_owned(), true));
        assert_eq!(ask("abc"), ("req-abc".to_owned(), true));
        assert!(of(&HeaderMap::new(), Some(64)).0.starts_with("req-"));
        assert!(ask(&"x".repeat(64)).1);
        assert!(!ask(&"x".repeat(65)).1);
    }
}
