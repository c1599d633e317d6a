//! What cannot be seen from outside: faults of our own.

use std::sync::Arc;

use bytes::Bytes;
use fastio::Algorithm;
use futures_util::{StreamExt as _, stream};

use super::{Error, Images, Parts, Settings, Upload};
use crate::db::sql::{self, Sql};
use crate::model::{Api, ByteStream, Context, Image, ImageFields, ImageStatus};
use crate::notify::{self, Notifier};
use crate::policy::Policy;
use crate::store::{self, Stores, filesystem, http};

async fn images(dir: &tempfile::TempDir) -> Images {
    let at = |name: &str| dir.path().join(name);
    let filesystem = filesystem::Settings { datadir: Some(at("images")), ..filesystem::Settings::default() };
    let default_store = "file".to_owned();
    let stores = store::Settings::Single {
        default_store,
        enabled: vec!["file".to_owned(), "http".to_owned()],
        filesystem,
        http: http::Settings::default(),
    };
    let sql = Sql::connect(&sql::Settings::new(&format!("sqlite:///{}", at("glance.sqlite").display()))).unwrap();
    sql.sync_schema().await.unwrap();
    Images::new(Parts {
        metadata: Arc::new(sql),
        stores: Arc::new(Stores::open(&stores).unwrap()),
        cache: None,
        policy: Policy::open(None, Vec::new(), "default", true).unwrap(),
        limits: None,
        notifier: Notifier::new(notify::Settings::default()),
        cipher: None,
        settings: Settings {
            storage_quota: None,
            image_size_cap: 1000,
            hashing_algorithm: Algorithm::Sha512,
            delayed_delete: false,
            scrub_time: 0,
            scrubber_datadir: at("scrubber"),
            upload_journal_dir: at("journal"),
            staging_dir: at("staging"),
            stage_host: None,
            format_rules: imgformat::Rules { require_match: true, gpt_nonfatal: Vec::new() },
            concurrent_copies: 1,
            secure_hash: true,
            hash_retries: 0,
            property_quota: None,
            patch_quota: None,
            tag_quota: None,
            member_quota: None,
            location_quota: None,
            show_multiple_locations: false,
        },
    })
}

/// Some data, and then a fault of ours.
fn faulty() -> ByteStream {
    Box::pin(stream::iter([Ok(Bytes::from_static(b"abc"))]).chain(stream::poll_fn(|_| panic!("a fault of ours"))))
}

#[tokio::test]
async fn a_panic_ends_an_upload_as_a_failure_does() {
    for (api, after) in [(Api::V1, ImageStatus::Killed), (Api::V2, ImageStatus::Queued)] {
        let dir = tempfile::tempdir().unwrap();
        let images = images(&dir).await;
        let roles = ["member", "reader"].map(str::to_owned).to_vec();
        let ctx = Context { api, roles, ..Context::service() };
        let text = |text: &str| Some(Some(text.to_owned()));
        let fields = ImageFields {
            disk_format: text("raw"),
            container_format: text("bare"),
            status: Some(ImageStatus::Queued),
            ..ImageFields::default()
        };
        let image = images.parts.metadata.image_insert(&ctx, fields).await.unwrap();
        let upload = Upload { data: faulty(), length: None, size: None, checksum: None, store: None };
        let outcome = images.upload(&ctx, &image, upload).await;
        assert!(matches!(outcome, Err(Error::Crashed(_))), "{outcome:?}");
        assert_eq!(left(&images, &dir, &ctx, &image).await, (after, 0));
        if api == Api::V2 {
            let outcome = images.stage(&ctx, &image.id, faulty(), None).await;
            assert!(matches!(outcome, Err(Error::Crashed(_))), "{outcome:?}");
            assert_eq!(left(&images, &dir, &ctx, &image).await, (after, 0));
        }
    }
}

/// The image's status, and how many files are left of its data and its entries.
async fn left(images: &Images, dir: &tempfile::TempDir, ctx: &Context, image: &Image) -> (ImageStatus, usize) {
    let now = images.parts.metadata.image_get(ctx, &image.id).await.unwrap();
    let files = |name: &str| std::fs::read_dir(dir.path().join(name)).map_or(0, Iterator::count);
    (now.status, ["images", "staging", "journal"].into_iter().map(files).sum())
}
