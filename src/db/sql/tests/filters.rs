//! What lists leave out (v1-api §9).

use super::{admin, beds, named, properties, tenant};
use crate::db::sql::dialect::Dialect;
use crate::db::{Metadata, UpdateMode};
use crate::model::{Filters, ImageFields, ImageQuery, ImageStatus, PublicFilter};

fn only(filters: Filters) -> ImageQuery {
    ImageQuery { filters, ..ImageQuery::default() }
}

#[tokio::test]
async fn all_filters_must_hold() {
    for bed in beds().await {
        let ctx = tenant("a");
        let small = ImageFields { size: Some(Some(10)), min_ram: Some(256), min_disk: Some(2), ..named("small") };
        let big = ImageFields { size: Some(Some(20)), protected: Some(true), ..named("big") };
        let iso = ImageFields { disk_format: Some(Some("iso".to_owned())), ..named("iso") };
        for fields in [small, big, iso] {
            bed.add(&ctx, fields).await;
        }
        let list = async |filters: Filters| bed.names(&ctx, &only(filters)).await;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(list(Filters { name: text("big"), ..Filters::default() }).await, ["big"]);
        // MySQL compares without case (database §8).
        let big: &[&str] = if bed.pool.dialect() == Dialect::Mysql { &["big"] } else { &[] };
        assert_eq!(list(Filters { name: text("BIG"), ..Filters::default() }).await, big);
        assert_eq!(list(Filters { disk_format: text("iso"), ..Filters::default() }).await, ["iso"]);
        assert_eq!(list(Filters { container_format: text("ovf"), ..Filters::default() }).await, [""; 0]);
        assert_eq!(list(Filters { min_ram: Some(256), min_disk: Some(2), ..Filters::default() }).await, ["small"]);
        assert_eq!(list(Filters { size_min: Some(10), size_max: Some(19), ..Filters::default() }).await, ["small"]);
        assert_eq!(list(Filters { size_min: Some(u64::MAX), ..Filters::default() }).await, [""; 0]);
        assert_eq!(list(Filters { protected: Some(true), ..Filters::default() }).await, ["big"]);
        assert_eq!(list(Filters { protected: Some(false), ..Filters::default() }).await, ["iso", "small"]);
        assert_eq!(list(Filters { name: text("big"), protected: Some(false), ..Filters::default() }).await, [""; 0]);
        assert_eq!(list(Filters { status: text("queued"), ..Filters::default() }).await, ["iso", "big", "small"]);
    }
}

#[tokio::test]
async fn properties_match_while_they_live() {
    for bed in beds().await {
        let ctx = tenant("a");
        let with = |name: &str, pairs: &[(&str, &str)]| ImageFields { properties: properties(pairs), ..named(name) };
        let one = bed.add(&ctx, with("one", &[("os", "linux"), ("arch", "arm")])).await;
        bed.add(&ctx, with("two", &[("os", "linux")])).await;
        let list = async |pairs: &[(&str, &str)]| {
            let properties = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            bed.names(&ctx, &only(Filters { properties, ..Filters::default() })).await
        };
        assert_eq!(list(&[("os", "linux")]).await, ["two", "one"]);
        assert_eq!(list(&[("os", "linux"), ("arch", "arm")]).await, ["one"]);
        assert_eq!(list(&[("os", "arm")]).await, [""; 0]);
        let purge = UpdateMode { purge_props: true, ..UpdateMode::default() };
        bed.image_update(&ctx, &one.id, ImageFields::default(), purge).await.unwrap();
        assert_eq!(list(&[("os", "linux")]).await, ["two"]);
    }
}

#[tokio::test]
async fn dead_and_killed_images_need_to_be_asked_for() {
    for bed in beds().await {
        let ctx = tenant("a");
        let live = bed.add(&ctx, ImageFields { is_public: Some(true), ..named("live") }).await;
        let killed = ImageFields { status: Some(ImageStatus::Killed), is_public: Some(true), ..named("killed") };
        bed.add(&ctx, killed).await;
        let dead = bed.add(&ctx, ImageFields { is_public: Some(true), ..named("dead") }).await;
        bed.image_delete(&ctx, &dead.id, None).await.unwrap();
        let killed_ones = only(Filters { status: Some("killed".to_owned()), ..Filters::default() });
        assert_eq!(bed.names(&ctx, &ImageQuery::default()).await, ["live"]);
        assert_eq!(bed.names(&ctx, &killed_ones).await, [""; 0]);
        let since = |time| only(Filters { changes_since: Some(time), ..Filters::default() });
        assert_eq!(
            bed.names(&ctx, &since(live.created_at - chrono::Duration::seconds(1))).await,
            ["dead", "killed", "live"]
        );
        if bed.pool.dialect() != Dialect::Mysql {
            // There the three are of the same second.
            assert_eq!(bed.names(&ctx, &since(live.updated_at)).await, ["dead", "killed"], "strictly after");
        }

        let deleted =
            |deleted| only(Filters { deleted: Some(deleted), is_public: PublicFilter::Any, ..Filters::default() });
        assert_eq!(bed.names(&admin(), &deleted(true)).await, ["dead"]);
        assert_eq!(bed.names(&admin(), &deleted(false)).await, ["live"]);
        assert_eq!(bed.names(&ctx, &deleted(true)).await, ["live"], "not for others");
    }
}
