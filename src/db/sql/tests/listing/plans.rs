//! SQLite must walk to a page, not gather and sort all that may be on it.

use super::super::plans::plan;
use super::super::{admin, anonymous, is_sqlite, named, tenant};
use super::{Bed, beds, drop_index, listing};
use crate::db::sql::listing::{rare, statement};
use crate::db::sql::own_indexes;
use crate::model::{Context, Image, ListFilter, ListOrder, Listing, SortDir, SortKey, TextField};

fn by_name() -> ListOrder {
    ListOrder::new(&[(SortKey::Name, SortDir::Asc)], SortDir::Asc)
}

async fn of(bed: &Bed, ctx: &Context, listing: &Listing, marker: &Image) -> String {
    let statement = statement(bed.pool.dialect(), ctx, listing, Some(marker), None, true);
    let plan = plan(bed, &statement).await;
    assert!(!plan.contains("MULTI-INDEX OR") && !plan.contains("AUTOMATIC"), "{plan}");
    plan
}

/// The indexes by which `images` is searched.
fn searched(plan: &str) -> Vec<&str> {
    let mut indexes: Vec<_> = plan
        .lines()
        .filter_map(|line| line.split_once("images USING ")?.1.split_once("INDEX ")?.1.split_once(' '))
        .map(|found| found.0)
        .collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes
}

#[tokio::test]
async fn the_order_of_lists_is_that_of_an_index() {
    if !is_sqlite() {
        return;
    }
    for bed in beds().await {
        let marker = bed.add(&tenant("a"), named("x")).await;
        let property = ListFilter::Property { name: "os".to_owned(), value: "linux".to_owned() };
        for filters in [vec![], vec![property]] {
            for order in [ListOrder::default(), by_name()] {
                let list = Listing { order: order.clone(), ..listing(filters.clone()) };
                let key = "sqlite_autoindex_images_1";
                let [any, visibility, owner] = if order == by_name() {
                    ["gander_images_name", "gander_images_visibility_name", "gander_images_owner_name"]
                } else {
                    ["created_at_image_idx", "gander_images_visibility_created", "gander_images_owner_created"]
                };
                assert_eq!(searched(&of(&bed, &admin(), &list, &marker).await), [any, key]);
                let plan = of(&bed, &tenant("a"), &list, &marker).await;
                assert_eq!(searched(&plan), [owner, visibility, key], "{plan}");
                assert!(plan.contains("gander_image_members_member"), "{plan}");
                let plan = of(&bed, &anonymous(), &list, &marker).await;
                assert_eq!(searched(&plan), [owner, visibility, key], "{plan}");
            }
        }
    }
}

#[tokio::test]
async fn what_leaves_few_images_leads() {
    if !is_sqlite() {
        return;
    }
    for bed in beds().await {
        let marker = bed.add(&tenant("a"), named("x")).await;
        for (field, index) in [
            (TextField::Name, "gander_images_name"),
            (TextField::Owner, "gander_images_owner_created"),
            (TextField::Checksum, "checksum_image_idx"),
            (TextField::OsHashValue, "os_hash_value_image_idx"),
            (TextField::Id, "sqlite_autoindex_images_1"),
        ] {
            let list = listing(vec![ListFilter::Text(field, vec!["x".to_owned()])]);
            for ctx in [admin(), tenant("a"), anonymous()] {
                let plan = of(&bed, &ctx, &list, &marker).await;
                assert!(searched(&plan).contains(&index), "{field:?}\n{plan}");
                // Images as old as the marker are few.
                let others =
                    searched(&plan).into_iter().filter(|other| ![index, "sqlite_autoindex_images_1"].contains(other));
                assert!(others.eq(plan.contains("created_at_image_idx").then_some("created_at_image_idx")), "{plan}");
                assert!(!plan.contains("created_at_image_idx (created_at<"), "{plan}");
            }
        }
        for (filter, index) in [
            (
                ListFilter::Property { name: "os".to_owned(), value: "linux".to_owned() },
                "gander_image_properties_value",
            ),
            (ListFilter::Tag("x".to_owned()), "gander_image_tags_value"),
        ] {
            let driver = rare::children(bed.pool.dialect(), &filter).map(rare::Children::live);
            let statement =
                statement(bed.pool.dialect(), &tenant("a"), &listing(vec![filter]), Some(&marker), driver, true);
            let plan = plan(&bed, &statement).await;
            assert!(plan.contains(index), "{plan}");
            assert_eq!(searched(&plan), ["sqlite_autoindex_images_1"], "{plan}");
        }
    }
}

#[tokio::test]
async fn databases_of_glance_get_the_indexes_by_a_migration() {
    for bed in beds().await {
        drop_index(&bed, "gander_images_name").await;
        let missing = async || own_indexes::missing(&mut bed.pool.read().await.unwrap()).await.unwrap();
        assert_eq!(missing().await, "CREATE INDEX gander_images_name ON images (name, created_at, id);\n");
        bed.sync_schema().await.unwrap();
        assert_ne!(missing().await, "", "services do not migrate");
        bed.migrate_schema().await.unwrap();
        assert_eq!(missing().await, "");
    }
}
