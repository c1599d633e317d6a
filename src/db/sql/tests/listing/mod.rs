//! Lists as v2 has them (v2-images §6.3).

mod filters;
mod order;
mod plans;
mod visibility;

use super::{Bed, beds, common_bed};
use crate::db::Metadata;
use crate::db::sql::dialect::Dialect;
use crate::model::{Context, Image, ImageFields, ListFilter, Listing};

/// One database of each kind with our own indexes, and one as Glance makes it.
async fn all_beds() -> Vec<Bed> {
    let mut all = beds().await;
    let bare = common_bed().await;
    let indexes = bare.rows(&bare.pool.dialect().index_names()).await;
    for row in indexes {
        let name: String = row.get("name").unwrap();
        if name.starts_with("gander_") {
            drop_index(&bare, &name).await;
        }
    }
    all.push(bare);
    all
}

/// Removes an index of ours.
async fn drop_index(bed: &Bed, name: &str) {
    let of_mysql = || {
        let tables = ["image_members", "image_properties", "image_tags"];
        let table = tables.into_iter().find(|table| name.contains(table)).unwrap_or("images");
        format!(" ON {table}")
    };
    let table = if bed.pool.dialect() == Dialect::Mysql { of_mysql() } else { String::new() };
    change(bed, &format!("DROP INDEX {name}{table}")).await;
}

/// Changes rows in ways that no request of v1 can.
async fn change(bed: &Bed, sql: &str) {
    let mut session = bed.pool.begin().await.unwrap();
    session.script(sql.to_owned()).await.unwrap();
    session.commit().await.unwrap();
}

/// Adds an image, and sets columns of it.
async fn add(bed: &Bed, owner: &Context, fields: ImageFields, columns: &str) -> Image {
    let image = bed.add(owner, fields).await;
    if !columns.is_empty() {
        change(bed, &format!("UPDATE images SET {columns} WHERE id = '{}'", image.id)).await;
    }
    image
}

async fn share(bed: &Bed, image: &Image, member: &str, status: &str) {
    change(
        bed,
        &format!(
            "INSERT INTO image_members (image_id, member, can_share, created_at, deleted, status) \
             VALUES ('{}', '{member}', false, '2020-01-01 00:00:00.000000', false, '{status}')",
            image.id
        ),
    )
    .await;
}

async fn tag(bed: &Bed, image: &Image, tag: &str, deleted: bool) {
    change(
        bed,
        &format!(
            "INSERT INTO image_tags (image_id, value, created_at, deleted) \
             VALUES ('{}', '{tag}', '2020-01-01 00:00:00.000000', {deleted})",
            image.id
        ),
    )
    .await;
}

/// The names on the page, in order.
async fn names(bed: &Bed, ctx: &Context, listing: &Listing) -> Vec<String> {
    let images = bed.image_list(ctx, listing).await.unwrap();
    images.into_iter().map(|image| image.name.unwrap_or_default()).collect()
}

fn listing(filters: Vec<ListFilter>) -> Listing {
    Listing { filters, limit: 100, ..Listing::default() }
}
