//! What Keystone says of a token: the body of `GET /v3/auth/tokens`.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::catalog::Catalog;
use crate::error::Error;

/// A token that was good when Keystone was asked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Token {
    /// From then on it is good no more.
    pub expires_at: DateTime<Utc>,
    /// Id of the user.
    pub user_id: String,
    /// Name of the user.
    pub user_name: Option<String>,
    /// Domain of the user.
    pub user_domain: Domain,
    /// The project that it is for, if it is for one.
    pub project: Option<Project>,
    /// The domain that it is for, if it is for one.
    pub domain: Option<Domain>,
    /// It is for the whole deployment.
    pub system: bool,
    /// The project is the one of the deployment's admins, or there is none such.
    pub is_admin_project: bool,
    /// Names of the roles that the user has in what the token is for.
    pub roles: Vec<String>,
    /// What an application credential restricts the token to; `None`: nothing.
    pub access_rules: Option<Vec<AccessRule>>,
    /// The services that there are, if they were asked for.
    pub catalog: Catalog,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("user_id", &self.user_id).field("roles", &self.roles).finish_non_exhaustive()
    }
}

/// A domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Domain {
    /// Its id.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
}

/// A project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its domain.
    #[serde(default)]
    pub domain: Domain,
}

/// One thing that an application credential may be used for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccessRule {
    /// Type of the service.
    pub service: String,
    /// Verb of HTTP.
    pub method: String,
    /// Path; `*` or `{tag}` stand for a segment, `**` for any number of them.
    pub path: String,
}

#[derive(Deserialize)]
struct Answer {
    token: Body,
}

#[derive(Deserialize)]
struct Body {
    expires_at: DateTime<Utc>,
    user: UserBody,
    project: Option<Project>,
    domain: Option<Domain>,
    system: Option<System>,
    #[serde(default = "yes")]
    is_admin_project: bool,
    #[serde(default)]
    roles: Vec<Role>,
    application_credential: Option<ApplicationCredential>,
    #[serde(default)]
    catalog: Catalog,
}

#[derive(Deserialize)]
struct UserBody {
    id: String,
    name: Option<String>,
    #[serde(default)]
    domain: Domain,
}

#[derive(Deserialize)]
struct System {
    #[serde(default)]
    all: bool,
}

#[derive(Deserialize)]
struct Role {
    name: String,
}

#[derive(Deserialize)]
struct ApplicationCredential {
    access_rules: Option<Vec<AccessRule>>,
}

fn yes() -> bool {
    true
}

impl Token {
    /// Reads Keystone's answer.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Error> {
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|error| Error::Unavailable(format!("its answer is no token: {error}")))?;
        let body = answer.token;
        Ok(Self {
            expires_at: body.expires_at,
            user_id: body.user.id,
            user_name: body.user.name,
            user_domain: body.user.domain,
            project: body.project,
            domain: body.domain,
            system: body.system.is_some_and(|system| system.all),
            is_admin_project: body.is_admin_project,
            roles: body.roles.into_iter().map(|role| role.name).collect(),
            access_rules: body.application_credential.and_then(|credential| credential.access_rules),
            catalog: body.catalog,
        })
    }

    /// Whether it is good no more, by a clock that may be ahead of Keystone's by `skew`.
    #[must_use]
    pub fn is_expired(&self, skew: TimeDelta) -> bool {
        // What is too far for the calendar is never.
        self.expires_at.checked_add_signed(skew).is_some_and(|end| end <= Utc::now())
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn a_token_of_a_project() {
        let body = br#"{"token": {"methods": ["password"], "expires_at": "2026-11-25T15:11:29.000000Z",
            "user": {"id": "u", "name": "n", "domain": {"id": "default", "name": "Default"}, "password_expires_at": null},
            "project": {"id": "p", "name": "demo", "domain": {"id": "default", "name": "Default"}},
            "is_domain": false, "roles": [{"id": "1", "name": "member"}, {"id": "2", "name": "Reader"}]}}"#;
        let token = Token::parse(body).unwrap();
        assert_eq!((token.user_id.as_str(), token.project.unwrap().id.as_str()), ("u", "p"));
        assert_eq!(token.roles, ["member", "Reader"]);
        assert!(token.is_admin_project && !token.system && token.access_rules.is_none());
    }

    #[test]
    fn restricted_and_other_scopes() {
        let body = br#"{"token": {"expires_at": "2026-11-25T15:11:29.000000Z", "user": {"id": "u"},
            "system": {"all": true}, "is_admin_project": false, "application_credential": {"id": "a", "restricted": true,
            "access_rules": []}}}"#;
        let token = Token::parse(body).unwrap();
        assert!(token.system && !token.is_admin_project && token.project.is_none());
        assert_eq!(token.access_rules, Some(Vec::new()));
    }

    #[test]
    fn what_is_no_token_is_no_verdict() {
        for body in ["", "{}", r#"{"token": {}}"#, r#"{"error": {"code": 404}}"#] {
            assert!(Token::parse(body.as_bytes()).is_err());
        }
    }
}
