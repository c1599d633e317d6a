//! What filters leave.

use super::super::{admin, named, properties, tenant};
use super::{Bed, add, all_beds, change, listing, names, tag};
use crate::db::sql::dialect::Dialect;
use crate::db::{Metadata, UpdateMode};
use crate::model::{Comparison, ImageFields, ImageStatus, ListFilter, Listing, NumberField, TextField, TimeField};

fn text(field: TextField, values: &[&str]) -> ListFilter {
    ListFilter::Text(field, values.iter().map(|value| (*value).to_owned()).collect())
}

fn property(name: &str, value: &str) -> ListFilter {
    ListFilter::Property { name: name.to_owned(), value: value.to_owned() }
}

/// What `a` lists, and whether an admin lists the same.
async fn list(bed: &Bed, filters: &[ListFilter]) -> Vec<String> {
    let found = names(bed, &tenant("a"), &listing(filters.to_vec())).await;
    assert_eq!(names(bed, &admin(), &listing(filters.to_vec())).await, found, "{filters:?}");
    found
}

#[tokio::test]
async fn texts_are_one_of_some() {
    for bed in all_beds().await {
        let ctx = tenant("a");
        let iso = ImageFields { disk_format: Some(Some("iso".to_owned())), ..named("iso") };
        let iso = add(&bed, &ctx, iso, "os_hash_algo = 'sha512', os_hash_value = 'cafe', checksum = 'beef'").await;
        add(&bed, &ctx, named("a, b"), "status = 'active', container_format = 'ova'").await;
        add(&bed, &ctx, named("it's"), "").await;
        for (field, values, found) in [
            (TextField::Name, &["a, b"][..], &["a, b"][..]),
            (TextField::Name, &["it's", "iso"], &["it's", "iso"]),
            // MySQL compares without case (database §8).
            (TextField::Name, &["ISO"], if bed.pool.dialect() == Dialect::Mysql { &["iso"] } else { &[] }),
            (TextField::Name, &[], &[]),
            (TextField::Id, &[iso.id.as_str(), "x"], &["iso"]),
            (TextField::Status, &["active"], &["a, b"]),
            (TextField::Status, &["queued", "active"], &["it's", "a, b", "iso"]),
            (TextField::ContainerFormat, &["ova"], &["a, b"]),
            (TextField::DiskFormat, &["iso", "raw"], &["it's", "a, b", "iso"]),
            (TextField::Owner, &["a"], &["it's", "a, b", "iso"]),
            (TextField::Owner, &["b"], &[]),
            (TextField::Checksum, &["beef"], &["iso"]),
            (TextField::OsHashAlgo, &["sha512"], &["iso"]),
            (TextField::OsHashValue, &["cafe"], &["iso"]),
        ] {
            assert_eq!(list(&bed, &[text(field, values)]).await, found, "{field:?} {values:?}");
        }
        let both = [text(TextField::Name, &["iso"]), text(TextField::Status, &["active"])];
        assert_eq!(list(&bed, &both).await, [""; 0], "all must hold");
        assert_eq!(list(&bed, &[ListFilter::Nothing]).await, [""; 0]);
    }
}

#[tokio::test]
async fn numbers_and_flags_are_compared() {
    use Comparison::{Eq, Gt, Gte, Lt, Lte, Neq};
    use NumberField::{MinDisk, MinRam, Size, VirtualSize};
    for bed in all_beds().await {
        let ctx = tenant("a");
        for (name, columns) in [
            ("null", ""),
            ("small", "size = 10, virtual_size = 20, min_ram = 1, min_disk = 2"),
            ("big", "size = 20, virtual_size = 10, protected = true"),
        ] {
            add(&bed, &ctx, named(name), columns).await;
        }
        for (field, comparison, number, found) in [
            (Size, Eq, 10, &["small"][..]),
            (Size, Neq, 10, &["big"]),
            (Size, Gte, 10, &["big", "small"]),
            (Size, Gt, 10, &["big"]),
            (Size, Lte, 10, &["small"]),
            (Size, Lt, 10, &[]),
            (Size, Gte, i64::MAX, &[]),
            (VirtualSize, Gte, 20, &["small"]),
            (MinRam, Gte, 1, &["small"]),
            (MinRam, Lte, i64::MAX, &["big", "small", "null"]),
            (MinDisk, Eq, 0, &["big", "null"]),
        ] {
            let filter = ListFilter::Number(field, comparison, number);
            assert_eq!(list(&bed, std::slice::from_ref(&filter)).await, found, "{filter:?}");
        }
        assert_eq!(list(&bed, &[ListFilter::Protected(true)]).await, ["big"]);
        assert_eq!(list(&bed, &[ListFilter::Protected(false)]).await, ["small", "null"]);
    }
}

#[tokio::test]
async fn times_are_compared() {
    use Comparison::{Eq, Gt, Gte, Lt, Lte, Neq};
    for bed in all_beds().await {
        let ctx = tenant("a");
        let mut images = Vec::new();
        for name in ["one", "two", "three"] {
            images.push(bed.add(&ctx, named(name)).await);
        }
        for (comparison, found) in [
            (Eq, &["two"][..]),
            (Neq, &["three", "one"]),
            (Gt, &["three"]),
            (Gte, &["three", "two"]),
            (Lt, &["one"]),
            (Lte, &["two", "one"]),
        ] {
            let two = &images[1];
            let created = ListFilter::Time(TimeField::CreatedAt, comparison, two.created_at);
            let updated = ListFilter::Time(TimeField::UpdatedAt, comparison, two.updated_at);
            assert_eq!(list(&bed, &[created]).await, found);
            // On MySQL the three are of the same second.
            if bed.pool.dialect() != Dialect::Mysql {
                assert_eq!(list(&bed, &[updated]).await, found);
            }
        }
    }
}

