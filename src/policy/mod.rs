//! Who may do what: the image API's rules, asked through oslo.policy's language.
//!
//! Each API has rules of its own ([`defaults`]), and a policy file overrides both. A `policy.json` of old decides
//! everything of v1 by itself: what it does not name falls to its `default` rule (v1-api §5). Without a file, and for
//! rules that a file does not name, the built-in rules hold.

mod caller;
mod defaults;
mod inspect;
pub(crate) mod protections;
pub(crate) mod remote;
mod target;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use caller::Caller;
use oslopolicy::{Answers, Attributes, Enforcer, Rules, Target, Verdict, Warning};

pub(crate) use inspect::{Checked, Listed};

use crate::model::{Api, Context, Image, Visibility, owns};
use protections::{Operation, Permission, Protections};
use remote::Remote;

/// Why an action is not allowed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The rules say no.
    #[error("You are not authorized to complete {0} action.")]
    Denied(&'static str),
    /// The rules of old say yes, but they were only ever asked of owners.
    #[error("You do not own this image")]
    NotOwner,
    /// The rules say no even to a look at the image, so for this caller there is none (policy-and-auth §5.2).
    #[error("")]
    Hidden,
    /// The rules cannot be read; nothing is allowed until they can.
    #[error("{0}")]
    Unreadable(#[from] oslopolicy::Error),
}

/// The rules of this deployment. The file is read again whenever it has changed.
#[derive(Debug)]
pub(crate) struct Policy {
    v1: Enforcer,
    v2: Enforcer,
    /// Only today's forms of the rules count, not their old ones beside them (`enforce_new_defaults`).
    new_only: bool,
    told: Told,
    /// Asks other servers where a rule says so; `None`: nobody is asked, and such a rule denies.
    remote: Option<Remote>,
    /// `None`: properties are as free as the rest of an image.
    protections: Option<Protections>,
}

/// What has been told of the rules; nothing is told twice.
#[derive(Debug, Clone, Default)]
struct Told(Arc<Mutex<HashSet<String>>>);

impl Told {
    fn warn(&self, what: &str) {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(what.to_owned()) {
            // A fault may quote the rule, and that the password of a server that it asks.
            tracing::warn!("policy: {}", osloconf::mask_passwords(what));
        }
    }
}

impl Policy {
    /// Reads `file`, if there is one, and on top of it the files of `directories`. `default_rule` is asked for rules that are named nowhere; unless
    /// `new_only`, rules also let pass whom their old forms did.
    ///
    /// # Errors
    /// The file cannot be read or understood.
    pub(crate) fn open(
        file: Option<PathBuf>,
        directories: Vec<PathBuf>,
        default_rule: &str,
        new_only: bool,
    ) -> Result<Self, Error> {
        let built_in: &[(&str, &str)] = if is_of_2012(file.as_deref()) { &[] } else { defaults::of_v1() };
        // Each once, though both enforcers read the same files.
        let told = Told::default();
        let once = told.clone();
        let tell = move |warning: &Warning| once.warn(&warning.to_string());
        let v1 = Rules::new(built_in, default_rule);
        let v1 = Enforcer::new(v1, file.clone(), directories.clone(), tell.clone())?;
        let v2 = defaults::of_v2(new_only);
        let v2: Vec<(&str, &str)> = v2.iter().map(|(rule, check)| (*rule, check.as_str())).collect();
        let v2 = Enforcer::new(Rules::new(&v2, default_rule), file, directories, tell)?;
        Ok(Self { v1, v2, new_only, told, remote: None, protections: None })
    }

    /// The same rules, which may ask other servers.
    pub(crate) fn asking(self, remote: Remote) -> Self {
        Self { remote: Some(remote), ..self }
    }

    /// The same rules, and properties protected by these.
    pub(crate) fn protecting(self, protections: Option<Protections>) -> Self {
        Self { protections, ..self }
    }

    /// Whether some properties may be protected.
    pub(crate) fn protects(&self) -> bool {
        self.protections.is_some()
    }

    /// Whether the caller may do this with a custom property of this name. A rule that cannot be judged permits nothing,
    /// and neither does one that asks another server: it would be asked for every property of every image of a list.
    pub(crate) fn permits(&self, ctx: &Context, operation: Operation, property: &str) -> bool {
        let Some(protections) = &self.protections else { return true };
        match protections.permission(operation, property) {
            Permission::Anyone => true,
            Permission::Nobody => false,
            Permission::Roles(roles) => protections::has_role(ctx, roles),
            Permission::Rule(rule) => match self.judge(ctx, rule, &Target::default(), &Answers::default()) {
                Ok(Verdict::Permitted) => true,
                Ok(Verdict::Ask(_)) => {
                    self.told.warn(&format!("rule {rule:?} is denied: for properties no server is asked"));
                    false
                }
                Ok(Verdict::Denied) | Err(_) => false,
            },
        }
    }

    /// Lets `rule` pass for this caller, or says why not, where no image is looked at: v1 has no targets at all, and in v2
    /// the caller's own project is the target.
    pub(crate) async fn enforce(&self, ctx: &Context, rule: &'static str) -> Result<(), Error> {
        self.require(ctx, rule, &target::project(ctx.owner())).await
    }

    /// Lets `rule` pass for this caller and this image. Who may not even see it does not hear that it is there.
    pub(crate) async fn enforce_on(&self, ctx: &Context, rule: &'static str, image: &Image) -> Result<(), Error> {
        const SEE: &str = "get_image";
        let target = target::Reached { ctx, image };
        match self.require(ctx, rule, &target).await {
            Ok(()) if !self.new_only && defaults::OWNERS.contains(&rule) && !ctx.is_admin && !owns(ctx, image) => {
                Err(Error::NotOwner)
            }
            Err(Error::Denied(_)) if rule == SEE || self.require(ctx, SEE, &target).await.is_err() => {
                Err(Error::Hidden)
            }
            verdict => verdict,
        }
    }

    /// Lets `rule` pass for an image that is to be.
    pub(crate) async fn enforce_new(
        &self,
        ctx: &Context,
        rule: &'static str,
        owner: Option<&str>,
        visibility: Option<Visibility>,
    ) -> Result<(), Error> {
        self.require(ctx, rule, &target::new_image(owner, visibility)).await?;
        let others = !self.new_only && rule == "add_image" && !ctx.is_admin && owner != ctx.owner();
        if others { Err(Error::Denied(rule)) } else { Ok(()) }
    }

    async fn require(&self, ctx: &Context, rule: &'static str, target: &dyn Attributes) -> Result<(), Error> {
        let (verdict, _) = self.verdict(ctx, rule, target).await?;
        if verdict { Ok(()) } else { Err(Error::Denied(rule)) }
    }

    /// Whether the rule passes, and what other servers have answered for that. Waits for them only, and for nothing where
    /// no verdict hangs on one.
    async fn verdict(&self, ctx: &Context, rule: &str, target: &dyn Attributes) -> Result<(bool, Answers), Error> {
        let mut answers = Answers::default();
        loop {
            match self.judge(ctx, rule, target, &answers)? {
                Verdict::Permitted => return Ok((true, answers)),
                Verdict::Denied => return Ok((false, answers)),
                Verdict::Ask(question) => {
                    let answer = match &self.remote {
                        Some(remote) => remote.ask(&question).await,
                        None => None,
                    };
                    answers.note(*question, answer);
                }
            }
        }
    }

    fn judge(
        &self,
        ctx: &Context,
        rule: &str,
        target: &dyn Attributes,
        answers: &Answers,
    ) -> Result<Verdict, oslopolicy::Error> {
        match ctx.judged_by() {
            Api::V1 => self.v1.judge(rule, &Target::default(), &Caller(ctx), answers),
            Api::V2 if !in_scope(ctx, rule) => Ok(Verdict::Denied),
            Api::V2 => self.v2.judge(rule, target, &Caller(ctx), answers),
        }
    }
}

/// Whether a policy file decides everything of v1 by itself, as those of 2012 did, whose form is JSON (v1-api §5).
pub(crate) fn is_of_2012(file: Option<&Path>) -> bool {
    file.and_then(Path::extension).is_some_and(|extension| extension == "json")
}

/// Rules that a token for something else than a project may pass (policy-and-auth §3.4).
const ANY_SCOPE: [&str; 5] = ["default", "context_is_admin", "service_api", "metadef_default", "metadef_admin"];

/// Whether the caller's token is for a project, or for nothing in particular.
fn in_scope(ctx: &Context, rule: &str) -> bool {
    (ctx.system_scope.is_none() && ctx.domain.is_none()) || ANY_SCOPE.contains(&rule)
}

#[cfg(test)]
mod tests {
    use super::{Error, Policy};
    use crate::model::{Api, Context};

    fn policy(name: &str, text: &str) -> (tempfile::TempDir, Policy) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let policy = Policy::open(Some(path), Vec::new(), "default", true).unwrap();
        (dir, policy)
    }

    #[tokio::test]
    async fn an_old_policy_file_decides_everything_by_its_default() {
        let (_dir, policy) = policy("policy.json", r#"{"default": [], "delete_image": [["role:boss"]]}"#);
        let nobody = Context::default();
        assert!(policy.enforce(&nobody, "manage_image_cache").await.is_ok());
        assert!(matches!(policy.enforce(&nobody, "delete_image").await, Err(Error::Denied("delete_image"))));
        let boss = Context { roles: vec!["boss".to_owned()], ..Context::default() };
        assert!(policy.enforce(&boss, "delete_image").await.is_ok());
    }

    #[tokio::test]
    async fn an_old_policy_file_without_default_denies_the_rest() {
        let (_dir, policy) = policy("policy.json", r#"{"get_image": []}"#);
        assert!(policy.enforce(&Context::service(), "get_images").await.is_err());
    }

    #[tokio::test]
    async fn without_a_file_only_admins_publish_and_manage_the_cache() {
        let policy = Policy::open(None, Vec::new(), "default", true).unwrap();
        for rule in ["publicize_image", "manage_image_cache"] {
            assert!(policy.enforce(&Context::default(), rule).await.is_err());
            assert!(policy.enforce(&Context::service(), rule).await.is_ok());
        }
        assert!(policy.enforce(&Context::default(), "get_images").await.is_ok());
    }

    fn caller(project: &str, roles: &[&str]) -> Context {
        Context {
            tenant: Some(project.to_owned()),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            owner_is_tenant: true,
            api: Api::V2,
            ..Context::default()
        }
    }

    #[tokio::test]
    async fn v2_judges_the_project_and_the_role() {
        let policy = Policy::open(None, Vec::new(), "default", true).unwrap();
        let allowed = async |ctx: &Context, rule, owner| policy.enforce_new(ctx, rule, Some(owner), None).await.is_ok();
        assert!(allowed(&caller("a", &["member"]), "add_image", "a").await);
        assert!(!allowed(&caller("a", &["member"]), "add_image", "b").await);
        assert!(!allowed(&caller("a", &["reader"]), "add_image", "a").await);
        assert!(allowed(&caller("a", &["admin"]), "add_image", "b").await);
        // Being an admin without a role, as without an identity service, is nothing that v2 asks for.
        let open = Context { is_admin: true, api: Api::V2, ..Context::default() };
        assert!(policy.enforce(&open, "get_images").await.is_err());
    }
}
