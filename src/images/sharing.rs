//! Sharing images with other projects, by v2 (v2-images §9, policy-and-auth §5.3).
//!
//! The rule of seeing the image comes first, then whether the image can have members at all, then the member, then the rule
//! of the call.

use chrono::Utc;

use super::{Error, Images, Result};
use crate::db;
use crate::model::{Context, Image, ImageId, MemberStatus, Sharing, Visibility};
use crate::notify::Event;
use crate::policy;

/// Why v2 does not do or tell something of members.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SharingRefusal {
    /// Members of an image that is not shared are kept, but nobody reaches them.
    #[error("Not allowed to {doing} members for image {id}{}", if *.doing == "list" { ": Only shared images have members." } else { "." })]
    NotShared { doing: &'static str, id: ImageId },
    /// The same, to who asks for one member.
    #[error("Only shared images have members.")]
    NoneShown,
    /// No such member, as far as the caller sees.
    #[error("{member} not found in the member list of the image {id}.")]
    NoMember { member: String, id: ImageId },
    /// It is a member already.
    #[error("Member {member} is duplicated for image {id}")]
    Duplicate { member: String, id: ImageId },
    /// The image has as many members as it may have.
    #[error(
        "Image member limit exceeded for image {id}: The limit has been exceeded on the number of allowed image members \
         for this image. Attempted: {attempted}, Maximum: {quota}:"
    )]
    Quota { id: ImageId, attempted: usize, quota: usize },
    /// A word that is no answer.
    #[error("Incorrect request: Status must be \"pending\", \"accepted\" or \"rejected\".")]
    UnknownStatus,
}

impl Images {
    /// Whom the image is shared with, as far as the caller may know.
    pub(crate) async fn sharings(&self, ctx: &Context, id: &ImageId) -> Result<Vec<Sharing>> {
        let image = self.shared(ctx, id, "list").await?;
        self.parts.policy.enforce_on(ctx, "get_members", &image).await?;
        self.stored_sharings(ctx, id).await
    }

    /// One membership.
    pub(crate) async fn sharing(&self, ctx: &Context, id: &ImageId, member: &str) -> Result<Sharing> {
        let image = self.shared(ctx, id, "show").await?;
        let found = self.known(ctx, id, member).await?;
        match self.parts.policy.enforce_on(ctx, "get_member", &image).await {
            Err(policy::Error::Denied(_)) => Err(no_member(id, member)),
            verdict => verdict.map(|()| found).map_err(Error::Policy),
        }
    }

    /// Shares the image with one more.
    pub(crate) async fn sharing_add(&self, ctx: &Context, id: &ImageId, member: &str) -> Result<Sharing> {
        let image = self.changeable_sharing(ctx, id, "create").await?;
        self.parts.policy.enforce_on(ctx, "add_member", &image).await?;
        let added = self.parts.metadata.sharing_add(ctx, id, member, self.parts.settings.member_quota).await;
        let added = added.map_err(|error| match error {
            db::Error::TooMany { attempted, quota } => {
                SharingRefusal::Quota { id: id.clone(), attempted, quota }.into()
            }
            db::Error::Duplicate(_) => SharingRefusal::Duplicate { member: member.to_owned(), id: id.clone() }.into(),
            source => lost(id, source),
        })?;
        self.parts.notifier.member(Event::MemberCreate, &added, None);
        Ok(added)
    }

    /// Sets what a member says to the image; `None` for a word that means nothing.
    pub(crate) async fn sharing_answer(
        &self,
        ctx: &Context,
        id: &ImageId,
        member: &str,
        status: Option<MemberStatus>,
    ) -> Result<Sharing> {
        let image = self.changeable_sharing(ctx, id, "update").await?;
        self.known(ctx, id, member).await?;
        self.parts.policy.enforce_on(ctx, "modify_member", &image).await?;
        let status = status.ok_or(SharingRefusal::UnknownStatus)?;
        let answered = self.parts.metadata.sharing_answer(ctx, id, member, status).await;
        let answered = answered.map_err(|error| gone(id, member, error))?;
        self.parts.notifier.member(Event::MemberUpdate, &answered, None);
        Ok(answered)
    }

    /// Ends a membership.
    pub(crate) async fn sharing_end(&self, ctx: &Context, id: &ImageId, member: &str) -> Result<()> {
        let image = self.changeable_sharing(ctx, id, "delete").await?;
        let ended = self.known(ctx, id, member).await?;
        self.parts.policy.enforce_on(ctx, "delete_member", &image).await?;
        let removed = self.parts.metadata.sharing_end(ctx, id, member).await;
        removed.map_err(|error| gone(id, member, error))?;
        self.parts.notifier.member(Event::MemberDelete, &ended, Some(Utc::now().naive_utc()));
        Ok(())
    }

    async fn changeable_sharing(&self, ctx: &Context, id: &ImageId, doing: &'static str) -> Result<Image> {
        if ctx.read_only { Err(Error::ReadOnly) } else { self.shared(ctx, id, doing).await }
    }

    /// An image that the caller sees and that can have members.
    async fn shared(&self, ctx: &Context, id: &ImageId, doing: &'static str) -> Result<Image> {
        let image = self.seen(ctx, id).await?;
        match image.visibility {
            Visibility::Shared => Ok(image),
            _ if doing == "show" => Err(SharingRefusal::NoneShown.into()),
            _ => Err(SharingRefusal::NotShared { doing, id: id.clone() }.into()),
        }
    }

    async fn known(&self, ctx: &Context, id: &ImageId, member: &str) -> Result<Sharing> {
        let all = self.stored_sharings(ctx, id).await?;
        all.into_iter().find(|known| known.member == member).ok_or_else(|| no_member(id, member))
    }

    async fn stored_sharings(&self, ctx: &Context, id: &ImageId) -> Result<Vec<Sharing>> {
        self.parts.metadata.sharings(ctx, id).await.map_err(|source| lost(id, source))
    }
}

fn no_member(id: &ImageId, member: &str) -> Error {
    SharingRefusal::NoMember { member: member.to_owned(), id: id.clone() }.into()
}

/// The image may have gone since it was seen.
fn lost(id: &ImageId, source: db::Error) -> Error {
    match source {
        db::Error::NotFound(_) => Error::Lookup { id: id.to_string(), source },
        source => Error::Membership(source),
    }
}

/// The membership may have gone since it was seen.
fn gone(id: &ImageId, member: &str, error: db::Error) -> Error {
    match error {
        db::Error::NotFound(_) => no_member(id, member),
        error => Error::Membership(error),
    }
}
