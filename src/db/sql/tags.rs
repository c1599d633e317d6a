//! Tags of an image: a new row each time one is added, marked deleted when it goes (database §3.3, §4.3).

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use sea_query::{Expr, ExprTrait, Query};

use super::error::Fault;
use super::pool::Session;
use super::statement::{insert_child, live, soft_delete_children};
use crate::model::ImageId;

/// Makes `wanted` the tags of an image.
pub(super) async fn set(
    session: &mut Session,
    image: &ImageId,
    wanted: &BTreeSet<String>,
    now: NaiveDateTime,
) -> Result<(), Fault> {
    let before = stored(session, image).await?;
    for tag in before.difference(wanted) {
        remove(session, image, tag, now).await?;
    }
    for tag in wanted.difference(&before) {
        add(session, image, tag, now).await?;
    }
    Ok(())
}

/// Adds a tag that is not there.
pub(super) async fn add(session: &mut Session, image: &ImageId, tag: &str, now: NaiveDateTime) -> Result<(), Fault> {
    session.execute(&insert_child("image_tags", image, now, [("value", tag.into())])).await?;
    Ok(())
}

/// Removes a tag, every row of it; the number of rows.
pub(super) async fn remove(
    session: &mut Session,
    image: &ImageId,
    tag: &str,
    now: NaiveDateTime,
) -> Result<u64, Fault> {
    let mut removed = soft_delete_children("image_tags", image, now);
    // MySQL compares without case, and would remove others as well (database §8).
    let just_this = session.dialect().bytewise(Expr::col("value")).eq(tag);
    Ok(session.execute(removed.and_where(just_this)).await?)
}

/// The live tags.
pub(super) async fn stored(session: &mut Session, image: &ImageId) -> Result<BTreeSet<String>, Fault> {
    let query = Query::select()
        .column("value")
        .from("image_tags")
        .and_where(Expr::col("image_id").eq(image.as_str()))
        .and_where(live())
        .take();
    session.rows(&query).await?.iter().map(|row| Ok(row.get("value")?)).collect()
}
