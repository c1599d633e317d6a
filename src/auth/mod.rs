//! From a request's headers to its [`Context`]: the identity filters of a pipeline.

mod keystone;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};

pub(crate) use self::keystone::{Authority, Settings as TokenSettings};
use crate::model::{Api, Context, Party};

/// The filter that decides who is asking.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Which filter the pipeline names.
    pub(crate) filter: Filter,
    /// Role that makes an admin, compared without case (`admin_role`).
    pub(crate) admin_role: String,
    /// Images belong to the project, not to the user (`owner_is_tenant`).
    pub(crate) owner_is_tenant: bool,
    /// Who is not confirmed may read what everybody may (`allow_anonymous_access`); v1 always let them.
    pub(crate) allow_anonymous: bool,
    /// Today's rules of policy judge v1 as well, where callers are known to have roles.
    pub(crate) todays_rules: bool,
    /// Who judges tokens, for [`Filter::Token`].
    pub(crate) authority: Option<Arc<Authority>>,
}

/// A request, as far as it matters who sends it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) method: &'a Method,
    /// The whole path, decoded.
    pub(crate) path: &'a str,
}

/// The identity filters that a pipeline can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    /// None at all, which is Gander's default: everybody is the admin of the one project there is.
    Sole,
    /// `unauthenticated-context`: everybody is an admin without project or roles (policy-and-auth §1.1).
    Unauthenticated,
    /// `context` of old: without a token everybody is admin (v1-api §4.1).
    Open,
    /// `auth-context`: a filter or proxy in front has checked the caller; who is not confirmed is
    /// anonymous and may only read (v1-api §4.2), or nobody at all (policy-and-auth §1.2).
    Confirmed,
    /// `authtoken` before any context filter: Keystone says whose token it is (policy-and-auth §2).
    Token,
}

/// The project and the user of a service without identities.
const SOLE: &str = "admin";
/// What they may do: every role that the rules of v2 ask for.
const SOLE_ROLES: [&str; 3] = ["admin", "member", "reader"];

/// What a filter or proxy in front says of an identity that it has checked.
const CONFIRMED: &str = "Confirmed";

/// Every header that says who is asking.
const NAMES: [&str; 12] = [
    "x-auth-token",
    "x-storage-token",
    "x-identity-status",
    "x-service-identity-status",
    "x-service-roles",
    "x-roles",
    "x-role",
    "x-user-id",
    "x-user",
    "x-project-id",
    "x-tenant-id",
    "x-tenant",
];

/// Nobody is let in.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Refusal {
    /// There is no token that is worth something, or identity headers came that nobody confirmed.
    #[error("The identity of the caller is not confirmed")]
    Unconfirmed,
    /// Nobody can tell at present.
    #[error("The identity service cannot be asked")]
    Unavailable {
        /// There is no use in coming back before.
        retry_after: Duration,
    },
}

impl Identity {
    /// What a caller who is refused is told of where to get a token.
    pub(crate) fn challenge(&self) -> Option<String> {
        self.authority.as_ref().map(|authority| authority.challenge())
    }

    /// The context of a request.
    pub(crate) async fn identify(&self, asked: &Asked<'_>, api: Api) -> Result<Context, Refusal> {
        let Some(authority) = &self.authority else { return self.believe(asked.headers, api) };
        let somebody = Context {
            owner_is_tenant: self.owner_is_tenant,
            api,
            todays_rules: self.todays_rules,
            ..Context::default()
        };
        // Boxed: to ask the identity service takes a large future, which would be moved with every request, asked or not.
        match Box::pin(authority.identify(asked, somebody.clone())).await? {
            Some(context) => Ok(Context { is_admin: self.has_admin_role(&context.roles), ..context }),
            None if self.allow_anonymous && authority.delays() => Ok(Context { read_only: true, ..somebody }),
            None => Err(Refusal::Unconfirmed),
        }
    }

    fn has_admin_role(&self, roles: &[String]) -> bool {
        roles.iter().any(|role| role.eq_ignore_ascii_case(&self.admin_role))
    }

