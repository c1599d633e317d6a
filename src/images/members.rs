//! Sharing images with other projects by v1 (v1-api §14; v2: `sharing.rs`).

use super::{Error, Images, Result};
use crate::model::Membership;
use crate::model::{Api, Context, ImageId, Member};

impl Images {
    /// Who an image is shared with.
    pub(crate) async fn members(&self, ctx: &Context, id: &ImageId) -> Result<Vec<Member>> {
        self.authorise_members(ctx, id, "get_members").await?;
        let found = self.parts.metadata.members(ctx, id).await;
        found.map_err(|source| Error::Lookup { id: id.to_string(), source })
    }

    /// Shares the image with just these.
    pub(crate) async fn members_replace(&self, ctx: &Context, id: &ImageId, members: &[Membership]) -> Result<()> {
        self.authorise_sharing(ctx, id, sharing_rule(ctx)).await?;
        self.check_members(members.len())?;
        self.parts.metadata.members_replace(ctx, id, members).await.map_err(Error::Membership)
    }

    /// Shares the image with one more, or changes that membership.
    pub(crate) async fn member_put(&self, ctx: &Context, id: &ImageId, member: &Membership) -> Result<()> {
        self.authorise_sharing(ctx, id, sharing_rule(ctx)).await?;
        let others = self.parts.metadata.members(ctx, id).await.map_err(Error::Membership)?;
        self.check_members(1 + others.iter().filter(|other| other.member != member.member).count())?;
        self.parts.metadata.member_put(ctx, id, member).await.map_err(Error::Membership)
    }

    /// Ends a membership.
    pub(crate) async fn member_delete(&self, ctx: &Context, id: &ImageId, member: &str) -> Result<()> {
        self.authorise_sharing(ctx, id, "delete_member").await?;
        self.parts.metadata.member_delete(ctx, id, member).await.map_err(Error::Membership)
    }

    /// The images shared with `member`.
    pub(crate) async fn shared_images(&self, ctx: &Context, member: &str) -> Result<Vec<Member>> {
        self.parts.policy.enforce(ctx, "get_shared_images").await?;
        self.parts.metadata.shared_images(ctx, member).await.map_err(Error::Membership)
    }

    /// Refuses more members than the quota.
    fn check_members(&self, attempted: usize) -> Result<()> {
        match self.parts.settings.member_quota {
            Some(quota) if attempted > quota => Err(Error::Quota { what: "members", attempted, quota }),
            _ => Ok(()),
        }
    }

    async fn authorise_sharing(&self, ctx: &Context, id: &ImageId, rule: &'static str) -> Result<()> {
        if ctx.read_only {
            self.authorise_change(ctx, rule).await?;
        }
        self.authorise_members(ctx, id, rule).await?;
        if ctx.owner().is_none() { Err(Error::NoOwner) } else { Ok(()) }
    }

    /// Today's rules look at the image, which has to be looked up for them; whoever may not see it does not hear of its
    /// members (policy-and-auth §5.3).
    async fn authorise_members(&self, ctx: &Context, id: &ImageId, rule: &'static str) -> Result<()> {
        self.authorise_unseen(ctx, rule).await?;
        if ctx.judged_by() == Api::V2 {
            let image = self.lookup(ctx, id).await?;
            self.authorise_seen(ctx, "get_image", &image).await?;
            self.authorise_seen(ctx, rule, &image).await?;
        }
        Ok(())
    }
}

/// To modify a member is to answer for it, by today's rules; in 2012 it was to share.
fn sharing_rule(ctx: &Context) -> &'static str {
    match ctx.judged_by() {
        Api::V1 => "modify_member",
        Api::V2 => "add_member",
    }
}
