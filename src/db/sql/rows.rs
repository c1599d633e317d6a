//! Reading images with what belongs to them: the statements, and from rows to images.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};

use super::children;
use super::dialect::Dialect;
use super::error::Fault;
use super::pool::{Row, Session};
use super::statement::of_image;
use crate::db::Error;
use crate::model::{Image, ImageId};

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
        os_hash_algo: row.get("os_hash_algo")?,
        os_hash_value: row.get("os_hash_value")?,
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

/// Selects the columns of images, and what belongs to them where one value can hold that: for [`images`].
pub(super) fn select(dialect: Dialect) -> SelectStatement {
    let mut query = Query::select();
    query.columns(COLUMNS.map(|column| ("images", column)));
    if let Some(packed) = children::packed(dialect) {
        query.expr_as(packed, children::PACKED);
    }
    query
}

/// The images that a statement made from [`select`] finds, with what belongs to them.
pub(super) async fn images(session: &mut Session, query: &SelectStatement) -> Result<Vec<Image>, Fault> {
    let packed = session.dialect().packs();
    let mut images = Vec::new();
    for row in session.rows(query).await? {
        let mut image = image(&row)?;
        if packed {
            children::unpack(&mut image, &row)?;
        }
        images.push(image);
    }
    if !packed {
        load_children(session, &mut images).await?;
    }
    Ok(images)
}

/// Images with all that belongs to them, by one statement: each is a journey to the database, if only to the thread that
/// asks SQLite, and this is what every download waits for. A row that cannot be understood is the fault of its image only.
pub(super) async fn load_all(session: &mut Session, ids: &[ImageId]) -> Result<Found, Fault> {
    let mut query = select(session.dialect());
    query.from("images").and_where(of_image("id").is_in(ids.iter().map(ImageId::as_str)));
    let packed = session.dialect().packs();
    if !packed {
        let children = children::rows(|_| Expr::col("image_id").is_in(ids.iter().map(ImageId::as_str)));
        query
            .columns(children::COLUMNS)
            .join_subquery(JoinType::LeftJoin, children, "child", Expr::col("child_image").equals(("images", "id")))
            .order_by("child_id", Order::Asc);
    }
    let mut found = Found::new();
    for row in session.rows(&query).await? {
        let id = image_id(&row.get::<String>("id")?)?;
        let one = found.entry(id).or_insert_with(|| Ok(image(&row)?));
        if let Ok(image) = one
            && let Err(fault) = if packed { children::unpack(image, &row) } else { children::add(image, &row) }
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
    let mut query = children::rows(|_| Expr::col("image_id").is_in(places.keys().map(String::as_str)));
    for row in session.rows(query.order_by("child_id", Order::Asc)).await? {
        let id: String = row.get("child_image")?;
        if let Some(image) = places.get(&id).and_then(|place| images.get_mut(*place)) {
            children::add(image, &row)?;
        }
    }
    Ok(())
}
