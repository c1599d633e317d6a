//! `TestImageCacheSqlite`: the image cache with the driver that is the default.

use super::middleware;
use crate::harness::Servers;

/// `image_cache_driver` is left to the harness, whose default is sqlite.
fn set_up() -> Servers {
    Servers::new("0.0.0.0").set("deployment_flavor", "caching")
}

#[test]
fn test_image_cache_sqlite_test_cache_middleware_transparent() {
    middleware::test_cache_middleware_transparent(set_up());
}

#[test]
fn test_image_cache_sqlite_test_cache_remote_image() {
    middleware::test_cache_remote_image(set_up());
}
