//! `TestImageCacheXattr`: the image cache with the driver that keeps its index in extended attributes.

use super::middleware;
use crate::harness::{Servers, xattr_supported};

/// `None` where the file system has no user xattrs.
fn set_up() -> Option<Servers> {
    let servers = Servers::new("0.0.0.0").set("image_cache_driver", "xattr").set("deployment_flavor", "caching");
    xattr_supported(&servers.path("")).then_some(servers)
}

#[test]
fn test_image_cache_xattr_test_cache_middleware_transparent() {
    if let Some(servers) = set_up() {
        middleware::test_cache_middleware_transparent(servers);
    }
}

#[test]
fn test_image_cache_xattr_test_cache_remote_image() {
    if let Some(servers) = set_up() {
        middleware::test_cache_remote_image(servers);
    }
}
