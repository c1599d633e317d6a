//! Whether a caller may see an image, and reading one within a change of it.

use sea_query::{Expr, ExprTrait, Query};

use super::error::Fault;
use super::members;
use super::pool::Session;
use super::rows;
use crate::db::Error;
use crate::model::{Context, Image, ImageId, may_change, may_see};

/// What a statement about one image is going to do with its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    /// Other writers of the image have to wait until this transaction ends.
    Write,
}

/// The image that was read, if the caller may see it without being a member; `None` if that is still to be asked.
pub(super) fn plainly_visible(ctx: &Context, image: &Image) -> Option<Result<(), Error>> {
    match (image.deleted && !ctx.sees_deleted(), may_see(ctx, image, None)) {
        (true, _) => Some(Err(not_found())),
        (false, true) => Some(Ok(())),
        (false, false) => None,
    }
}

/// The image that was read, if the caller is a member of it.
pub(super) async fn visible_to_member(session: &mut Session, ctx: &Context, image: &Image) -> Result<(), Fault> {
    let membership = members::membership_of(session, ctx, &image.id).await?;
    if may_see(ctx, image, membership.as_ref()) { Ok(()) } else { Err(not_found().into()) }
}

/// The row of an image that the caller may see, without its children.
pub(super) async fn visible(
    session: &mut Session,
    ctx: &Context,
    id: &ImageId,
    purpose: Purpose,
) -> Result<Image, Fault> {
    let image = visible_or_deleted(session, ctx, id, purpose).await?;
    if image.deleted && !ctx.sees_deleted() { Err(not_found().into()) } else { Ok(image) }
}

/// As [`visible`], but also a deleted image that the caller could see while it lived.
pub(super) async fn visible_or_deleted(
    session: &mut Session,
    ctx: &Context,
    id: &ImageId,
    purpose: Purpose,
) -> Result<Image, Fault> {
    let image = stored(session, id, purpose).await?;
    // The membership is asked for only where it decides.
    if !may_see(ctx, &image, None) {
        visible_to_member(session, ctx, &image).await?;
    }
    Ok(image)
}

/// The row of an image that the caller may change, without its children.
pub(super) async fn changeable(session: &mut Session, ctx: &Context, id: &ImageId) -> Result<Image, Fault> {
    let image = visible(session, ctx, id, Purpose::Write).await?;
    if may_change(ctx, &image) {
        Ok(image)
    } else {
        Err(Error::Forbidden("Image is not owned by the caller".to_owned()).into())
    }
}

/// The row of an image, whoever asks.
async fn stored(session: &mut Session, id: &ImageId, purpose: Purpose) -> Result<Image, Fault> {
    let mut query = Query::select();
    query.columns(rows::COLUMNS).from("images").and_where(Expr::col("id").eq(id.as_str()));
    if purpose == Purpose::Write {
        // SQLite leaves this out: its transactions hold the one write lock from their start.
        query.lock_exclusive();
    }
    let row = session.row(&query).await?.ok_or_else(not_found)?;
    rows::image(&row)
}

/// The image as it is stored now, with its children.
pub(super) async fn reload(session: &mut Session, id: &ImageId) -> Result<Image, Fault> {
    let mut images = rows::load_all(session, std::slice::from_ref(id)).await?;
    Ok(images.remove(id).ok_or_else(not_found)??)
}

/// Adds the children.
pub(super) async fn with_children(session: &mut Session, image: Image) -> Result<Image, Fault> {
    let mut one = [image];
    rows::load_children(session, &mut one).await?;
    let [image] = one;
    Ok(image)
}

/// What a caller hears of images that are not there for it.
pub(super) fn not_found() -> Error {
    Error::NotFound("Image not found".to_owned())
}
