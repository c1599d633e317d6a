//! Who is who, and who may do what: `[DEFAULT]`, `[oslo_policy]` (v1-api §4, §5, §19).

use std::path::PathBuf;

use osloconf::Opt;

use super::{Error, Loaded, Pipeline, Result};
use crate::auth::{Filter, Identity};
use crate::model::{Api, Context};
use crate::policy::{Policy, is_of_2012};

pub(super) static OWNER_IS_TENANT: Opt =
    Opt::bool("DEFAULT", "owner_is_tenant").default("true").help("Images belong to the project, not to the user");
static ADMIN_ROLE: Opt =
    Opt::str("DEFAULT", "admin_role").default("admin").empty_is_unset().help("Role that makes an admin");
static ALLOW_ANONYMOUS_ACCESS: Opt = Opt::bool("DEFAULT", "allow_anonymous_access")
    .default("false")
    .help("Let callers without a valid token read by v2, as far as the policy allows");
static ADMIN_TOKEN: Opt =
    Opt::str("DEFAULT", "admin_token").empty_is_unset().secret().help("Token that tools send to the registry");
static POLICY_FILE: Opt = Opt::str("oslo_policy", "policy_file")
    .deprecated(&[("DEFAULT", "policy_file")])
    .empty_is_unset()
    .help("Policy file; unset: policy.yaml, glance.json or policy.json beside the configuration, if there is one");
static ENFORCE_NEW_DEFAULTS: Opt = Opt::bool("oslo_policy", "enforce_new_defaults")
    .default("true")
    .help("Rules that no file names do not let pass whom they let pass before they got their form of today");
static POLICY_DIRS: Opt = Opt::multi("oslo_policy", "policy_dirs")
    .deprecated(&[("DEFAULT", "policy_dirs")])
    .default("policy.d")
    .help("Directory whose files lie on top of the policy file, in the order of their names");
static POLICY_DEFAULT_RULE: Opt = Opt::str("oslo_policy", "policy_default_rule")
    .deprecated(&[("DEFAULT", "policy_default_rule")])
    .default("default")
    .empty_is_unset()
    .help("Rule for what no rule names");

pub(super) static OPTIONS: &[&Opt] = &[
    &OWNER_IS_TENANT,
    &ADMIN_ROLE,
    &ALLOW_ANONYMOUS_ACCESS,
    &ADMIN_TOKEN,
    &POLICY_FILE,
    &POLICY_DIRS,
    &ENFORCE_NEW_DEFAULTS,
    &POLICY_DEFAULT_RULE,
];

/// Looked for when no policy file is named.
const POLICY_FILES: [&str; 3] = ["policy.yaml", "glance.json", "policy.json"];

impl Loaded {
    /// How a pipeline learns who is asking.
    pub(crate) fn identity(&self, pipeline: &Pipeline) -> Result<Identity> {
        Ok(Identity {
            filter: pipeline.identity,
            admin_role: self.admin_role()?,
            owner_is_tenant: self.conf.bool(&OWNER_IS_TENANT)?,
            allow_anonymous: self.conf.bool(&ALLOW_ANONYMOUS_ACCESS)?,
            // A policy file of 2012 decides all of v1 by itself.
            todays_rules: !is_of_2012(self.policy_file()?.as_deref()),
            authority: (pipeline.identity == Filter::Token).then(|| self.authority(pipeline)).transpose()?,
        })
    }

    /// The identity of tools that work on the service's own account.
    pub(crate) fn tool_context(&self) -> Result<Context> {
        let auth_token = self.conf.str(&ADMIN_TOKEN)?;
        // With a token, a registry that trusts its callers must be told that this one is an admin.
        let roles = auth_token.as_ref().map_or(Ok(Vec::new()), |_| self.admin_role().map(|role| vec![role]))?;
        Ok(Context { auth_token, roles, ..Context::service() })
    }

    /// A caller of v2 of whom nothing is known yet.
    pub(crate) fn stranger(&self) -> Result<Context> {
        Ok(Context { owner_is_tenant: self.conf.bool(&OWNER_IS_TENANT)?, api: Api::V2, ..Context::default() })
    }

    fn admin_role(&self) -> Result<String> {
        Ok(self.conf.str(&ADMIN_ROLE)?.unwrap_or_default().trim().to_owned())
    }

    /// The policy file, if there is one. One that is named must exist.
    fn policy_file(&self) -> Result<Option<PathBuf>> {
        match self.conf.str(&POLICY_FILE)? {
            None => Ok(POLICY_FILES.iter().find_map(|name| self.conf.find_file(name))),
            Some(name) => self
                .conf
                .find_file(&name)
                .map(Some)
                .ok_or_else(|| Error::Invalid { option: "policy_file", reason: format!("there is no file {name}") }),
        }
    }

    /// The rules of policy. A file that is named must exist; a directory need not, as in Glance.
    pub(crate) fn policy(&self) -> Result<Policy> {
        let file = self.policy_file()?;
        let mut directories = Vec::new();
        for name in self.conf.multi(&POLICY_DIRS)? {
            let found = self.conf.find_file(&name).filter(|path| path.is_dir());
            if found.is_none() && self.conf.is_set(&POLICY_DIRS) {
                tracing::warn!("policy_dirs: there is no directory {name}");
            }
            // It may come later: an absolute path stays what it is, others are looked for beside the configuration.
            let later = self.files().first().and_then(|file| file.parent()).map(|beside| beside.join(&name));
            directories.extend(found.or(later));
        }
        let default_rule = self.conf.str(&POLICY_DEFAULT_RULE)?.unwrap_or_default();
        let policy = Policy::open(file, directories, &default_rule, self.conf.bool(&ENFORCE_NEW_DEFAULTS)?);
        let policy = policy.map_err(|error| Error::Invalid { option: POLICY_FILE.name, reason: error.to_string() })?;
        Ok(policy.asking(self.remote_checks()?).protecting(self.protections()?))
    }
}
