//! The rules for whoever wonders about them: what there is, and why a rule passes or does not.

use std::path::PathBuf;

use oslopolicy::{Attributes, Explanation, Origin, Target};

use super::caller::Caller;
use super::{Error, Policy, defaults, in_scope};
use crate::model::Context;

/// A rule in effect for the image API of today.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// The file that it comes from; `None`: it is built in.
    pub(crate) file: Option<PathBuf>,
    /// Its text.
    pub(crate) check: String,
    /// It is one of the image API's own, and not just a file's.
    pub(crate) known: bool,
    /// Why it denies more than was meant, if it does.
    pub(crate) faults: Vec<String>,
}

/// What came of one rule.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) passed: bool,
    /// Why the rule does not count for this caller, though it may pass.
    pub(crate) barred: Option<&'static str>,
    pub(crate) explanation: Explanation,
}

impl Policy {
    /// Every rule of v2, by name.
    ///
    /// # Errors
    /// A file has become unusable.
    pub(crate) fn list(&self) -> Result<Vec<Listed>, Error> {
        let rules = self.v2.rules()?;
        let known = defaults::of_v2(true);
        let warnings = rules.warnings();
        let listed = rules.definitions().map(|rule| Listed {
            name: rule.name.to_owned(),
            file: match rule.origin {
                Origin::BuiltIn => None,
                Origin::File(path) => Some(path.to_path_buf()),
            },
            check: rule.source.to_owned(),
            known: known.iter().any(|(name, _)| *name == rule.name),
            faults: warnings.iter().filter(|fault| fault.rule == rule.name).map(|fault| fault.reason.clone()).collect(),
        });
        Ok(listed.collect())
    }

    /// What v2 would say of this rule, and why.
    ///
    /// # Errors
    /// A file has become unusable.
    pub(crate) async fn check(&self, ctx: &Context, rule: &str, target: &Target) -> Result<Checked, Error> {
        let (passed, answers) = self.verdict(ctx, rule, target).await?;
        let explanation = self.v2.rules()?.explain(rule, target, &Caller(ctx), &answers);
        let barred = self.barred(ctx, rule, target).await?;
        Ok(Checked { passed: passed && barred.is_none(), barred, explanation })
    }

    async fn barred(&self, ctx: &Context, rule: &str, target: &Target) -> Result<Option<&'static str>, Error> {
        if !in_scope(ctx, rule) {
            return Ok(Some("the rule is for tokens of a project only"));
        }
        let owners = !self.new_only && (defaults::OWNERS.contains(&rule) || rule == "add_image");
        let owner = target.attribute("owner");
        let owner = owner.as_deref().and_then(|owner| owner.as_str());
        // An image that is to be may be nobody's, by somebody who is nobody either.
        let own = owner == ctx.owner() && (owner.is_some() || rule == "add_image");
        let only_owners = owners && !own && self.enforce(ctx, "context_is_admin").await.is_err();
        Ok(only_owners.then_some("with enforce_new_defaults = false only the owner may, or an admin"))
    }
}
