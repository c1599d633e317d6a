//! Adding, changing and deleting images.

use chrono::NaiveDateTime;
use sea_query::{Expr, ExprTrait, Order, Query};

use super::{Bed, admin, beds, is_sqlite, named, properties, tenant};
use crate::db::sql::dialect::{Dialect, visibility};
use crate::db::{Error, Metadata, Step, UpdateMode};
use crate::model::{Context, Image, ImageFields, ImageId, ImageStatus, Location, OsHash, Visibility};

const PURGE: UpdateMode = UpdateMode { purge_props: true, from_status: None };
const KEEP: UpdateMode = UpdateMode { purge_props: false, from_status: None };

async fn update(bed: &Bed, image: &Image, fields: ImageFields, mode: UpdateMode) -> Image {
    bed.image_update(&tenant("a"), &image.id, fields, mode).await.unwrap()
}

fn at(uri: &str) -> Location {
    Location::bare(uri.to_owned())
}

fn located(uri: Option<&str>) -> ImageFields {
    ImageFields { locations: Some(uri.map(at).into_iter().collect()), ..ImageFields::default() }
}

#[tokio::test]
async fn new_images_get_defaults() {
    for bed in beds().await {
        let image = bed.add(&tenant("a"), named("x")).await;
        assert_eq!((image.status, image.visibility), (ImageStatus::Queued, Visibility::Shared));
        assert_eq!((image.min_disk, image.min_ram, image.size, image.protected), (0, 0, None, false));
        assert_eq!((image.owner.as_deref(), image.deleted, image.deleted_at), (Some("a"), false, None));
        assert_eq!(bed.image_get(&tenant("a"), &image.id).await.unwrap(), image);
    }
}

#[tokio::test]
async fn everything_said_of_an_image_is_kept() {
    for bed in beds().await {
        let id = ImageId::parse("C0FFEE00-0000-4000-8000-000000000001").unwrap();
        let fields = ImageFields {
            id: Some(id.clone()),
            status: Some(ImageStatus::Active),
            is_public: Some(true),
            protected: Some(true),
            size: Some(Some(1 << 40)),
            checksum: Some(Some("d41d8cd98f00b204e9800998ecf8427e".to_owned())),
            min_disk: Some(5),
            min_ram: Some(512),
            owner: Some(Some("b".to_owned())),
            locations: Some(vec![at("file:///images/1")]),
            properties: Some([("k".to_owned(), Some("v".to_owned())), ("null".to_owned(), None)].into()),
            ..named("grüße")
        };
        let image = bed.add(&admin(), fields).await;
        assert_eq!((image.id, image.name.as_deref(), image.size), (id, Some("grüße"), Some(1 << 40)));
        assert_eq!((image.visibility, image.status), (Visibility::Public, ImageStatus::Active));
        assert_eq!((image.min_disk, image.min_ram, image.protected), (5, 512, true));
        assert_eq!((image.owner.as_deref(), image.locations), (Some("b"), vec![at("file:///images/1")]));
        assert_eq!(image.properties, [("k".to_owned(), Some("v".to_owned())), ("null".to_owned(), None)].into());
    }
}

#[tokio::test]
async fn only_admins_choose_the_owner() {
    for bed in beds().await {
        let foreign = ImageFields { owner: Some(Some("b".to_owned())), ..named("x") };
        let image = bed.add(&tenant("a"), foreign.clone()).await;
        assert_eq!(image.owner.as_deref(), Some("a"));
        assert_eq!(update(&bed, &image, foreign, KEEP).await.owner.as_deref(), Some("a"));
        let nobody = ImageFields { owner: Some(None), ..ImageFields::default() };
        assert_eq!(bed.image_update(&admin(), &image.id, nobody, KEEP).await.unwrap().owner, None);
        let unowned = bed.add(&Context { tenant: None, ..admin() }, named("y")).await;
        assert_eq!(unowned.owner, None);
    }
}

