//! Pages: every order, with ties and nulls.

use super::{Bed, admin, beds, named, tenant, unknown_id};
use crate::db::sql::dialect::Dialect;
use crate::db::{Error, Metadata};
use crate::model::{Image, ImageFields, ImageId, ImageQuery, SortDir, SortKey};

/// Eight images: pairs of equal names and sizes, some without.
async fn images(bed: &Bed) {
    for (name, size) in [
        (Some("b"), Some(2)),
        (Some("a"), None),
        (None, Some(1)),
        (Some("b"), Some(2)),
        (None, None),
        (Some("B"), Some(1)),
        (None, Some(30)),
        (Some("a"), None),
    ] {
        let fields = ImageFields { name: Some(name.map(str::to_owned)), size: Some(size), ..named("") };
        bed.add(&tenant("a"), fields).await;
    }
}

async fn walk(bed: &Bed, sort_key: SortKey, sort_dir: SortDir, limit: u64) -> Vec<Image> {
    let mut seen: Vec<Image> = Vec::new();
    loop {
        let marker = seen.last().map(|image| image.id.clone());
        let query = ImageQuery { limit: Some(limit), marker, sort_key, sort_dir, ..ImageQuery::default() };
        let page = bed.image_find(&tenant("a"), &query).await.unwrap();
        assert!(page.len() <= usize::try_from(limit).unwrap());
        if page.is_empty() {
            return seen;
        }
        seen.extend(page);
        assert!(seen.len() <= 8, "{sort_key:?} {sort_dir:?}: an image came twice");
    }
}

#[tokio::test]
async fn pages_of_any_size_make_up_the_whole_list() {
    for bed in beds().await {
        images(&bed).await;
        for key in SortKey::ALL {
            for dir in [SortDir::Asc, SortDir::Desc] {
                let whole = walk(&bed, key, dir, 50).await;
                assert_eq!(whole.len(), 8);
                for limit in [1, 2, 3, 7] {
                    assert_eq!(walk(&bed, key, dir, limit).await, whole, "{key:?} {dir:?} by {limit}");
                }
            }
        }
    }
}

#[tokio::test]
async fn order_is_by_key_then_age_all_in_one_direction() {
    for bed in beds().await {
        images(&bed).await;
        let mut ascending = walk(&bed, SortKey::Name, SortDir::Asc, 50).await;
        let names: Vec<_> = ascending.iter().map(|image| image.name.as_deref().unwrap_or("-")).collect();
        match bed.pool.dialect() {
            Dialect::Sqlite => assert_eq!(names, ["-", "-", "-", "B", "a", "a", "b", "b"], "bytewise"),
            Dialect::Postgres => {
                assert_eq!(names, ["B", "a", "a", "b", "b", "-", "-", "-"], "bytewise, and NULLs last")
            }
            Dialect::Mysql => assert_eq!(names.join("").to_lowercase(), "---aabbb", "without case"),
        }
        assert!(ascending.windows(2).all(|pair| {
            let same = |image: &Image| image.name.as_deref().map(str::to_lowercase);
            let bytewise = bed.pool.dialect() != Dialect::Mysql;
            let tie = if bytewise { pair[0].name == pair[1].name } else { same(&pair[0]) == same(&pair[1]) };
            !tie || pair[0].created_at < pair[1].created_at
        }));
        ascending.reverse();
        assert_eq!(walk(&bed, SortKey::Name, SortDir::Desc, 50).await, ascending);
    }
}

#[tokio::test]
async fn page_sizes_have_a_default_and_a_maximum() {
    for bed in beds().await {
        for _ in 0..51 {
            bed.add(&tenant("a"), named("x")).await;
        }
        let count = async |limit: Option<u64>| {
            bed.names(&tenant("a"), &ImageQuery { limit, ..ImageQuery::default() }).await.len()
        };
        assert_eq!((count(None).await, count(Some(0)).await), (25, 0));
        assert_eq!((count(Some(3)).await, count(Some(u64::MAX)).await), (3, 50));
    }
}

#[tokio::test]
async fn markers_must_be_listable() {
    for bed in beds().await {
        let secret = bed.add(&tenant("a"), named("secret")).await;
        let dead = bed.add(&tenant("a"), named("dead")).await;
        bed.image_delete(&tenant("a"), &dead.id, None).await.unwrap();
        let list = async |tenant_name: &str, marker: &ImageId| {
            let query = ImageQuery { marker: Some(marker.clone()), ..ImageQuery::default() };
            bed.image_find(&tenant(tenant_name), &query).await
        };
        assert!(list("a", &secret.id).await.unwrap().is_empty());
        for (who, marker) in [("b", &secret.id), ("a", &dead.id), ("a", &unknown_id())] {
            let Err(Error::Invalid(text)) = list(who, marker).await else { panic!("{who} {marker}") };
            assert_eq!(text, "Invalid marker. Image could not be found.");
        }
        let query = ImageQuery { marker: Some(dead.id.clone()), ..ImageQuery::default() };
        assert!(matches!(bed.image_find(&admin(), &query).await, Err(Error::Invalid(_))));
        let mut since = query;
        since.filters.changes_since = Some(dead.created_at - chrono::Duration::seconds(1));
        assert_eq!(bed.image_find(&admin(), &since).await.unwrap(), []);
    }
}
