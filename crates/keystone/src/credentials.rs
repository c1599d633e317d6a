//! Who a service is to Keystone, and for what it asks: the body of `POST /v3/auth/tokens`.

use std::fmt;

use serde_json::{Map, Value, json};

/// Something that has an id, or a name in a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Its id; with it nothing else is needed.
    pub id: Option<String>,
    /// Its name, within its domain.
    pub name: Option<String>,
}

impl Named {
    /// Neither id nor name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id.is_none() && self.name.is_none()
    }

    fn json(&self) -> Map<String, Value> {
        let mut map = Map::new();
        match (&self.id, &self.name) {
            (Some(id), _) => map.insert("id".to_owned(), json!(id)),
            (None, name) => map.insert("name".to_owned(), json!(name)),
        };
        map
    }

    /// With the domain in which the name is one.
    fn within(&self, domain: &Named) -> Value {
        let mut map = self.json();
        if self.id.is_none() && !domain.is_empty() {
            map.insert("domain".to_owned(), Value::Object(domain.json()));
        }
        Value::Object(map)
    }
}

/// A user, and the domain of its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub user: Named,
    /// Where the user's name is known.
    pub domain: Named,
}

/// What a service proves its identity with.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A password.
    Password {
        /// Whose.
        user: User,
        /// The password.
        password: String,
        /// What for.
        scope: Scope,
    },
    /// An application credential, which has its own scope.
    ApplicationCredential {
        /// The credential; a name needs the user.
        credential: Named,
        /// Whose, where the credential has no id.
        user: User,
        /// Its secret.
        secret: String,
    },
    /// A token that somebody else got.
    Token {
        /// The token.
        token: String,
        /// What for.
        scope: Scope,
    },
}

impl fmt::Debug for Credentials {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, scope, .. } => write!(f, "Password({user:?}, {scope:?})"),
            Self::ApplicationCredential { credential, .. } => write!(f, "ApplicationCredential({credential:?})"),
            Self::Token { scope, .. } => write!(f, "Token({scope:?})"),
        }
    }
}

/// What a token is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// Nothing in particular.
    #[default]
    None,
    /// A project.
    Project {
        /// The project.
        project: Named,
        /// Where its name is known.
        domain: Named,
    },
    /// A domain.
    Domain(Named),
    /// The whole deployment.
    System,
    /// What a user has entrusted to the service, by the id of the trust.
    Trust(String),
}

impl Scope {
    fn json(&self) -> Option<Value> {
        Some(match self {
            Self::None => return None,
            Self::Project { project, domain } => json!({ "project": project.within(domain) }),
            Self::Domain(domain) => json!({ "domain": domain.json() }),
            Self::System => json!({ "system": { "all": true } }),
            Self::Trust(id) => json!({ "OS-TRUST:trust": { "id": id } }),
        })
    }
}

impl Credentials {
    /// What is sent to get a token.
    pub(crate) fn request(&self) -> Value {
        let (method, proof, scope) = match self {
            Self::Password { user: User { user, domain }, password, scope } => {
                let mut user = user.within(domain);
                user["password"] = json!(password);
                ("password", json!({ "user": user }), scope.json())
            }
            Self::ApplicationCredential { credential, user, secret } => {
                let mut proof = credential.json();
                if credential.id.is_none() {
                    proof.insert("user".to_owned(), user.user.within(&user.domain));
                }
                proof.insert("secret".to_owned(), json!(secret));
                ("application_credential", Value::Object(proof), None)
            }
            Self::Token { token, scope } => ("token", json!({ "id": token }), scope.json()),
        };
        let mut auth = json!({ "identity": { "methods": [method], method: proof } });
        if let Some(scope) = scope {
            auth["scope"] = scope;
        }
        json!({ "auth": auth })
    }
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Named, Scope, User};
    use serde_json::json;

    fn name(name: &str) -> Named {
        Named { id: None, name: Some(name.to_owned()) }
    }

    fn id(id: &str) -> Named {
        Named { id: Some(id.to_owned()), name: None }
    }

    #[test]
    fn a_password_in_a_project() {
        let credentials = Credentials::Password {
            user: User { user: name("glance"), domain: id("default") },
            password: "secret".to_owned(),
            scope: Scope::Project { project: name("service"), domain: name("Default") },
        };
        assert_eq!(
            credentials.request(),
            json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": {
                    "name": "glance", "domain": {"id": "default"}, "password": "secret"}}},
                "scope": {"project": {"name": "service", "domain": {"name": "Default"}}},
            }})
        );
        assert!(!format!("{credentials:?}").contains("secret"));
    }

    #[test]
    fn an_id_needs_no_domain() {
        let user = User { user: id("u"), domain: id("d") };
        let scope = Scope::Project { project: id("p"), domain: id("d") };
        let credentials = Credentials::Password { user, password: "x".to_owned(), scope };
        let request = credentials.request();
        assert_eq!(request["auth"]["identity"]["password"]["user"], json!({"id": "u", "password": "x"}));
        assert_eq!(request["auth"]["scope"], json!({"project": {"id": "p"}}));
    }

    #[test]
    fn application_credentials_have_their_own_scope() {
        let user = User { user: name("u"), domain: id("default") };
        let named = Credentials::ApplicationCredential { credential: name("c"), user, secret: "s".to_owned() };
        let proof = json!({"name": "c", "user": {"name": "u", "domain": {"id": "default"}}, "secret": "s"});
        assert_eq!(named.request()["auth"]["identity"]["application_credential"], proof);
        assert_eq!(named.request()["auth"].get("scope"), None);
        let by_id =
            Credentials::ApplicationCredential { credential: id("c"), user: User::default(), secret: "s".to_owned() };
        let proof = json!({"id": "c", "secret": "s"});
        assert_eq!(by_id.request()["auth"]["identity"]["application_credential"], proof);
    }

    #[test]
    fn other_scopes() {
        let with = |scope| Credentials::Token { token: "t".to_owned(), scope }.request()["auth"]["scope"].clone();
        assert_eq!(with(Scope::System), json!({"system": {"all": true}}));
        assert_eq!(with(Scope::Domain(id("d"))), json!({"domain": {"id": "d"}}));
        assert_eq!(with(Scope::Trust("t".to_owned())), json!({"OS-TRUST:trust": {"id": "t"}}));
        assert_eq!(with(Scope::None), json!(null));
    }
}
