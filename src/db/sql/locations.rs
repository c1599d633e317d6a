//! Where an image's data is; the table holds the history of all locations (database §4.3, §4.5).

use chrono::NaiveDateTime;
use sea_query::{Expr, ExprTrait, Query};

use super::error::Fault;
use super::pool::Session;
use super::statement::{insert_child, soft_delete_children};
use crate::model::{ImageId, ImageStatus, Location};
use crate::wire::python_json;

/// Adds locations.
pub(super) async fn add(
    session: &mut Session,
    image: &ImageId,
    locations: &[Location],
    now: NaiveDateTime,
) -> Result<(), Fault> {
    for Location { uri, metadata } in locations {
        // As Glance writes it, for whoever compares the text.
        let metadata = python_json(&metadata.clone().into());
        let cells = [("value", uri.as_str().into()), ("meta_data", metadata.into()), ("status", "active".into())];
        session.execute(&insert_child("image_locations", image, now, cells)).await?;
    }
    Ok(())
}

/// Marks the live locations deleted; `pending` when their data is still to be removed.
pub(super) async fn remove(
    session: &mut Session,
    image: &ImageId,
    pending: bool,
    now: NaiveDateTime,
) -> Result<(), Fault> {
    let status = if pending { ImageStatus::PendingDelete } else { ImageStatus::Deleted };
    let mut removed = soft_delete_children("image_locations", image, now);
    session.execute(removed.value("status", status.as_str()).value("updated_at", now)).await?;
    Ok(())
}

/// The data that awaited its scrubber is gone.
pub(super) async fn scrubbed(session: &mut Session, image: &ImageId, now: NaiveDateTime) -> Result<(), Fault> {
    let scrubbed = Query::update()
        .table("image_locations")
        .value("status", ImageStatus::Deleted.as_str())
        .value("updated_at", now)
        .and_where(Expr::col("image_id").eq(image.as_str()))
        .and_where(Expr::col("status").eq(ImageStatus::PendingDelete.as_str()))
        .take();
    session.execute(&scrubbed).await?;
    Ok(())
}

/// The data that awaited its scrubber stays.
pub(super) async fn restored(session: &mut Session, image: &ImageId, now: NaiveDateTime) -> Result<(), Fault> {
    let restored = Query::update()
        .table("image_locations")
        .values([
            ("status", ImageStatus::Active.as_str().into()),
            ("updated_at", now.into()),
            ("deleted", false.into()),
            ("deleted_at", None::<NaiveDateTime>.into()),
        ])
        .and_where(Expr::col("image_id").eq(image.as_str()))
        .and_where(Expr::col("status").eq(ImageStatus::PendingDelete.as_str()))
        .take();
    session.execute(&restored).await?;
    Ok(())
}