#[tokio::test]
async fn ids_are_never_given_twice() {
    for bed in beds().await {
        let image = bed.add(&tenant("a"), named("x")).await;
        let again = ImageFields { id: Some(image.id.clone()), properties: properties(&[("k", "v")]), ..named("y") };
        for dead in [false, true] {
            if dead {
                bed.image_delete(&tenant("a"), &image.id, None).await.unwrap();
            }
            let Err(Error::Duplicate(text)) = bed.image_insert(&tenant("b"), again.clone()).await else {
                panic!("taken id accepted, dead: {dead}")
            };
            assert_eq!(text, format!("Image ID {} already exists!", image.id));
        }
    }
}

#[tokio::test]
async fn nothing_is_written_of_invalid_fields() {
    for bed in beds().await {
        let image = bed.add(&tenant("a"), named("x")).await;
        let bad = [
            (ImageFields { disk_format: Some(Some("floppy".to_owned())), ..named("y") }, "disk format 'floppy'"),
            (ImageFields { min_disk: Some(1 << 31), ..named("y") }, "min_disk"),
            (named("\u{1f600}"), "Name can't contain 4 byte unicode characters."),
            (
                ImageFields { properties: properties(&[("\u{1f600}", "v")]), ..named("y") },
                "Property names can't contain 4 byte",
            ),
            (ImageFields { properties: properties(&[("k", "\u{1f600}")]), ..named("y") }, "Property k can't contain"),
        ];
        for (fields, reason) in bad {
            for refused in [
                bed.image_insert(&tenant("a"), fields.clone()).await,
                bed.image_update(&tenant("a"), &image.id, fields.clone(), PURGE).await,
            ] {
                assert!(matches!(&refused, Err(Error::Invalid(text)) if text.contains(reason)), "{refused:?}");
            }
        }
        assert_eq!(bed.image_find(&tenant("a"), &Default::default()).await.unwrap(), [image]);
    }
}

#[tokio::test]
async fn the_time_of_change_is_that_of_the_row() {
    for bed in beds().await {
        let image = bed.add(&tenant("a"), ImageFields { locations: Some(vec![at("file:///x")]), ..named("x") }).await;
        let with_property = ImageFields { properties: properties(&[("k", "v")]), ..named("x") };
        for same in [named("x"), with_property, located(Some("file:///x"))] {
            let after = update(&bed, &image, same, PURGE).await;
            assert_eq!(after.updated_at, image.updated_at);
        }
        for other in [named("z"), located(Some("file:///y")), located(None)] {
            let before = bed.image_get(&admin(), &image.id).await.unwrap();
            let after = update(&bed, &image, other, KEEP).await;
            let whole_seconds = bed.pool.dialect() == Dialect::Mysql;
            assert!(whole_seconds || after.updated_at > before.updated_at);
            assert_eq!(after.created_at, image.created_at);
        }
    }
}

#[tokio::test]
async fn properties_are_purged_and_revived_in_their_row() {
    for bed in beds().await {
        let image = bed
            .add(&tenant("a"), ImageFields { properties: properties(&[("a", "1"), ("b", "2")]), ..named("x") })
            .await;
        let set = |pairs: &[(&str, &str)]| ImageFields { properties: properties(pairs), ..ImageFields::default() };
        let kept = update(&bed, &image, set(&[("b", "3"), ("c", "4")]), KEEP).await;
        assert_eq!(Some(kept.properties), properties(&[("a", "1"), ("b", "3"), ("c", "4")]));
        let purged = update(&bed, &image, set(&[("b", "3")]), PURGE).await;
        assert_eq!(Some(purged.properties), properties(&[("b", "3")]));
        let revived = update(&bed, &image, set(&[("a", "5")]), KEEP).await;
        assert_eq!(Some(revived.properties), properties(&[("a", "5"), ("b", "3")]));
        let untouched = update(&bed, &image, ImageFields::default(), KEEP).await;
        assert_eq!(untouched.properties.len(), 2);

        let query = Query::select()
            .columns(["name", "deleted", "deleted_at"])
            .from("image_properties")
            .order_by("name", Order::Asc)
            .take();
        let rows: Vec<(String, bool, bool)> = bed
            .rows(&query)
            .await
            .iter()
            .map(|row| {
                let deleted_at: Option<NaiveDateTime> = row.get("deleted_at").unwrap();
                (row.get("name").unwrap(), row.get("deleted").unwrap(), deleted_at.is_some())
            })
            .collect();
        let row = |name: &str, deleted| (name.to_owned(), deleted, deleted);
        assert_eq!(rows, [row("a", false), row("b", false), row("c", true)]);
    }
}

