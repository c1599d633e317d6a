//! Who may see, change and share an image (v1-api §15).

use super::{Context, Image, Member, Visibility};

/// See it by id: admin, ownerless, public or community, owner, or live member. `membership` is the caller's, if any.
pub(crate) fn may_see(ctx: &Context, image: &Image, membership: Option<&Member>) -> bool {
    ctx.is_admin
        || image.owner.is_none()
        || matches!(image.visibility, Visibility::Public | Visibility::Community)
        || owns(ctx, image)
        || (image.visibility == Visibility::Shared && membership.is_some())
}

/// Change or delete it: admin or owner, whatever a policy lets others do (as Glance's own database layer has it).
pub(crate) fn may_change(ctx: &Context, image: &Image) -> bool {
    ctx.is_admin || owns(ctx, image)
}

/// Share it: a caller with an owner identity who is admin, owner, or a member that may share on.
pub(crate) fn may_share(ctx: &Context, image: &Image, membership: Option<&Member>) -> bool {
    ctx.owner().is_some() && (may_change(ctx, image) || membership.is_some_and(|member| member.can_share))
}

/// It is of the caller's project (or the caller's own).
pub(crate) fn owns(ctx: &Context, image: &Image) -> bool {
    image.owner.is_some() && image.owner.as_deref() == ctx.owner()
}
