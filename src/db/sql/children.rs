//! What belongs to images: their live properties, tags and locations, and the locations that await their scrubber.
//!
//! As rows of one shape, or, on SQLite, all those of an image packed into one value: there a row is a message from one
//! thread to another and every value in it a copy, which cost far more than to find them.

use std::sync::OnceLock;

use sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};
use serde_json::{Map, Value};

use super::dialect::Dialect;
use super::error::Fault;
use super::pool::Row;
use super::statement::live;
use crate::db::Error;
use crate::model::{Image, Location};

/// What [`rows`] tells of a child, beside its image.
pub(super) const COLUMNS: [&str; 6] =
    ["child_id", "child_kind", "child_name", "child_value", "child_metadata", "child_deleted"];
/// The column of [`packed`].
pub(super) const PACKED: &str = "children";

/// The children in the tables for which `chosen` holds, each as a row.
pub(super) fn rows(chosen: impl Fn(&'static str) -> Expr) -> SelectStatement {
    let of = |table: &'static str, kind: Kind, name: Expr, metadata: Expr| {
        Query::select()
            .expr_as(Expr::col("image_id"), "child_image")
            .expr_as(Expr::col("id"), "child_id")
            .expr_as(Expr::val(kind as i32), "child_kind")
            .expr_as(name, "child_name")
            .expr_as(Expr::col("value"), "child_value")
            .expr_as(metadata, "child_metadata")
            .expr_as(Expr::col("deleted"), "child_deleted")
            .from(table)
            .and_where(chosen(table))
            .take()
    };
    let none = || Expr::val(None::<String>);
    let mut properties = of("image_properties", Kind::Property, Expr::col("name"), none()).and_where(live()).take();
    let tags = of("image_tags", Kind::Tag, none(), none()).and_where(live()).take();
    // A live row of another status is a copy that is not complete (v2-images §4).
    let usable = Expr::col("status").eq("active").and(live()).or(Expr::col("status").eq("pending_delete"));
    let locations = of("image_locations", Kind::Location, none(), Expr::col("meta_data")).and_where(usable).take();
    properties.union(UnionType::All, tags).union(UnionType::All, locations).take()
}

/// Those of the image in a row of `images`, as one value; `None` where rows of their own do as well. Made once: to put the
/// words together takes longer than to read an image.
pub(super) fn packed(dialect: Dialect) -> Option<Expr> {
    // Of the one dialect that packs.
    static WORDS: OnceLock<String> = OnceLock::new();
    dialect.packs().then(|| {
        Expr::cust(WORDS.get_or_init(|| {
            let children = rows(|table| Expr::col((table, "image_id")).equals(("images", "id")));
            let all = Query::select().expr(dialect.packed(&COLUMNS)).from_subquery(children, "child").take();
            format!("({})", dialect.spelled_out(&all))
        }))
    })
}

/// Adds the children in a row that has [`packed`].
pub(super) fn unpack(image: &mut Image, row: &Row) -> Result<(), Fault> {
    let text: String = row.get(PACKED)?;
    let broken = |error| Error::Internal(format!("what belongs to image {} cannot be read: {error}", image.id));
    let mut children: Vec<Packed> = serde_json::from_str(&text).map_err(broken)?;
    children.sort_unstable_by_key(|child| child.0);
    for (_, kind, name, value, metadata, deleted) in children {
        attach(image, Child { kind, name, value, metadata, deleted: deleted != 0 });
    }
    Ok(())
}

/// [`COLUMNS`].
type Packed = (i64, i32, Option<String>, Option<String>, Option<String>, i64);

/// Adds the child in a row of [`rows`], if there is one.
pub(super) fn add(image: &mut Image, row: &Row) -> Result<(), Fault> {
    if let Some(kind) = row.get("child_kind")? {
        let (name, value, metadata) = (row.get("child_name")?, row.get("child_value")?, row.get("child_metadata")?);
        attach(image, Child { kind, name, value, metadata, deleted: row.get("child_deleted")? });
    }
    Ok(())
}

/// What a child is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Property = 1,
    Tag = 2,
    Location = 3,
}

struct Child {
    kind: i32,
    name: Option<String>,
    value: Option<String>,
    metadata: Option<String>,
    deleted: bool,
}

fn attach(image: &mut Image, child: Child) {
    let Child { kind, name, value, metadata, deleted } = child;
    // The tables hold neither properties without a name nor tags or locations without a value.
    if kind == Kind::Property as i32 {
        image.properties.extend(name.map(|name| (name, value)));
    } else if kind == Kind::Tag as i32 {
        image.tags.extend(value);
    } else if image.deleted || !deleted {
        // Of a deleted image, the locations that still await their scrubber count as its own.
        image.locations.extend(value.map(|uri| Location { uri, metadata: noted(metadata) }));
    }
}

/// What is noted of a location; what cannot be read is nothing that a download needs.
fn noted(text: Option<String>) -> Map<String, Value> {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}
