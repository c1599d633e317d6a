//! Who may do what: the image API's rules, asked through oslo.policy's language.
//!
//! A `policy.json` of old decides everything by itself: what it does not name falls to its `default` rule (v1-api §5).
//! Without a file, and for rules that a YAML file does not name, the built-in rules hold.

use std::path::{Path, PathBuf};

use oslopolicy::{Creds, Enforcer, Rules, Target};

use crate::model::Context;

/// What holds where no file says otherwise: v1 leaves everything open but the cache and publishing, which
/// are for admins (security S8, C9). A deployment without an identity service has only admins.
const BUILT_IN: [(&str, &str); 3] =
    [("default", ""), ("manage_image_cache", "is_admin:True"), ("publicize_image", "is_admin:True")];

/// Why an action is not allowed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The rules say no.
    #[error("You are not authorized to complete {0} action.")]
    Denied(&'static str),
    /// The rules cannot be read; nothing is allowed until they can.
    #[error("{0}")]
    Unreadable(#[from] oslopolicy::Error),
}

/// The rules of this deployment. The file is read again whenever it has changed.
#[derive(Debug)]
pub(crate) struct Policy {
    enforcer: Enforcer,
}

impl Policy {
    /// Reads `file`, if there is one. `default_rule` is asked for rules that are named nowhere.
    ///
    /// # Errors
    /// The file cannot be read or understood.
    pub(crate) fn open(file: Option<PathBuf>, default_rule: &str) -> Result<Self, Error> {
        let self_contained = file.as_deref().and_then(Path::extension).is_some_and(|extension| extension == "json");
        let built_in: &[(&str, &str)] = if self_contained { &[] } else { &BUILT_IN };
        let enforcer = Enforcer::new(Rules::new(built_in, default_rule), file)?;
        for warning in enforcer.warnings()? {
            tracing::warn!("policy: {warning}");
        }
        Ok(Self { enforcer })
    }

    /// Lets `rule` pass for this caller, or says why not. v1 has no targets: a rule can only look at the caller.
    pub(crate) fn enforce(&self, ctx: &Context, rule: &'static str) -> Result<(), Error> {
        if self.enforcer.enforce(rule, &Target::default(), &credentials(ctx))? {
            Ok(())
        } else {
            Err(Error::Denied(rule))
        }
    }
}

/// The caller under the names of 2012 (`user`, `tenant`) and of today.
fn credentials(ctx: &Context) -> Creds {
    Creds::default()
        .with("user", ctx.user.clone())
        .with("user_id", ctx.user.clone())
        .with("tenant", ctx.tenant.clone())
        .with("project_id", ctx.tenant.clone())
        .with("roles", ctx.roles.clone())
        .with("is_admin", ctx.is_admin)
}

#[cfg(test)]
mod tests {
    use super::{Error, Policy};
    use crate::model::Context;

    fn policy(name: &str, text: &str) -> (tempfile::TempDir, Policy) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let policy = Policy::open(Some(path), "default").unwrap();
        (dir, policy)
    }

    #[test]
    fn an_old_policy_file_decides_everything_by_its_default() {
        let (_dir, policy) = policy("policy.json", r#"{"default": [], "delete_image": [["role:boss"]]}"#);
        let nobody = Context::default();
        assert!(policy.enforce(&nobody, "manage_image_cache").is_ok());
        assert!(matches!(policy.enforce(&nobody, "delete_image"), Err(Error::Denied("delete_image"))));
        let boss = Context { roles: vec!["boss".to_owned()], ..Context::default() };
        assert!(policy.enforce(&boss, "delete_image").is_ok());
    }

    #[test]
    fn an_old_policy_file_without_default_denies_the_rest() {
        let (_dir, policy) = policy("policy.json", r#"{"get_image": []}"#);
        assert!(policy.enforce(&Context::service(), "get_images").is_err());
    }

    #[test]
    fn without_a_file_only_admins_publish_and_manage_the_cache() {
        let policy = Policy::open(None, "default").unwrap();
        for rule in ["publicize_image", "manage_image_cache"] {
            assert!(policy.enforce(&Context::default(), rule).is_err());
            assert!(policy.enforce(&Context::service(), rule).is_ok());
        }
        assert!(policy.enforce(&Context::default(), "get_images").is_ok());
    }
}
