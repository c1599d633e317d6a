//! The rows of nodes about their caches.

use std::time::Duration;

use sea_query::Query;
use tokio::time::Instant;

use super::beds;
use crate::db::sql::CachedOnNode;
use crate::db::sql::dialect::Dialect;
use crate::model::{CachedImage, ImageId, Uses};

/// Whole seconds, as MySQL has no others.
const T: f64 = 1_700_000_000.0;

fn image(size: u64) -> CachedImage {
    CachedImage { image_id: ImageId::random(), hits: 0, last_accessed: T, last_modified: T, size, row: None }
}

async fn used(rows: &CachedOnNode, batch: &[(&CachedImage, u64, f64)]) {
    let uses = |(image, hits, last_accessed): &(&CachedImage, u64, f64)| {
        (image.image_id.clone(), Uses { hits: *hits, last_accessed: *last_accessed })
    };
    let batch: Vec<_> = batch.iter().map(uses).collect();
    rows.used(&batch, Instant::now() + Duration::from_secs(60)).await.unwrap();
}

/// The rows without their numbers.
async fn all(rows: &CachedOnNode) -> Vec<CachedImage> {
    rows.all().await.unwrap().into_iter().map(|image| CachedImage { row: None, ..image }).collect()
}

#[tokio::test]
async fn each_node_has_its_own() {
    for bed in beds().await {
        let [one, two] = ["http://one", "http://two"].map(|node| bed.cached_on(node.to_owned()));
        let (a, b) = (image(3 << 32), image(0));
        for rows in [&one, &two] {
            assert!(rows.change(std::slice::from_ref(&a), &[]).await.is_err(), "nobody knows the node");
            rows.register().await.unwrap();
            rows.register().await.unwrap();
            rows.change(&[a.clone(), b.clone()], &[]).await.unwrap();
        }
        let nodes = Query::select().column("node_reference_url").from("node_reference").take();
        assert_eq!(bed.rows(&nodes).await.len(), 2);
        used(&one, &[(&a, 2, T + 5.0), (&b, 0, T - 5.0), (&image(1), 9, T)]).await;
        used(&one, &[(&a, 1, T + 4.0)]).await;
        let mut expected = [CachedImage { hits: 3, last_accessed: T + 5.0, ..a.clone() }, b.clone()];
        expected.sort_by(|a, b| a.image_id.cmp(&b.image_id));
        assert_eq!(all(&one).await, expected);
        one.change(&[], &[a.image_id.to_string(), "unknown".to_owned()]).await.unwrap();
        one.try_changing().await.unwrap();
        assert_eq!(all(&one).await, [b]);
        assert_eq!(all(&two).await.iter().map(|image| image.hits).sum::<u64>(), 0);
        assert_eq!(one.nodes_with(&a.image_id).await.unwrap(), ["http://two"]);
        assert_eq!(two.ids().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_new_entry_takes_the_row_of_the_last() {
    for bed in beds().await {
        let rows = bed.cached_on("http://node".to_owned());
        rows.register().await.unwrap();
        let old = image(1);
        rows.change(std::slice::from_ref(&old), &[]).await.unwrap();
        used(&rows, &[(&old, 7, T + 1.0)]).await;
        let new = CachedImage { size: 2, last_accessed: T + 2.0, last_modified: T + 2.0, ..old };
        rows.change(std::slice::from_ref(&new), &[]).await.unwrap();
        assert_eq!(all(&rows).await, [new]);
    }
}

#[tokio::test]
async fn many_rows_go_in_few_statements() {
    for bed in beds().await {
        let rows = bed.cached_on("http://node".to_owned());
        rows.register().await.unwrap();
        let images: Vec<_> = (0..1201).map(image).collect();
        rows.change(&images, &[]).await.unwrap();
        assert_eq!(rows.all().await.unwrap().len(), 1201);
        let ids: Vec<_> = images.iter().map(|image| image.image_id.to_string()).collect();
        rows.change(&[], &ids).await.unwrap();
        assert!(rows.all().await.unwrap().is_empty());
    }
}

/// To the microsecond, but for MySQL.
#[tokio::test]
async fn times_come_back_as_they_were() {
    for bed in beds().await {
        let rows = bed.cached_on("http://node".to_owned());
        rows.register().await.unwrap();
        let times = if bed.pool.dialect() == Dialect::Mysql { [0.0, T] } else { [0.0, 1_764_178_331.123_457] };
        for time in times {
            let image = CachedImage { last_accessed: time, last_modified: time, ..image(1) };
            rows.change(std::slice::from_ref(&image), &[]).await.unwrap();
            assert!(all(&rows).await.contains(&image), "{time}");
        }
    }
}

#[tokio::test]
async fn what_comes_too_late_is_not_counted() {
    for bed in beds().await {
        let rows = bed.cached_on("http://node".to_owned());
        rows.register().await.unwrap();
        let image = image(1);
        rows.change(std::slice::from_ref(&image), &[]).await.unwrap();
        let batch = [(image.image_id.clone(), Uses { hits: 1, last_accessed: T })];
        // Somebody else is at the row.
        let mut session = bed.pool.begin().await.unwrap();
        session.execute(&Query::update().table("cached_images").value("size", 2).take()).await.unwrap();
        assert!(rows.used(&batch, Instant::now() + Duration::from_millis(100)).await.is_err());
        drop(session);
        assert_eq!(all(&rows).await, [image]);
    }
}
