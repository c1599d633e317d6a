//! Indexes that Glance does not have, for lists (database §7).
//!
//! Glance neither sees nor misses them, its migrations leave them alone, and without them lists are right, only slower.
//! A new database has them; one that Glance made gets them by `glance-manage db sync`.

use std::collections::HashSet;

use super::dialect::Dialect;
use super::error::Fault;
use super::pool::Session;

/// Name, table and columns. In each, rows that a list may want lie together, in the order of most lists.
const INDEXES: [(&str, &str, &[&str]); 8] = [
    ("gander_images_visibility_created", "images", &["visibility", "created_at", "id"]),
    ("gander_images_owner_created", "images", &["owner", "created_at", "id"]),
    ("gander_images_name", "images", &["name", "created_at", "id"]),
    ("gander_images_visibility_name", "images", &["visibility", "name", "created_at", "id"]),
    ("gander_images_owner_name", "images", &["owner", "name", "created_at", "id"]),
    ("gander_image_members_member", "image_members", &["member", "image_id"]),
    (PROPERTIES, "image_properties", &["name", "value", "image_id"]),
    (TAGS, "image_tags", &["value", "image_id"]),
];
const PROPERTIES: &str = "gander_image_properties_value";
const TAGS: &str = "gander_image_tags_value";
/// The column whose texts are too long for an index.
const LONG: (&str, &str) = ("image_properties", "value");

/// The text that creates what `session`'s database lacks; empty if that is nothing.
pub(super) async fn missing(session: &mut Session) -> Result<String, Fault> {
    let there = names(session).await?;
    let dialect = session.dialect();
    let missing = INDEXES.iter().filter(|(name, ..)| !there.contains(*name));
    Ok(missing.map(|(name, table, columns)| create(dialect, name, table, columns)).collect())
}

/// Creates what is missing.
pub(super) async fn complete(session: &mut Session) -> Result<(), Fault> {
    let missing = missing(session).await?;
    if !missing.is_empty() {
        session.script(missing).await?;
    }
    Ok(())
}

/// Images can be found by what belongs to them.
pub(super) async fn find_by_children(session: &mut Session) -> Result<bool, Fault> {
    let there = names(session).await?;
    Ok(there.contains(PROPERTIES) && there.contains(TAGS))
}

async fn names(session: &mut Session) -> Result<HashSet<String>, Fault> {
    let mut names = HashSet::new();
    for row in session.rows(&session.dialect().index_names()).await? {
        names.insert(row.get("name")?);
    }
    Ok(names)
}

fn create(dialect: Dialect, name: &str, table: &str, columns: &[&str]) -> String {
    let column =
        |column: &&str| if (table, *column) == LONG { dialect.long_text_key(column) } else { (*column).to_owned() };
    let columns: Vec<_> = columns.iter().map(column).collect();
    format!("CREATE INDEX {name} ON {table} ({});\n", columns.join(", "))
}