#[tokio::test]
async fn the_lock_of_imports_is_not_for_ordinary_writes() {
    for bed in beds().await {
        let fields =
            ImageFields { properties: properties(&[("os_glance_import_task", "t"), ("k", "v")]), ..named("x") };
        let image = bed.add(&tenant("a"), fields).await;
        assert_eq!(Some(image.properties), properties(&[("k", "v")]));
    }
}

#[tokio::test]
async fn status_changes_can_be_compare_and_set() {
    for bed in beds().await {
        let image = bed.add(&tenant("a"), named("x")).await;
        let to = |status| ImageFields { status: Some(status), ..ImageFields::default() };
        let from = |status| UpdateMode { purge_props: false, from_status: Some(status) };
        let saving = update(&bed, &image, to(ImageStatus::Saving), from(ImageStatus::Queued)).await;
        assert_eq!(saving.status, ImageStatus::Saving);
        let late = bed.image_update(&tenant("a"), &image.id, to(ImageStatus::Saving), from(ImageStatus::Queued)).await;
        let Err(Error::Conflict(text)) = late else { panic!("{late:?}") };
        assert_eq!(text, "cannot transition from saving to saving in update (wanted from_state=queued)");
    }
}

#[tokio::test]
async fn digests_are_set_changed_and_taken_back_with_their_algorithm() {
    for bed in beds().await {
        let hash = |algo: &str| OsHash { algo: algo.to_owned(), value: "00ff".to_owned() };
        let hashed = |algo| ImageFields::hashed(hash(algo));
        let ImageFields { os_hash_algo, os_hash_value, .. } = hashed("sha512");
        let image = bed.add(&tenant("a"), ImageFields { os_hash_algo, os_hash_value, ..named("x") }).await;
        assert_eq!(image.os_hash(), Some(hash("sha512")));
        assert_eq!(update(&bed, &image, named("y"), KEEP).await.os_hash(), Some(hash("sha512")));
        assert_eq!(update(&bed, &image, hashed("blake2b"), KEEP).await.os_hash(), Some(hash("blake2b")));
        let query = Query::select().columns(["os_hash_algo", "os_hash_value"]).from("images").take();
        let row = &bed.rows(&query).await[0];
        let cells = ["os_hash_algo", "os_hash_value"].map(|column| row.get::<String>(column).unwrap());
        assert_eq!(cells, ["blake2b", "00ff"]);
        // An algorithm without a digest stays what it is.
        let undone = ImageFields { os_hash_value: Some(None), ..ImageFields::default() };
        for change in [undone, named("z")] {
            let image = update(&bed, &image, change, KEEP).await;
            assert_eq!((image.os_hash_algo.as_deref(), image.os_hash_value), (Some("blake2b"), None));
        }
        let row = &bed.rows(&query).await[0];
        let cells = ["os_hash_algo", "os_hash_value"].map(|column| row.get::<Option<String>>(column).unwrap());
        assert_eq!(cells, [Some("blake2b".to_owned()), None]);
        let undone = ImageFields { os_hash_algo: Some(None), ..ImageFields::default() };
        let image = update(&bed, &image, undone, KEEP).await;
        assert_eq!((image.os_hash_algo, image.os_hash_value), (None, None));
        let image = bed.add(&tenant("a"), named("z")).await;
        assert_eq!((image.os_hash_algo, image.os_hash_value), (None, None));
    }
}

#[tokio::test]
async fn visibility_moves_between_public_and_shared_only() {
    for bed in beds().await {
        let image = bed.add(&tenant("a"), named("x")).await;
        let private = Query::update()
            .table("images")
            .value("visibility", visibility(Visibility::Private))
            .and_where(Expr::col("id").eq(image.id.as_str()))
            .take();
        let mut session = bed.pool.begin().await.unwrap();
        session.execute(&private).await.unwrap();
        session.commit().await.unwrap();
        let public = |is_public| ImageFields { is_public: Some(is_public), ..ImageFields::default() };
        assert_eq!(update(&bed, &image, public(false), KEEP).await.visibility, Visibility::Private);
        assert_eq!(update(&bed, &image, public(true), KEEP).await.visibility, Visibility::Public);
        assert_eq!(update(&bed, &image, public(false), KEEP).await.visibility, Visibility::Shared);
    }
}

