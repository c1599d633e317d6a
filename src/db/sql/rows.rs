//! Reading images with what belongs to them: the statements, and from rows to images.

use std::collections::{BTreeMap, HashMap};

use sea_query::{Expr, ExprTrait, JoinType, Order, Query, UnionType};

use super::error::Fault;
use super::pool::{Row, Session};
use super::statement::live;
use crate::db::Error;
use crate::model::{Image, ImageId, OsHash};

/// The columns of `images` that [`image`] reads.
pub(super) const COLUMNS: [&str; 18] = [
    "id",
    "name",
    "status",
    "visibility",
    "disk_format",
    "container_format",
    "size",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "protected",
    "min_disk",
    "min_ram",
    "owner",
    "created_at",
    "updated_at",
    "deleted_at",
    "deleted",
];

/// Those of the images asked for that there are.
pub(super) type Found = HashMap<ImageId, Result<Image, Error>>;

/// An image without its children.
pub(super) fn image(row: &Row) -> Result<Image, Fault> {
    let id: String = row.get("id")?;
    let known = |what: &str, text: &str| Error::Internal(format!("image {id} has the unknown {what} '{text}'"));
    let status: String = row.get("status")?;
    let visibility: String = row.get("visibility")?;
    let created_at = row.get("created_at")?;
    let (algo, value): (Option<String>, Option<String>) = (row.get("os_hash_algo")?, row.get("os_hash_value")?);
    Ok(Image {
        status: status.parse().map_err(|()| known("status", &status))?,
        visibility: visibility.parse().map_err(|()| known("visibility", &visibility))?,
        id: image_id(&id)?,
        name: row.get("name")?,
        disk_format: row.get("disk_format")?,
        container_format: row.get("container_format")?,
        size: row.get::<Option<i64>>("size")?.and_then(|size| u64::try_from(size).ok()),
        checksum: row.get("checksum")?,
        os_hash: algo.zip(value).map(|(algo, value)| OsHash { algo, value }),
        protected: row.get("protected")?,
        min_disk: row.get("min_disk")?,
        min_ram: row.get("min_ram")?,
        owner: row.get("owner")?,
        created_at,
        updated_at: row.get::<Option<_>>("updated_at")?.unwrap_or(created_at),
        deleted_at: row.get("deleted_at")?,
        deleted: row.get("deleted")?,
        properties: BTreeMap::new(),
        locations: Vec::new(),
    })
}

/// An id as the database holds it.
pub(super) fn image_id(text: &str) -> Result<ImageId, Fault> {
    let id = ImageId::parse(text).ok_or_else(|| Error::Internal(format!("the image id '{text}' is no UUID")))?;
    Ok(id)
}

/// Images with properties and locations, by one statement: each is a journey to the database, if only to the thread that
/// asks SQLite, and this is what every download waits for. A row that cannot be understood is the fault of its image only.
pub(super) async fn load_all(session: &mut Session, ids: &[ImageId]) -> Result<Found, Fault> {
    let names = || ids.iter().map(ImageId::as_str);
    let children = |table: &'static str, name: Expr| {
        Query::select()
            .expr_as(Expr::col("image_id"), "child_image")
            .expr_as(Expr::col("id"), "child_id")
            .expr_as(name, "child_name")
            .expr_as(Expr::col("value"), "child_value")
            .expr_as(Expr::col("deleted"), "child_deleted")
            .from(table)
            .and_where(Expr::col("image_id").is_in(names()))
            .take()
    };
    let locations = children("image_locations", Expr::val(None::<String>))
        .and_where(live().or(Expr::col("status").eq("pending_delete")))
        .take();
    let both =
        children("image_properties", Expr::col("name")).and_where(live()).union(UnionType::All, locations).take();
    let query = Query::select()
        .columns(COLUMNS.map(|column| ("images", column)))
        .columns(["child_id", "child_name", "child_value", "child_deleted"])
        .from("images")
        .join_subquery(JoinType::LeftJoin, both, "child", Expr::col("child_image").equals(("images", "id")))
        .and_where(Expr::col(("images", "id")).is_in(names()))
        .order_by("child_id", Order::Asc)
        .take();
    let mut found = Found::new();
    for row in session.rows(&query).await? {
        let id = image_id(&row.get::<String>("id")?)?;
        let one = found.entry(id).or_insert_with(|| Ok(image(&row)?));
        if let Ok(image) = one
            && let Err(fault) = add_child(image, &row)
        {
            *one = Err(fault.into());
        }
    }
    Ok(found)
}

/// The child in a row of [`load_all`], if there is one.
fn add_child(image: &mut Image, row: &Row) -> Result<(), Fault> {
    if row.get::<Option<i64>>("child_id")?.is_none() {
        return Ok(());
    }
    // Only properties have names.
    match row.get::<Option<String>>("child_name")? {
        Some(name) => {
            image.properties.insert(name, row.get("child_value")?);
        }
        None => add_location(image, row.get("child_deleted")?, row.get("child_value")?),
    }
    Ok(())
}

/// Of a deleted image, the locations that still await their scrubber count as its own.
fn add_location(image: &mut Image, deleted: bool, uri: String) {
    if image.deleted || !deleted {
        image.locations.push(uri);
    }
}

/// Adds properties and locations: two statements however many images there are (database §7).
pub(super) async fn load_children(session: &mut Session, images: &mut [Image]) -> Result<(), Fault> {
    if images.is_empty() {
        return Ok(());
    }
    let places: HashMap<String, usize> =
        images.iter().enumerate().map(|(place, image)| (image.id.as_str().to_owned(), place)).collect();
    let ids = || images.iter().map(|image| image.id.as_str());
    let properties = Query::select()
        .columns(["image_id", "name", "value"])
        .from("image_properties")
        .and_where(Expr::col("image_id").is_in(ids()))
        .and_where(live())
        .take();
    let locations = Query::select()
        .columns(["image_id", "value", "deleted"])
        .from("image_locations")
        .and_where(Expr::col("image_id").is_in(ids()))
        .and_where(live().or(Expr::col("status").eq("pending_delete")))
        .order_by("id", Order::Asc)
        .take();
    for row in session.rows(&properties).await? {
        if let Some(image) = parent(images, &places, &row)? {
            image.properties.insert(row.get("name")?, row.get("value")?);
        }
    }
    for row in session.rows(&locations).await? {
        if let Some(image) = parent(images, &places, &row)? {
            add_location(image, row.get("deleted")?, row.get("value")?);
        }
    }
    Ok(())
}

/// The image that a child row belongs to.
fn parent<'a>(
    images: &'a mut [Image],
    places: &HashMap<String, usize>,
    row: &Row,
) -> Result<Option<&'a mut Image>, Fault> {
    let id: String = row.get("image_id")?;
    Ok(places.get(&id).and_then(|place| images.get_mut(*place)))
}
