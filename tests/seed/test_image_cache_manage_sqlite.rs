//! `TestImageCacheManageSqlite`: managing the image cache with the sqlite driver.

use super::manage;
use crate::harness::Servers;

fn set_up() -> Servers {
    Servers::new("0.0.0.0").set("image_cache_driver", "sqlite").set("deployment_flavor", "cachemanagement")
}

#[test]
fn test_image_cache_manage_sqlite_test_cache_manage_get_cached_images() {
    manage::test_cache_manage_get_cached_images(set_up());
}

#[test]
fn test_image_cache_manage_sqlite_test_cache_manage_delete_cached_images() {
    manage::test_cache_manage_delete_cached_images(set_up());
}

#[test]
fn test_image_cache_manage_sqlite_test_queue_and_prefetch() {
    manage::test_queue_and_prefetch(set_up());
}
