//! Bodies that set memberships, the same at the image API and the registry (v1-api §14).

use axum::body::Body;
use serde_json::Value;

use super::error::ApiError;
use super::json::read;
use crate::model::Membership;

/// Longest member id the database holds (database §3.1).
const MAX_MEMBER: usize = 255;

/// Reads `{"memberships": [{"member_id", "can_share"?}, …]}` or the bare list.
pub(crate) async fn memberships(body: Body) -> Result<Vec<Membership>, ApiError> {
    all(&read(body).await?.unwrap_or_default())
}

/// The membership that `PUT …/members/{member}` sets; its body is empty or `{"member": {"can_share"?}}`.
pub(crate) async fn membership(member: String, body: Body) -> Result<Membership, ApiError> {
    check_member(&member)?;
    let can_share = read(body).await?.map_or(Ok(None), |body| can_share(&body))?;
    Ok(Membership { member, can_share })
}

fn all(body: &Value) -> Result<Vec<Membership>, ApiError> {
    match body.get("memberships").unwrap_or(body) {
        Value::Array(list) => list.iter().map(entry).collect(),
        // Python took an object without the key for a list of one, so the complaint is about its member.
        single => entry(single).and(Err(malformed("'memberships' is not a list"))),
    }
}

fn can_share(body: &Value) -> Result<Option<bool>, ApiError> {
    let member = body.get("member").filter(|member| member.is_object()).ok_or_else(|| malformed("'member'"))?;
    share_flag(member)
}

fn check_member(member: &str) -> Result<(), ApiError> {
    if member.is_empty() || member.chars().count() > MAX_MEMBER {
        return Err(malformed(&format!("'member_id' must have 1 to {MAX_MEMBER} characters")));
    }
    if member.chars().any(char::is_control) {
        return Err(malformed("'member_id' contains control characters"));
    }
    // These two have another meaning in the path of a URL, so the registry could not be asked for them.
    if matches!(member, "." | "..") {
        return Err(malformed(&format!("'member_id' cannot be '{member}'")));
    }
    Ok(())
}

fn entry(value: &Value) -> Result<Membership, ApiError> {
    let member = value["member_id"].as_str().ok_or_else(|| malformed("'member_id'"))?;
    check_member(member)?;
    Ok(Membership { member: member.to_owned(), can_share: share_flag(value)? })
}

fn share_flag(value: &Value) -> Result<Option<bool>, ApiError> {
    match &value["can_share"] {
        Value::Null => Ok(None),
        flag => flag.as_bool().map(Some).ok_or_else(|| malformed("'can_share' must be true or false")),
    }
}

fn malformed(what: &str) -> ApiError {
    ApiError::bad_request("").explained(format!("Invalid membership association: {what}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{all, can_share, check_member};

    #[test]
    fn lists_are_read_with_and_without_their_key() {
        let list = json!([{"member_id": "a"}, {"member_id": "b", "can_share": true}]);
        let read = all(&list).unwrap();
        let flags: Vec<_> = read.iter().map(|entry| (entry.member.as_str(), entry.can_share)).collect();
        assert_eq!(flags, [("a", None), ("b", Some(true))]);
        assert_eq!(all(&json!({"memberships": list})).unwrap(), read);
    }

    #[test]
    fn a_single_member_may_set_its_flag_or_not() {
        assert_eq!(can_share(&json!({"member": {"can_share": true}})), Ok(Some(true)));
        assert_eq!(can_share(&json!({"member": {}})), Ok(None));
        for body in [json!({}), json!([]), json!({"member": 1}), json!({"member": {"can_share": "yes"}})] {
            assert!(can_share(&body).is_err(), "{body}");
        }
    }

    #[test]
    fn malformed_bodies_are_named() {
        let message = |body: Value| all(&body).unwrap_err().explanation.unwrap();
        assert_eq!(message(json!({})), "Invalid membership association: 'member_id'");
        assert_eq!(message(json!("x")), "Invalid membership association: 'member_id'");
        assert_eq!(message(json!([{"member_id": 3}])), "Invalid membership association: 'member_id'");
        assert_eq!(message(json!({"member_id": "a"})), "Invalid membership association: 'memberships' is not a list");
        assert!(message(json!([{"member_id": "a", "can_share": 1}])).ends_with("'can_share' must be true or false"));
        assert!(check_member("").is_err() && check_member(&"m".repeat(256)).is_err() && check_member("m").is_ok());
    }
}
