//! `TestImageCacheManageXattr`: managing the image cache with the xattr driver.

use super::manage;
use crate::harness::{Servers, xattr_supported};

/// `None` where the file system has no user xattrs.
fn set_up() -> Option<Servers> {
    let servers =
        Servers::new("0.0.0.0").set("image_cache_driver", "xattr").set("deployment_flavor", "cachemanagement");
    xattr_supported(&servers.path("")).then_some(servers)
}

#[test]
fn test_image_cache_manage_xattr_test_cache_manage_get_cached_images() {
    if let Some(servers) = set_up() {
        manage::test_cache_manage_get_cached_images(servers);
    }
}

#[test]
fn test_image_cache_manage_xattr_test_cache_manage_delete_cached_images() {
    if let Some(servers) = set_up() {
        manage::test_cache_manage_delete_cached_images(servers);
    }
}

#[test]
fn test_image_cache_manage_xattr_test_queue_and_prefetch() {
    if let Some(servers) = set_up() {
        manage::test_queue_and_prefetch(servers);
    }
}
