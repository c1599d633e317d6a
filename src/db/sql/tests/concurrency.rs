//! Many at once, and many processes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use sea_query::{Expr, ExprTrait, Query};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::super::Sql;
use super::{admin, beds, common_bed, empty, named, properties, tenant};
use crate::db::{Error, Metadata, UpdateMode};
use crate::model::Membership;
use crate::model::{ImageFields, ImageId, ImageQuery, ImageStatus};

/// Longest wait for what must happen soon.
const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_status_is_won_by_one() {
    for bed in beds().await {
        let bed = Arc::new(bed);
        let id = bed.add(&tenant("a"), named("x")).await.id;
        let attempts = (0..8).map(|_| {
            let (bed, id) = (Arc::clone(&bed), id.clone());
            tokio::spawn(async move {
                let fields = ImageFields { status: Some(ImageStatus::Saving), ..ImageFields::default() };
                let mode = UpdateMode { purge_props: false, from_status: Some(ImageStatus::Queued) };
                bed.image_update(&tenant("a"), &id, fields, mode).await
            })
        });
        let mut won = 0;
        for attempt in join_all(attempts).await {
            match attempt.unwrap() {
                Ok(_) => won += 1,
                Err(Error::Conflict(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(won, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_one_image_do_not_trip_over_each_other() {
    for bed in beds().await {
        let bed = Arc::new(bed);
        let id = bed.add(&tenant("a"), named("x")).await.id;
        let tasks = (0..16).map(|n: usize| {
            let (bed, id) = (Arc::clone(&bed), id.clone());
            tokio::spawn(async move {
                let member = Membership { member: format!("m{}", n % 3), can_share: None };
                bed.member_put(&tenant("a"), &id, &member).await.unwrap();
                let fields =
                    ImageFields { properties: properties(&[("same", &n.to_string())]), ..ImageFields::default() };
                bed.image_update(&tenant("a"), &id, fields, UpdateMode::default()).await.unwrap();
                bed.image_find(&tenant("a"), &ImageQuery::default()).await.unwrap().len()
            })
        });
        for task in join_all(tasks).await {
            assert_eq!(task.unwrap(), 1);
        }
        assert_eq!(bed.members(&tenant("a"), &id).await.unwrap().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_together_make_one_schema() {
    let (url, _home) = empty();
    let settings = super::Settings::new(&url);
    let starts = (0..4).map(|_| {
        let sql = Sql::connect(&settings).unwrap();
        tokio::spawn(async move { sql.sync_schema().await })
    });
    for start in join_all(starts).await {
        start.unwrap().unwrap();
    }
    assert!(Sql::connect(&settings).unwrap().schema().await.unwrap().is_head());
}

#[tokio::test]
async fn an_abandoned_operation_leaves_the_database_usable() {
    for bed in beds().await {
        for polls in (1..400).step_by(7) {
            let ctx = tenant("a");
            let mut insert = bed.image_insert(&ctx, named("x"));
            for _ in 0..polls {
                if (&mut insert).now_or_never().is_some() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let last = bed.add(&tenant("a"), named("last")).await;
        assert_eq!(bed.image_get(&tenant("a"), &last.id).await.unwrap().name.as_deref(), Some("last"));
    }
}

#[tokio::test]
async fn another_process_sees_what_was_acknowledged() {
    let bed = common_bed().await;
    let image = bed.add(&tenant("a"), named("x")).await;
    let other = Sql::connect(&bed.settings).unwrap();
    other.check_schema().await.unwrap();
    assert_eq!(other.image_get(&tenant("a"), &image.id).await.unwrap(), image);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_that_are_read_together_are_each_the_right_one() {
    for bed in beds().await {
        let mut images = Vec::new();
        for n in 0..200 {
            let properties = (0..n % 4).map(|k| (format!("k{k}"), Some(format!("{n}")))).collect();
            let fields = ImageFields { properties: Some(properties), ..named(&format!("image {n}")) };
            images.push(bed.add(&admin(), fields).await);
        }
        let unknown = ImageId::random();
        let reads = images.iter().cycle().take(1000).map(async |image| {
            assert_eq!(&bed.image_get(&admin(), &image.id).await.unwrap(), image);
            assert!(matches!(bed.image_get(&admin(), &unknown).await, Err(Error::NotFound(_))));
        });
        join_all(reads).await;
    }
}

/// Images are read through the first two connections, which nobody ever answers; all later ones are refused.
#[tokio::test]
async fn statements_that_do_not_end_hold_up_nobody_else() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgresql://u:p@{}/x", server.local_addr().unwrap());
    let sql = Arc::new(Sql::connect(&super::Settings::new(&url)).unwrap());
    let read = || {
        let sql = Arc::clone(&sql);
        tokio::spawn(async move { sql.image_get(&admin(), &ImageId::random()).await })
    };
    let mut silent = Vec::new();
    for _ in 0..2 {
        let stuck = read();
        silent.push((stuck, server.accept().await.unwrap()));
    }
    let other = read();
    drop(timeout(LIMIT, server.accept()).await.unwrap().unwrap());
    drop(server);
    timeout(LIMIT, other).await.unwrap().unwrap().unwrap_err();
    assert!(silent.iter().all(|(stuck, _)| !stuck.is_finished()));
}

#[tokio::test]
async fn a_connection_is_not_waited_for_longer_than_configured() {
    let bed = common_bed().await;
    let settings = super::Settings {
        max_pool_size: 1,
        max_overflow: 0,
        pool_timeout: Duration::from_millis(50),
        ..bed.settings.clone()
    };
    let sql = Sql::connect(&settings).unwrap();
    let only = sql.pool.begin().await.unwrap();
    let added = timeout(LIMIT, sql.image_insert(&admin(), named("x"))).await.unwrap();
    assert!(matches!(added, Err(Error::Unavailable(_))), "{added:?}");
    drop(only);
    sql.image_insert(&admin(), named("x")).await.unwrap();
}

#[tokio::test]
async fn a_row_that_is_not_understood_fails_its_own_image_only() {
    for bed in beds().await {
        let mut images = Vec::new();
        for status in ["queued", "eaten", "queued"] {
            let image = bed.add(&admin(), named("x")).await;
            let id = image.id.as_str();
            let change =
                Query::update().table("images").value("status", status).and_where(Expr::col("id").eq(id)).take();
            let mut session = bed.pool.begin().await.unwrap();
            session.execute(&change).await.unwrap();
            session.commit().await.unwrap();
            images.push(image);
        }
        // The first two go alone; these are read together.
        let reads = images.iter().cycle().take(12).map(async |image| bed.image_get(&admin(), &image.id).await);
        for (n, read) in join_all(reads).await.into_iter().enumerate() {
            match n % 3 {
                1 => assert!(matches!(read, Err(Error::Internal(_))), "{read:?}"),
                n => assert_eq!(read.unwrap(), images[n]),
            }
        }
    }
}
