//! Pages: every order, with ties and nulls.

use super::super::{admin, is_sqlite, named, tenant, unknown_id};
use super::{Bed, add, all_beds, change, listing, names, share};
use crate::db::sql::dialect::Dialect;
use crate::db::{Error, Metadata};
use crate::model::{
    Context, Image, ImageFields, ListFilter, ListOrder, Listing, Location, SortDir, SortKey, TextField,
};

/// Twelve images that `m` lists: equal names, sizes and times, some null; public, own, and shared ones.
async fn images(bed: &Bed) {
    for (place, (name, size)) in [
        (Some("b"), Some(2)),
        (Some("a"), None),
        (None, Some(1)),
        (Some("b"), Some(2)),
        (None, None),
        (Some("B"), Some(1)),
        (None, Some(30)),
        (Some("a"), None),
        (Some(""), Some(0)),
        (Some("a"), None),
        (None, None),
        (Some("b"), Some(2)),
    ]
    .into_iter()
    .enumerate()
    {
        let (owner, visibility) = [("a", "public"), ("m", "private"), ("a", "shared"), ("m", "public")][place % 4];
        let columns = format!("visibility = '{visibility}', created_at = '2020-01-01 00:00:0{}.000000'", place % 5);
        let fields = ImageFields { name: Some(name.map(str::to_owned)), size: Some(size), ..named("") };
        let image = add(bed, &tenant(owner), fields, &columns).await;
        if visibility == "shared" {
            share(bed, &image, "m", "accepted").await;
        }
    }
}

async fn walk(bed: &Bed, ctx: &Context, first: Listing) -> Vec<Image> {
    let mut seen: Vec<Image> = Vec::new();
    loop {
        let marker = seen.last().map(|image| image.id.to_string());
        let page = bed.image_list(ctx, &Listing { marker, ..first.clone() }).await.unwrap();
        assert!(page.len() as u64 <= first.limit);
        if page.is_empty() {
            return seen;
        }
        seen.extend(page);
        assert!(seen.len() <= 12, "{:?}: an image came twice", first.order);
    }
}

/// How SQLite compares.
fn key(image: &Image, key: SortKey) -> (Option<String>, Option<u64>) {
    match key {
        SortKey::Name => (image.name.clone(), None),
        SortKey::Status => (Some(image.status.to_string()), None),
        SortKey::ContainerFormat => (image.container_format.clone(), None),
        SortKey::DiskFormat => (image.disk_format.clone(), None),
        SortKey::Size => (None, image.size),
        SortKey::Id => (Some(image.id.to_string()), None),
        SortKey::CreatedAt => (Some(image.created_at.to_string()), None),
        SortKey::UpdatedAt => (Some(image.updated_at.format("%F %T%.6f").to_string()), None),
    }
}

#[tokio::test]
async fn pages_of_any_size_make_up_the_whole_list() {
    use SortDir::{Asc, Desc};
    use SortKey::{DiskFormat, Name, Size, Status};
    for bed in all_beds().await {
        images(&bed).await;
        let mut orders: Vec<ListOrder> = Vec::new();
        for dir in [Asc, Desc] {
            orders.extend(SortKey::ALL.map(|key| ListOrder::new(&[(key, dir)], dir)));
            for other in [Asc, Desc] {
                orders.push(ListOrder::new(&[(Name, dir), (Size, other)], Desc));
                orders.push(ListOrder::new(&[(Status, dir), (Size, other), (DiskFormat, dir), (Name, Asc)], Desc));
            }
        }
        for order in orders {
            for ctx in [tenant("m"), admin()] {
                let listing = Listing { order: order.clone(), ..listing(vec![]) };
                let whole = walk(&bed, &ctx, listing.clone()).await;
                assert_eq!(whole.len(), 12);
                // Where NULLs and case come is the database's own (database §6, §8).
                assert!(
                    !is_sqlite()
                        || whole.is_sorted_by(|one, two| {
                            let compared = order.keys().iter().map(|(by, dir)| match dir {
                                Asc => key(one, *by).cmp(&key(two, *by)),
                                Desc => key(two, *by).cmp(&key(one, *by)),
                            });
                            compared.reduce(|all, one| all.then(one)).unwrap().is_lt()
                        })
                );
                for limit in [1, 5, 12] {
                    let pages = walk(&bed, &ctx, Listing { limit, ..listing.clone() }).await;
                    assert_eq!(pages, whole, "{order:?} by {limit}");
                }
            }
        }
    }
}

#[tokio::test]
async fn filtered_lists_have_pages_too() {
    for bed in all_beds().await {
        images(&bed).await;
        change(
            &bed,
            "INSERT INTO image_properties (image_id, name, value, created_at, deleted) \
             SELECT id, 'p', 'v', created_at, false FROM images WHERE size IS NOT NULL",
        )
        .await;
        let property = ListFilter::Property { name: "p".to_owned(), value: "v".to_owned() };
        let name = ListFilter::Text(TextField::Name, vec!["a".to_owned(), "b".to_owned()]);
        // MySQL finds "B" as well.
        let named = if bed.pool.dialect() == Dialect::Mysql { 7 } else { 6 };
        for (filter, count) in [(property, 7), (name, named)] {
            let whole = walk(&bed, &tenant("m"), listing(vec![filter.clone()])).await;
            assert_eq!(whole.len(), count);
            for limit in [1, 2, 7] {
                let pages = walk(&bed, &tenant("m"), Listing { limit, ..listing(vec![filter.clone()]) }).await;
                assert_eq!(pages, whole);
            }
        }
    }
}

#[tokio::test]
async fn pages_come_with_the_children_of_their_images() {
    for bed in all_beds().await {
        let fields = ImageFields {
            properties: super::super::properties(&[("a", "b")]),
            locations: Some(vec![Location::bare("file:///x".to_owned())]),
            ..named("x")
        };
        let image = bed.add(&tenant("a"), fields).await;
        assert_eq!(bed.image_list(&tenant("a"), &listing(vec![])).await.unwrap(), [image]);
    }
}

#[tokio::test]
async fn markers_must_be_visible_and_alive() {
    for bed in all_beds().await {
        let ctx = tenant("a");
        let secret = add(&bed, &ctx, named("secret"), "visibility = 'private'").await;
        let hidden = add(&bed, &ctx, named("hidden"), "os_hidden = true").await;
        let dead = bed.add(&ctx, named("dead")).await;
        bed.image_delete(&ctx, &dead.id, None).await.unwrap();
        let after = |marker: &str, limit| Listing { marker: Some(marker.to_owned()), limit, ..listing(vec![]) };
        assert_eq!(names(&bed, &ctx, &after(secret.id.as_str(), 9)).await, [""; 0]);
        assert_eq!(names(&bed, &ctx, &after(hidden.id.as_str(), 9)).await, ["secret"], "not on the list, but in order");
        for (who, marker) in [
            (tenant("b"), secret.id.as_str()),
            (ctx, dead.id.as_str()),
            (admin(), dead.id.as_str()),
            (admin(), unknown_id().as_str()),
            (admin(), "no id'"),
            (admin(), ""),
        ] {
            for limit in [0, 9] {
                let Err(Error::Invalid(text)) = bed.image_list(&who, &after(marker, limit)).await else {
                    panic!("{marker}")
                };
                assert_eq!(text, format!("No image found with ID {marker}"));
            }
        }
        assert_eq!(names(&bed, &admin(), &Listing { limit: 0, ..listing(vec![]) }).await, [""; 0]);
    }
}
