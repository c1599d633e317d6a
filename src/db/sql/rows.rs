//! Reading images with what belongs to them: the statements, and from rows to images.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement, UnionType};
use serde_json::{Map, Value};

use super::error::Fault;
use super::pool::{Row, Session};
use super::statement::live;
use crate::db::Error;
use crate::model::{Image, ImageId, Location, OsHash};

/// The columns of `images` that [`image`] reads.
pub(super) const COLUMNS: [&str; 20] = [
    "id",
    "name",
    "status",
    "visibility",
    "disk_format",
    "container_format",
    "size",
    "virtual_size",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "protected",
    "os_hidden",
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
        size: bytes(row, "size")?,
        virtual_size: bytes(row, "virtual_size")?,
        checksum: row.get("checksum")?,
        os_hash: algo.zip(value).map(|(algo, value)| OsHash { algo, value }),
        protected: row.get("protected")?,
        os_hidden: row.get("os_hidden")?,
        min_disk: row.get("min_disk")?,
        min_ram: row.get("min_ram")?,
        owner: row.get("owner")?,
        created_at,
        updated_at: row.get::<Option<_>>("updated_at")?.unwrap_or(created_at),
        deleted_at: row.get("deleted_at")?,
        deleted: row.get("deleted")?,
        properties: BTreeMap::new(),
        tags: BTreeSet::new(),
        locations: Vec::new(),
    })
}

fn bytes(row: &Row, column: &str) -> Result<Option<u64>, Fault> {
    Ok(row.get::<Option<i64>>(column)?.and_then(|size| u64::try_from(size).ok()))
}

/// An id as the database holds it.
pub(super) fn image_id(text: &str) -> Result<ImageId, Fault> {
    let id = ImageId::parse(text).ok_or_else(|| Error::Internal(format!("the image id '{text}' is no UUID")))?;
    Ok(id)
}

/// Images with all that belongs to them, by one statement: each is a journey to the database, if only to the thread that
/// asks SQLite, and this is what every download waits for. A row that cannot be understood is the fault of its image only.
pub(super) async fn load_all(session: &mut Session, ids: &[ImageId]) -> Result<Found, Fault> {
    let query = Query::select()
        .columns(COLUMNS.map(|column| ("images", column)))
        .columns(CHILD_COLUMNS)
        .from("images")
        .join_subquery(JoinType::LeftJoin, children(ids), "child", Expr::col("child_image").equals(("images", "id")))
        .and_where(Expr::col(("images", "id")).is_in(names(ids)))
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

/// Adds what belongs to the images: one statement however many there are (database §7).
pub(super) async fn load_children(session: &mut Session, images: &mut [Image]) -> Result<(), Fault> {
    if images.is_empty() {
        return Ok(());
    }
    let places: HashMap<String, usize> =
        images.iter().enumerate().map(|(place, image)| (image.id.as_str().to_owned(), place)).collect();
    let ids: Vec<ImageId> = images.iter().map(|image| image.id.clone()).collect();
    for row in session.rows(children(&ids).order_by("child_id", Order::Asc)).await? {
        let id: String = row.get("child_image")?;
        if let Some(image) = places.get(&id).and_then(|place| images.get_mut(*place)) {
            add_child(image, &row)?;
        }
    }
    Ok(())
}

/// What [`children`] tells of a child, beside its image.
const CHILD_COLUMNS: [&str; 6] =
    ["child_id", "child_kind", "child_name", "child_value", "child_metadata", "child_deleted"];

/// The live properties, tags and locations of images, and the locations that await their scrubber, as rows of one shape.
fn children(ids: &[ImageId]) -> SelectStatement {
    let of = |table: &'static str, kind: Child, name: Expr, metadata: Expr| {
        Query::select()
            .expr_as(Expr::col("image_id"), "child_image")
            .expr_as(Expr::col("id"), "child_id")
            .expr_as(Expr::val(kind as i32), "child_kind")
            .expr_as(name, "child_name")
            .expr_as(Expr::col("value"), "child_value")
            .expr_as(metadata, "child_metadata")
            .expr_as(Expr::col("deleted"), "child_deleted")
            .from(table)
            .and_where(Expr::col("image_id").is_in(names(ids)))
            .take()
    };
    let none = || Expr::val(None::<String>);
    let mut properties = of("image_properties", Child::Property, Expr::col("name"), none()).and_where(live()).take();
    let tags = of("image_tags", Child::Tag, none(), none()).and_where(live()).take();
    // A live row of another status is a copy that is not complete (v2-images §4).
    let usable = Expr::col("status").eq("active").and(live()).or(Expr::col("status").eq("pending_delete"));
    let locations = of("image_locations", Child::Location, none(), Expr::col("meta_data")).and_where(usable).take();
    properties.union(UnionType::All, tags).union(UnionType::All, locations).take()
}

fn names(ids: &[ImageId]) -> impl Iterator<Item = &str> {
    ids.iter().map(ImageId::as_str)
}

/// What a row of [`children`] is.
#[derive(Debug, Clone, Copy)]
enum Child {
    Property = 1,
    Tag = 2,
    Location = 3,
}

/// Adds the child in a row of [`children`], if there is one.
fn add_child(image: &mut Image, row: &Row) -> Result<(), Fault> {
    let Some(kind) = row.get::<Option<i32>>("child_kind")? else { return Ok(()) };
    if kind == Child::Property as i32 {
        image.properties.insert(row.get("child_name")?, row.get("child_value")?);
    } else if kind == Child::Tag as i32 {
        image.tags.insert(row.get("child_value")?);
    } else if image.deleted || !row.get::<bool>("child_deleted")? {
        // Of a deleted image, the locations that still await their scrubber count as its own.
        let metadata = noted(row.get::<Option<String>>("child_metadata")?);
        image.locations.push(Location { uri: row.get("child_value")?, metadata });
    }
    Ok(())
}

/// What is noted of a location; what cannot be read is nothing that a download needs.
fn noted(text: Option<String>) -> Map<String, Value> {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}
