//! One tag more, or one fewer (v2-images §6.7). The image is locked meanwhile, so that tags which come at the same time do
//! not undo each other, and none of them comes beyond the quota.

use chrono::NaiveDateTime;
use sea_query::{Expr, ExprTrait, Query};

use super::error::Fault;
use super::image_get::{self, changeable};
use super::pool::Session;
use super::statement::now;
use super::tags;
use crate::db::Error;
use crate::model::{Context, Image, ImageId};

/// Adds a tag; `None` if it is there.
pub(super) async fn tag_add(
    mut session: Session,
    ctx: &Context,
    id: &ImageId,
    tag: &str,
    quota: Option<usize>,
) -> Result<Option<Image>, Fault> {
    changeable(&mut session, ctx, id).await?;
    let before = tags::stored(&mut session, id).await?;
    if before.contains(tag) {
        return Ok(None);
    }
    let attempted = before.len() + 1;
    if let Some(quota) = quota.filter(|quota| attempted > *quota) {
        return Err(Error::TooMany { attempted, quota }.into());
    }
    let now = now();
    tags::add(&mut session, id, tag, now).await?;
    changed(session, id, now).await.map(Some)
}

/// Removes a tag.
pub(super) async fn tag_remove(mut session: Session, ctx: &Context, id: &ImageId, tag: &str) -> Result<Image, Fault> {
    changeable(&mut session, ctx, id).await?;
    // The database's own comparison may be one without case.
    if !tags::stored(&mut session, id).await?.contains(tag) {
        return Err(Error::NotFound("There is no such tag".to_owned()).into());
    }
    let now = now();
    tags::remove(&mut session, id, tag, now).await?;
    changed(session, id, now).await
}

async fn changed(mut session: Session, id: &ImageId, now: NaiveDateTime) -> Result<Image, Fault> {
    let touched =
        Query::update().table("images").value("updated_at", now).and_where(Expr::col("id").eq(id.as_str())).take();
    session.execute(&touched).await?;
    let image = image_get::reload(&mut session, id).await?;
    session.commit().await?;
    Ok(image)
}