    /// The context that headers tell of, where those are to be believed.
    fn believe(&self, headers: &HeaderMap, api: Api) -> Result<Context, Refusal> {
        let todays_rules = self.todays_rules && self.filter == Filter::Confirmed;
        let somebody = Context { owner_is_tenant: self.owner_is_tenant, api, todays_rules, ..Context::default() };
        match self.filter {
            Filter::Sole => {
                return Ok(Context {
                    user: Some(SOLE.to_owned()),
                    tenant: Some(SOLE.to_owned()),
                    roles: SOLE_ROLES.map(str::to_owned).to_vec(),
                    is_admin: true,
                    ..somebody
                });
            }
            Filter::Unauthenticated => return Ok(Context { is_admin: true, ..somebody }),
            Filter::Open | Filter::Confirmed | Filter::Token => {}
        }
        // A header that is not text must not turn its sender into somebody without a name.
        if NAMES.iter().any(|name| headers.get(*name).is_some_and(|value| value.to_str().is_err())) {
            return Err(Refusal::Unconfirmed);
        }
        let text =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
        let first = |names: &[&str]| names.iter().find_map(|name| text(name)).map(str::to_owned);
        let token = first(&["x-auth-token", "x-storage-token"]);
        let confirmed = text("x-identity-status") == Some(CONFIRMED);
        match (self.filter, &token) {
            (Filter::Open, None) => Ok(Context { is_admin: true, ..somebody }),
            (Filter::Open, Some(_)) if !confirmed => Err(Refusal::Unconfirmed),
            // Headers say nothing about tokens.
            (Filter::Token, _) => Err(Refusal::Unconfirmed),
            (Filter::Confirmed, _) if !confirmed => match api == Api::V1 || self.allow_anonymous {
                true => Ok(Context { read_only: true, ..somebody }),
                false => Err(Refusal::Unconfirmed),
            },
            _ => {
                let roles = first(&["x-roles", "x-role"]).map(|list| listed(&list)).unwrap_or_default();
                // Of a service whose token was not good nothing counts.
                let service = text("x-service-roles").filter(|_| text("x-service-identity-status") == Some(CONFIRMED));
                Ok(Context {
                    user: first(&["x-user-id", "x-user"]),
                    tenant: first(&["x-project-id", "x-tenant-id", "x-tenant"]),
                    is_admin: self.has_admin_role(&roles),
                    roles,
                    service_roles: service.map(listed).unwrap_or_default(),
                    service: Party {
                        user: first(&["x-service-user-id"]),
                        user_domain: first(&["x-service-user-domain-id"]),
                        project: first(&["x-service-project-id"]),
                        project_domain: first(&["x-service-project-domain-id"]),
                    },
                    system_scope: first(&["openstack-system-scope"]),
                    domain: first(&["x-domain-id"]),
                    user_domain: first(&["x-user-domain-id"]),
                    project_domain: first(&["x-project-domain-id"]),
                    outside_admin_project: text("x-is-admin-project")
                        .is_some_and(|said| said.eq_ignore_ascii_case("false")),
                    auth_token: token,
                    ..somebody
                })
            }
        }
    }
}

/// The roles of a header.
fn listed(roles: &str) -> Vec<String> {
    roles.split(',').map(|role| role.trim().to_owned()).filter(|role| !role.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Filter, Identity};
    use crate::model::Api;
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn identity(filter: Filter) -> Identity {
        Identity {
            filter,
            admin_role: "admin".to_owned(),
            owner_is_tenant: true,
            allow_anonymous: false,
            todays_rules: false,
            authority: None,
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn an_identity_that_is_not_text_is_nobodys() {
        let mut all = headers(&CONFIRMED);
        all.insert("x-tenant", HeaderValue::from_bytes(b"caf\xe9").unwrap());
        assert!(identity(Filter::Confirmed).believe(&all, Api::V1).is_err());
    }

    const CONFIRMED: [(&str, &str); 4] =
        [("x-auth-token", "t"), ("x-identity-status", "Confirmed"), ("x-user", "u"), ("x-tenant", "p")];

    #[test]
    fn without_a_token_an_open_pipeline_makes_everybody_admin() {
        let ctx = identity(Filter::Open).believe(&HeaderMap::new(), Api::V1).unwrap();
        assert!(ctx.is_admin && !ctx.read_only && ctx.owner().is_none());
    }

    #[test]
    fn a_token_must_come_confirmed() {
        assert!(identity(Filter::Open).believe(&headers(&[("x-auth-token", "t")]), Api::V1).is_err());
        let ctx = identity(Filter::Open).believe(&headers(&CONFIRMED), Api::V1).unwrap();
        assert_eq!((ctx.user.as_deref(), ctx.tenant.as_deref(), ctx.is_admin), (Some("u"), Some("p"), false));
    }

    #[test]
    fn unconfirmed_callers_of_a_closed_pipeline_are_anonymous_readers() {
        let forged = headers(&[("x-auth-token", "t"), ("x-roles", "admin"), ("x-tenant-id", "p")]);
        let ctx = identity(Filter::Confirmed).believe(&forged, Api::V1).unwrap();
        assert!(ctx.read_only && !ctx.is_admin && ctx.owner().is_none());
    }

    #[test]
    fn v2_lets_nobody_in_who_is_not_confirmed() {
        assert!(identity(Filter::Confirmed).believe(&HeaderMap::new(), Api::V2).is_err());
        let lenient = Identity { allow_anonymous: true, ..identity(Filter::Confirmed) };
        assert!(lenient.believe(&HeaderMap::new(), Api::V2).unwrap().read_only);
    }

    #[test]
    fn where_nobody_is_asked_tokens_mean_nothing() {
        for filter in [Filter::Sole, Filter::Unauthenticated] {
            let ctx = identity(filter).believe(&headers(&CONFIRMED), Api::V2).unwrap();
            assert!(ctx.is_admin);
            assert_eq!(ctx.owner(), (filter == Filter::Sole).then_some("admin"));
        }
    }

    #[test]
    fn the_roles_of_a_service_count_if_its_token_was_good() {
        let mut all = headers(&CONFIRMED);
        all.insert("x-roles", HeaderValue::from_static("member"));
        all.insert("x-service-roles", HeaderValue::from_static("x, Service"));
        let asks = |all: &HeaderMap| identity(Filter::Confirmed).believe(all, Api::V2).unwrap().is_service();
        assert!(!asks(&all));
        all.insert("x-service-identity-status", HeaderValue::from_static("Invalid"));
        assert!(!asks(&all));
        all.insert("x-service-identity-status", HeaderValue::from_static("Confirmed"));
        assert!(asks(&all));
        all.insert("x-roles", HeaderValue::from_static("member,service"));
        all.remove("x-service-roles");
        assert!(asks(&all));
    }

    #[test]
    fn the_admin_role_is_found_in_any_case() {
        let mut all = headers(&CONFIRMED);
        all.insert("x-role", HeaderValue::from_static("member, Admin"));
        assert!(identity(Filter::Confirmed).believe(&all, Api::V1).unwrap().is_admin);
    }
}