#[tokio::test]
async fn deleting_takes_the_children_along() {
    for bed in beds().await {
        for (status, location_status, left) in
            [(ImageStatus::Deleted, "deleted", 0), (ImageStatus::PendingDelete, "pending_delete", 1)]
        {
            let fields = ImageFields { properties: properties(&[("k", "v")]), ..named("x") };
            let image = bed.add(&tenant("a"), fields).await;
            update(&bed, &image, ImageFields { status: Some(status), ..located(Some("file:///x")) }, KEEP).await;
            bed.image_delete(&tenant("a"), &image.id, None).await.unwrap();

            let dead = bed.image_get(&admin(), &image.id).await.unwrap();
            assert_eq!((dead.status, dead.properties.len(), dead.locations.len()), (status, 0, left));
            assert_eq!(dead.deleted_at, Some(dead.updated_at));
            let of = |table: &'static str| {
                Query::select()
                    .column(sea_query::Asterisk)
                    .from(table)
                    .and_where(Expr::col("image_id").eq(image.id.as_str()))
                    .take()
            };
            for table in ["image_properties", "image_locations"] {
                assert!(bed.rows(&of(table)).await.iter().all(|row| row.get::<bool>("deleted").unwrap()), "{table}");
            }
            let location = &bed.rows(&of("image_locations")).await[0];
            assert_eq!(location.get::<String>("status").unwrap(), location_status);

            let scrubbed = ImageFields { status: Some(ImageStatus::Deleted), ..ImageFields::default() };
            let scrubbed = bed.image_update(&admin(), &image.id, scrubbed, KEEP).await.unwrap();
            assert!(scrubbed.deleted && scrubbed.locations.is_empty());
        }
    }
}

#[tokio::test]
async fn an_image_is_deleted_with_its_step_or_not_at_all() {
    for bed in beds().await {
        let fields = ImageFields { properties: properties(&[("k", "v")]), ..named("x") };
        let image = bed.add(&tenant("a"), ImageFields { status: Some(ImageStatus::Active), ..fields }).await;
        let step = |from, to| Some(Step { from, to });
        let late = step(ImageStatus::Queued, ImageStatus::Deleted);
        let refused = bed.image_delete(&tenant("a"), &image.id, late).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");

        let (stuck, free) = match bed.pool.dialect() {
            Dialect::Sqlite => (
                "CREATE TRIGGER stuck BEFORE UPDATE ON image_properties BEGIN SELECT RAISE(ABORT, 'stuck'); END",
                "DROP TRIGGER stuck",
            ),
            Dialect::Mysql => (
                "CREATE TRIGGER stuck BEFORE UPDATE ON image_properties FOR EACH ROW SIGNAL SQLSTATE '45000'",
                "DROP TRIGGER stuck",
            ),
            Dialect::Postgres => (
                "CREATE FUNCTION stuck() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''stuck''; END';
                 CREATE TRIGGER stuck BEFORE UPDATE ON image_properties FOR EACH ROW EXECUTE FUNCTION stuck()",
                "DROP TRIGGER stuck ON image_properties",
            ),
        };
        let mut session = bed.pool.begin().await.unwrap();
        session.script(stuck.to_owned()).await.unwrap();
        session.commit().await.unwrap();
        let pending = step(ImageStatus::Active, ImageStatus::PendingDelete);
        bed.image_delete(&tenant("a"), &image.id, pending).await.unwrap_err();
        assert_eq!(bed.image_get(&admin(), &image.id).await.unwrap(), image);

        let mut session = bed.pool.begin().await.unwrap();
        session.script(free.to_owned()).await.unwrap();
        session.commit().await.unwrap();
        bed.image_delete(&tenant("a"), &image.id, pending).await.unwrap();
        let dead = bed.image_get(&admin(), &image.id).await.unwrap();
        assert_eq!((dead.status, dead.deleted), (ImageStatus::PendingDelete, true));
    }
}

