//! What rules see of the caller: under the names of today, and for v1 also under those of 2012 (policy-and-auth §3.3).

use std::borrow::Cow;

use oslopolicy::{Credentials, same_role};
use serde_json::{Map, Value, json};

use crate::model::{Api, Context};

/// Every name of a value, by either API.
const NAMES: [&str; 16] = [
    "user_id",
    "user",
    "project_id",
    "tenant",
    "roles",
    "is_admin",
    "user_domain_id",
    "system_scope",
    "domain_id",
    "project_domain_id",
    "is_admin_project",
    "service_user_id",
    "service_user_domain_id",
    "service_project_id",
    "service_project_domain_id",
    "service_roles",
];

/// The caller. Rules name little of it, so each value is made when it is asked for.
pub(super) struct Caller<'a>(pub(super) &'a Context);

impl Credentials for Caller<'_> {
    fn credential(&self, name: &str) -> Option<Cow<'_, Value>> {
        let ctx = self.0;
        let value = match (name, ctx.judged_by()) {
            ("user_id", _) | ("user", Api::V1) => json!(ctx.user),
            ("project_id", _) | ("tenant", Api::V1) => json!(ctx.tenant),
            ("roles", _) => json!(ctx.roles),
            ("is_admin", Api::V1) => json!(ctx.is_admin),
            ("user_domain_id", Api::V2) => json!(ctx.user_domain),
            ("system_scope", Api::V2) => json!(ctx.system_scope),
            ("domain_id", Api::V2) => json!(ctx.domain),
            ("project_domain_id", Api::V2) => json!(ctx.project_domain),
            ("is_admin_project", Api::V2) => json!(!ctx.outside_admin_project),
            ("service_user_id", Api::V2) => json!(ctx.service.user),
            ("service_user_domain_id", Api::V2) => json!(ctx.service.user_domain),
            ("service_project_id", Api::V2) => json!(ctx.service.project),
            ("service_project_domain_id", Api::V2) => json!(ctx.service.project_domain),
            ("service_roles", Api::V2) => json!(ctx.service_roles),
            _ => return None,
        };
        Some(Cow::Owned(value))
    }

    fn has_role(&self, role: &str) -> bool {
        self.0.roles.iter().any(|held| same_role(held, role))
    }

    fn all(&self) -> Map<String, Value> {
        NAMES.iter().filter_map(|name| Some(((*name).to_owned(), self.credential(name)?.into_owned()))).collect()
    }
}