#[tokio::test]
async fn live_properties_and_tags_are_found() {
    for bed in all_beds().await {
        let ctx = tenant("a");
        let long = "ä".repeat(300);
        let with = |name: &str, pairs: &[(&str, &str)]| ImageFields { properties: properties(pairs), ..named(name) };
        let one = bed.add(&ctx, with("one", &[("os", "linux"), ("arch", "arm"), ("long", &long)])).await;
        let two = bed.add(&ctx, with("two", &[("os", "linux"), ("quote", "it's")])).await;
        tag(&bed, &one, "x", false).await;
        tag(&bed, &one, "y", false).await;
        tag(&bed, &two, "y", true).await;
        tag(&bed, &two, "x", false).await;
        tag(&bed, &two, "x", false).await;
        let tagged = |tag: &str| ListFilter::Tag(tag.to_owned());
        for (filters, found) in [
            (&[property("os", "linux")][..], &["two", "one"][..]),
            (&[property("os", "linux"), property("arch", "arm")], &["one"]),
            (&[property("os", "arm")], &[]),
            (&[property("long", &long)], &["one"]),
            (&[property("long", &long[..400])], &[]),
            (&[property("quote", "it's")], &["two"]),
            (&[tagged("x")], &["two", "one"]),
            (&[tagged("x"), tagged("y")], &["one"]),
            (&[tagged("X")], if bed.pool.dialect() == Dialect::Mysql { &["two", "one"] } else { &[] }),
            (&[tagged("x"), property("quote", "it's")], &["two"]),
            (&[tagged("x"), text(TextField::Name, &["two"])], &["two"]),
        ] {
            assert_eq!(list(&bed, filters).await, found, "{filters:?}");
        }
        let purge = UpdateMode { purge_props: true, ..UpdateMode::default() };
        bed.image_update(&ctx, &one.id, ImageFields::default(), purge).await.unwrap();
        assert_eq!(list(&bed, &[property("os", "linux")]).await, ["two"]);
    }
}

/// More than are sorted, so that the page is walked to.
#[tokio::test]
async fn common_properties_are_found_as_rare_ones_are() {
    let row = |i: u32| {
        let time = format!("2020-01-01 {:02}:{:02}:{:02}.000000", i / 3600, i / 60 % 60, i % 60);
        format!("('00000000-0000-4000-8000-{i:012}', 'n{i}', 'active', '{time}', '{time}', false, 'a', 0, 0)")
    };
    let rows: Vec<String> = (1..=4500).map(row).collect();
    for bed in all_beds().await {
        change(
            &bed,
            &format!(
                "INSERT INTO images (id, name, status, created_at, updated_at, deleted, owner, min_disk, min_ram) VALUES {};
                 INSERT INTO image_properties (image_id, name, value, created_at, deleted)
                 SELECT id, 'os', 'linux', created_at, false FROM images;
                 INSERT INTO image_properties (image_id, name, value, created_at, deleted)
                 SELECT id, 'third', name, created_at, false FROM images WHERE name IN ('n3', 'n4000');",
                rows.join(", ")
            ),
        )
        .await;
        let page = |filters| Listing { limit: 2, ..listing(filters) };
        let linux = property("os", "linux");
        assert_eq!(names(&bed, &tenant("a"), &page(vec![linux.clone()])).await, ["n4500", "n4499"]);
        assert_eq!(names(&bed, &tenant("a"), &page(vec![linux.clone(), property("third", "n3")])).await, ["n3"]);
        let last = Listing { marker: Some("00000000-0000-4000-8000-000000000003".to_owned()), ..page(vec![linux]) };
        assert_eq!(names(&bed, &tenant("a"), &last).await, ["n2", "n1"]);
        assert_eq!(names(&bed, &tenant("b"), &last_of(&last)).await, [""; 0]);
    }
}

/// The same without its marker, which others do not see.
fn last_of(listing: &Listing) -> Listing {
    Listing { marker: None, ..listing.clone() }
}

#[tokio::test]
async fn the_dead_are_never_listed_and_the_hidden_if_asked_for() {
    for bed in all_beds().await {
        let ctx = tenant("a");
        bed.add(&ctx, named("live")).await;
        bed.add(&ctx, ImageFields { status: Some(ImageStatus::Killed), ..named("killed") }).await;
        add(&bed, &ctx, named("hidden"), "os_hidden = true").await;
        let dead = bed.add(&ctx, named("dead")).await;
        bed.image_delete(&ctx, &dead.id, None).await.unwrap();
        let status = |word: &str| vec![text(TextField::Status, &[word])];
        for ctx in [ctx, admin()] {
            assert_eq!(names(&bed, &ctx, &listing(vec![])).await, ["live"]);
            assert_eq!(names(&bed, &ctx, &Listing { os_hidden: true, ..listing(vec![]) }).await, ["hidden"]);
            assert_eq!(names(&bed, &ctx, &listing(status("killed"))).await, [""; 0]);
            assert_eq!(names(&bed, &ctx, &listing(status("deleted"))).await, [""; 0]);
        }
    }
}