#[tokio::test]
async fn a_protected_image_does_not_die_but_a_dead_one_is_buried() {
    for bed in beds().await {
        let protected = ImageFields { protected: Some(true), ..named("x") };
        let image = bed.add(&tenant("a"), protected.clone()).await;
        for to in [ImageStatus::PendingDelete, ImageStatus::Deleted] {
            let step = Step { from: ImageStatus::Queued, to };
            let refused = bed.image_delete(&tenant("a"), &image.id, Some(step)).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
            // As a registry is asked for the same.
            let fields = ImageFields { status: Some(to), ..ImageFields::default() };
            let mode = UpdateMode { purge_props: false, from_status: Some(step.from) };
            let refused = bed.image_update(&tenant("a"), &image.id, fields, mode).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        }
        assert_eq!(bed.image_get(&tenant("a"), &image.id).await.unwrap(), image);
        // Whoever got as far as this before it was protected ends what he began.
        let half = bed.add(&tenant("a"), ImageFields { status: Some(ImageStatus::PendingDelete), ..protected }).await;
        bed.image_delete(&tenant("a"), &half.id, None).await.unwrap();
        let scrubbed = Step { from: ImageStatus::PendingDelete, to: ImageStatus::Deleted };
        bed.image_delete(&admin(), &half.id, Some(scrubbed)).await.unwrap();
    }
}

#[tokio::test]
async fn a_deleted_image_makes_its_last_step_only() {
    for bed in beds().await {
        let image = bed.add(&tenant("a"), ImageFields { locations: Some(vec![at("file:///x")]), ..named("x") }).await;
        let step = |from, to| Some(Step { from, to });
        let pending = step(ImageStatus::Queued, ImageStatus::PendingDelete);
        bed.image_delete(&tenant("a"), &image.id, pending).await.unwrap();
        let before = bed.image_get(&admin(), &image.id).await.unwrap();
        let last = step(ImageStatus::PendingDelete, ImageStatus::Deleted);
        bed.image_delete(&admin(), &image.id, last).await.unwrap();
        let dead = bed.image_get(&admin(), &image.id).await.unwrap();
        assert_eq!((dead.status, dead.locations, dead.deleted_at), (ImageStatus::Deleted, vec![], before.deleted_at));
        let more = bed.image_delete(&admin(), &image.id, step(ImageStatus::Deleted, ImageStatus::Killed)).await;
        assert!(matches!(more, Err(Error::NotFound(_))), "{more:?}");
    }
}

#[tokio::test]
async fn locations_leave_a_trail() {
    for bed in beds().await {
        let image = bed.add(&tenant("a"), named("x")).await;
        assert_eq!(update(&bed, &image, located(Some("file:///1")), KEEP).await.locations, [at("file:///1")]);
        assert_eq!(update(&bed, &image, located(Some("file:///2")), KEEP).await.locations, [at("file:///2")]);
        let query = Query::select()
            .columns(["value", "status", "meta_data"])
            .from("image_locations")
            .order_by("id", Order::Asc)
            .take();
        let rows: Vec<[String; 3]> = bed
            .rows(&query)
            .await
            .iter()
            .map(|row| ["value", "status", "meta_data"].map(|column| row.get(column).unwrap()))
            .collect();
        assert_eq!(rows, [["file:///1", "deleted", "{}"], ["file:///2", "active", "{}"]]);
    }
}

#[tokio::test]
async fn sqlites_times_are_text_with_six_digits() {
    if !is_sqlite() {
        return;
    }
    for bed in beds().await {
        bed.add(&tenant("a"), ImageFields { properties: properties(&[("k", "v")]), ..named("x") }).await;
        for table in ["images", "image_properties"] {
            let query = Query::select().columns(["created_at", "updated_at"]).from(table).take();
            for row in bed.rows(&query).await {
                for column in ["created_at", "updated_at"] {
                    let text: String = row.get(column).unwrap();
                    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
                    assert_eq!(shape, "9999-99-99 99:99:99.999999");
                }
            }
        }
    }
}
