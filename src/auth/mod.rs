//! From a request's headers to its [`Context`]: the identity filters of a pipeline.

use http::HeaderMap;

use crate::model::{Api, Context};

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

/// A token came with identity headers that nobody confirmed.
#[derive(Debug, thiserror::Error)]
#[error("The identity of the caller is not confirmed")]
pub(crate) struct Unconfirmed;

impl Identity {
    /// The context of a request with these headers.
    pub(crate) fn identify(&self, headers: &HeaderMap, api: Api) -> Result<Context, Unconfirmed> {
        let somebody = Context { owner_is_tenant: self.owner_is_tenant, api, ..Context::default() };
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
            Filter::Open | Filter::Confirmed => {}
        }
        // A header that is not text must not turn its sender into somebody without a name.
        if NAMES.iter().any(|name| headers.get(*name).is_some_and(|value| value.to_str().is_err())) {
            return Err(Unconfirmed);
        }
        let text =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
        let first = |names: &[&str]| names.iter().find_map(|name| text(name)).map(str::to_owned);
        let token = first(&["x-auth-token", "x-storage-token"]);
        let confirmed = text("x-identity-status") == Some(CONFIRMED);
        match (self.filter, &token) {
            (Filter::Open, None) => Ok(Context { is_admin: true, ..somebody }),
            (Filter::Open, Some(_)) if !confirmed => Err(Unconfirmed),
            (Filter::Confirmed, _) if !confirmed => match api == Api::V1 || self.allow_anonymous {
                true => Ok(Context { read_only: true, ..somebody }),
                false => Err(Unconfirmed),
            },
            _ => {
                let roles = first(&["x-roles", "x-role"]).map(|list| listed(&list)).unwrap_or_default();
                // Of a service whose token was not good nothing counts.
                let service = text("x-service-roles").filter(|_| text("x-service-identity-status") == Some(CONFIRMED));
                Ok(Context {
                    user: first(&["x-user-id", "x-user"]),
                    tenant: first(&["x-project-id", "x-tenant-id", "x-tenant"]),
                    is_admin: roles.iter().any(|role| role.eq_ignore_ascii_case(&self.admin_role)),
                    roles,
                    service_roles: service.map(listed).unwrap_or_default(),
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
        Identity { filter, admin_role: "admin".to_owned(), owner_is_tenant: true, allow_anonymous: false }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn an_identity_that_is_not_text_is_nobodys() {
        let mut all = headers(&CONFIRMED);
        all.insert("x-tenant", HeaderValue::from_bytes(b"caf\xe9").unwrap());
        assert!(identity(Filter::Confirmed).identify(&all, Api::V1).is_err());
    }

    const CONFIRMED: [(&str, &str); 4] =
        [("x-auth-token", "t"), ("x-identity-status", "Confirmed"), ("x-user", "u"), ("x-tenant", "p")];

    #[test]
    fn without_a_token_an_open_pipeline_makes_everybody_admin() {
        let ctx = identity(Filter::Open).identify(&HeaderMap::new(), Api::V1).unwrap();
        assert!(ctx.is_admin && !ctx.read_only && ctx.owner().is_none());
    }

    #[test]
    fn a_token_must_come_confirmed() {
        assert!(identity(Filter::Open).identify(&headers(&[("x-auth-token", "t")]), Api::V1).is_err());
        let ctx = identity(Filter::Open).identify(&headers(&CONFIRMED), Api::V1).unwrap();
        assert_eq!((ctx.user.as_deref(), ctx.tenant.as_deref(), ctx.is_admin), (Some("u"), Some("p"), false));
    }

    #[test]
    fn unconfirmed_callers_of_a_closed_pipeline_are_anonymous_readers() {
        let forged = headers(&[("x-auth-token", "t"), ("x-roles", "admin"), ("x-tenant-id", "p")]);
        let ctx = identity(Filter::Confirmed).identify(&forged, Api::V1).unwrap();
        assert!(ctx.read_only && !ctx.is_admin && ctx.owner().is_none());
    }

    #[test]
    fn v2_lets_nobody_in_who_is_not_confirmed() {
        assert!(identity(Filter::Confirmed).identify(&HeaderMap::new(), Api::V2).is_err());
        let lenient = Identity { allow_anonymous: true, ..identity(Filter::Confirmed) };
        assert!(lenient.identify(&HeaderMap::new(), Api::V2).unwrap().read_only);
    }

    #[test]
    fn where_nobody_is_asked_tokens_mean_nothing() {
        for filter in [Filter::Sole, Filter::Unauthenticated] {
            let ctx = identity(filter).identify(&headers(&CONFIRMED), Api::V2).unwrap();
            assert!(ctx.is_admin);
            assert_eq!(ctx.owner(), (filter == Filter::Sole).then_some("admin"));
        }
    }

    #[test]
    fn the_roles_of_a_service_count_if_its_token_was_good() {
        let mut all = headers(&CONFIRMED);
        all.insert("x-roles", HeaderValue::from_static("member"));
        all.insert("x-service-roles", HeaderValue::from_static("x, Service"));
        let asks = |all: &HeaderMap| identity(Filter::Confirmed).identify(all, Api::V2).unwrap().is_service();
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
        assert!(identity(Filter::Confirmed).identify(&all, Api::V1).unwrap().is_admin);
    }
}
