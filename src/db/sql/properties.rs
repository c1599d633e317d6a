//! Properties of an image: one row per name for ever, marked deleted and revived (database §3.2, §4.3).

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use sea_query::{Expr, ExprTrait, Query};

use super::error::Fault;
use super::pool::Session;
use super::statement::insert_child;
use crate::db::Error;
use crate::model::{ImageId, is_own_property};

/// The lock of v2's imports: written by nothing but its own atomic statements (database §4.4).
const IMPORT_LOCK: &str = "os_glance_import_task";

/// A row as it was found.
struct Stored {
    value: Option<String>,
    deleted: bool,
}

/// Sets the properties that are named; with `purge`, removes the live ones that are not, but for the service's own.
pub(super) async fn set(
    session: &mut Session,
    image: &ImageId,
    wanted: &BTreeMap<String, Option<String>>,
    purge: bool,
    now: NaiveDateTime,
) -> Result<(), Fault> {
    let mut stored = stored(session, image).await?;
    for (name, value) in wanted.iter().filter(|(name, _)| *name != IMPORT_LOCK) {
        match stored.remove(name) {
            Some(same) if !same.deleted && same.value == *value => {}
            Some(_) => {
                // Without its old deleted_at: `db purge` of other versions goes by that alone.
                let revived = Query::update()
                    .table("image_properties")
                    .value("value", value.clone())
                    .value("deleted", false)
                    .value("deleted_at", None::<NaiveDateTime>)
                    .value("updated_at", now)
                    .and_where(Expr::col("image_id").eq(image.as_str()))
                    .and_where(Expr::col("name").eq(name.as_str()))
                    .take();
                session.execute(&revived).await?;
            }
            None => {
                let cells = [("name", name.as_str().into()), ("value", value.clone().into())];
                match session.execute(&insert_child("image_properties", image, now, cells)).await.map_err(Fault::from) {
                    Err(fault) if fault.is_duplicate() => rename(session, image, name, value.as_ref(), now).await?,
                    inserted => drop(inserted?),
                }
            }
        }
    }
    if purge {
        let left: Vec<String> = stored
            .into_iter()
            .filter(|(name, row)| !row.deleted && !is_own_property(name))
            .map(|(name, _)| name)
            .collect();
        remove(session, image, left, now).await?;
    }
    Ok(())
}

/// Sets a property in the row of a removed one, whose name MySQL takes for the same: it differs in case, accents or spaces
/// at its end only (database §8). Two of these at a time MySQL cannot hold.
async fn rename(
    session: &mut Session,
    image: &ImageId,
    name: &str,
    value: Option<&String>,
    now: NaiveDateTime,
) -> Result<(), Fault> {
    let renamed = Query::update()
        .table("image_properties")
        .value("name", name)
        .value("value", value.cloned())
        .value("deleted", false)
        .value("deleted_at", None::<NaiveDateTime>)
        .value("updated_at", now)
        .and_where(Expr::col("image_id").eq(image.as_str()))
        .and_where(Expr::col("name").eq(name))
        .and_where(Expr::col("deleted").eq(true))
        .take();
    if session.execute(&renamed).await? == 0 {
        let reason = "the database takes its name for that of another property of the image";
        return Err(Error::Duplicate(format!("Property {name}: {reason}")).into());
    }
    Ok(())
}

/// Every row there ever was, by name.
async fn stored(session: &mut Session, image: &ImageId) -> Result<BTreeMap<String, Stored>, Fault> {
    let query = Query::select()
        .columns(["name", "value", "deleted"])
        .from("image_properties")
        .and_where(Expr::col("image_id").eq(image.as_str()))
        .take();
    let mut stored = BTreeMap::new();
    for row in session.rows(&query).await? {
        stored.insert(row.get("name")?, Stored { value: row.get("value")?, deleted: row.get("deleted")? });
    }
    Ok(stored)
}

/// Marks properties deleted.
pub(super) async fn remove(
    session: &mut Session,
    image: &ImageId,
    names: Vec<String>,
    now: NaiveDateTime,
) -> Result<(), Fault> {
    if names.is_empty() {
        return Ok(());
    }
    let removed = Query::update()
        .table("image_properties")
        .value("deleted", true)
        .value("deleted_at", now)
        .and_where(Expr::col("image_id").eq(image.as_str()))
        .and_where(Expr::col("name").is_in(names))
        .take();
    session.execute(&removed).await?;
    Ok(())
}
