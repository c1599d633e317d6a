//! One image, judged for its caller.

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

/// One image with its children.
pub(super) async fn image_get(session: &mut Session, ctx: &Context, id: &ImageId) -> Result<Image, Fault> {
    let image = rows::load_one(session, id).await?.ok_or_else(not_found)?;
    let image = seen(session, ctx, image).await?;
    undeleted(ctx, image)
}

/// The row of an image that the caller may see, without its children.
pub(super) async fn visible(
    session: &mut Session,
    ctx: &Context,
    id: &ImageId,
    purpose: Purpose,
) -> Result<Image, Fault> {
    let image = visible_or_deleted(session, ctx, id, purpose).await?;
    undeleted(ctx, image)
}

/// As [`visible`], but also a deleted image that the caller could see while it lived.
pub(super) async fn visible_or_deleted(
    session: &mut Session,
    ctx: &Context,
    id: &ImageId,
    purpose: Purpose,
) -> Result<Image, Fault> {
    let image = stored(session, id, purpose).await?;
    seen(session, ctx, image).await
}

/// The image, if the caller may see it.
async fn seen(session: &mut Session, ctx: &Context, image: Image) -> Result<Image, Fault> {
    // The membership is asked for only where it decides.
    let seen = may_see(ctx, &image, None) || {
        let membership = members::membership_of(session, ctx, &image.id).await?;
        may_see(ctx, &image, membership.as_ref())
    };
    if seen { Ok(image) } else { Err(not_found().into()) }
}

/// The image, unless it is deleted and the caller one for whom such images are gone.
fn undeleted(ctx: &Context, image: Image) -> Result<Image, Fault> {
    if image.deleted && !ctx.sees_deleted() { Err(not_found().into()) } else { Ok(image) }
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
    Ok(rows::load_one(session, id).await?.ok_or_else(not_found)?)
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
