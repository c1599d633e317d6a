//! What is remembered of a SQLite file is what stands in it, whoever wrote that.

use super::{admin, common_bed, is_sqlite, named, tenant, unknown_id};
use crate::db::sql::Sql;
use crate::db::sql::sqlite_file::{Memory, PageKey};
use crate::db::{Error, Metadata, UpdateMode};
use crate::model::{Context, ImageFields, Listing};

fn ten() -> Listing {
    Listing { limit: 10, ..Listing::default() }
}

async fn page(sql: &Sql, ctx: &Context) -> Vec<String> {
    let images = sql.image_list(ctx, &ten()).await.unwrap();
    images.into_iter().map(|image| image.name.unwrap_or_default()).collect()
}

#[tokio::test]
async fn images_and_pages_are_read_anew_when_anything_was_committed() {
    if !is_sqlite() {
        return;
    }
    let bed = common_bed().await;
    let other = Sql::connect(&bed.settings).unwrap();
    let (reader, stranger) = (tenant("a"), tenant("b"));
    let image = bed.add(&reader, named("first")).await;
    let file = bed.pool.file().unwrap();
    let known = |ctx: &Context| {
        let image = matches!(file.remembered().image(&image.id), Memory::Same(_));
        (image, matches!(file.remembered().page(&PageKey::of(ctx, &ten())), Memory::Same(_)))
    };
    for round in 0..3 {
        let name = format!("{round}");
        // By this service and by another process in turn.
        let writer = if round % 2 == 0 { &bed.sql } else { &other };
        writer.image_update(&reader, &image.id, named(&name), UpdateMode::default()).await.unwrap();
        assert_eq!(known(&reader), (false, false));
        for _ in 0..2 {
            assert_eq!(bed.image_get(&reader, &image.id).await.unwrap().name, Some(name.clone()));
            assert_eq!(page(&bed, &reader).await, std::slice::from_ref(&name));
            assert_eq!(known(&reader), (true, true));
        }
        assert_eq!(known(&stranger), (true, false), "a page is its reader's");
        assert!(page(&bed, &stranger).await.is_empty());
        assert!(matches!(bed.image_get(&stranger, &image.id).await, Err(Error::NotFound(_))));
    }
    other.image_delete(&reader, &image.id, None).await.unwrap();
    assert!(matches!(bed.image_get(&reader, &image.id).await, Err(Error::NotFound(_))));
    assert!(page(&bed, &reader).await.is_empty());
}

#[tokio::test]
async fn whatever_is_large_or_missing_is_not_remembered() {
    if !is_sqlite() {
        return;
    }
    let bed = common_bed().await;
    let many = (0..300).map(|number| (format!("p{number}"), Some(String::new()))).collect();
    let long = [("p".to_owned(), Some("x".repeat(20_000)))].into();
    let mut large = vec![unknown_id()];
    for properties in [many, long] {
        large.push(bed.add(&admin(), ImageFields { properties: Some(properties), ..named("large") }).await.id);
    }
    let file = bed.pool.file().unwrap();
    for id in &large {
        let _ = bed.image_get(&admin(), id).await;
        assert!(matches!(file.remembered().image(id), Memory::None(_)), "{id}");
    }
    page(&bed, &admin()).await;
    assert!(matches!(file.remembered().page(&PageKey::of(&admin(), &ten())), Memory::None(_)));
}

#[tokio::test]
async fn memory_is_bounded() {
    if !is_sqlite() {
        return;
    }
    let bed = common_bed().await;
    bed.add(&admin(), named("x")).await;
    for number in 0..200 {
        assert_eq!(page(&bed, &Context { user: Some(format!("{number}")), ..admin() }).await, ["x"]);
    }
    assert!(bed.pool.file().unwrap().remembered().pages() <= 64);
}
