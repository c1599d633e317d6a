//! `TestBinGlanceCacheManage`: the command that manages the cache of a running API.

use crate::harness::{Outcome, Servers, execute};

fn manage(servers: &Servers, arguments: &str) -> Outcome {
    execute(&format!("bin/glance-cache-manage --host=127.0.0.1 --port={} {arguments}", servers.api_port))
}

#[track_caller]
fn prints(servers: &Servers, arguments: &str, expected: &str) {
    let outcome = manage(servers, arguments);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains(expected), "{outcome:?}");
}

#[test]
fn test_no_cache_enabled() {
    let servers = Servers::new("127.0.0.1").start();
    let outcome = manage(&servers, "list-cached");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stdout.contains("Cache management middleware not enabled on host"), "{outcome:?}");
    servers.stop();
}

#[test]
fn test_cache_index() {
    let servers = Servers::new("127.0.0.1").set("deployment_flavor", "cachemanagement").start();
    let http = servers.client();
    prints(&servers, "list-cached", "No cached images");
    let ids: Vec<_> = (0..4).map(|x| http.add_image(&format!("Image{x}"))).collect();
    http.download(&ids[1]);
    prints(&servers, "list-cached", &ids[1]);
    servers.stop();
}

#[test]
fn test_queue() {
    let servers = Servers::new("127.0.0.1").set("deployment_flavor", "cachemanagement").start();
    let http = servers.client();
    let cache_conf = servers.cache_conf();
    prints(&servers, "list-queued", "No queued images");
    let ids: Vec<_> = (0..4).map(|x| http.add_image(&format!("Image{x}"))).collect();

    prints(&servers, &format!("--force queue-image {}", ids[1]), "");
    prints(&servers, "list-queued", &ids[1]);

    let prefetched = execute(&format!("bin/glance-cache-prefetcher --config-file {}", cache_conf.display()));
    assert_eq!(prefetched.code, Some(0), "{prefetched:?}");
    assert_eq!(prefetched.stdout.trim(), "");
    prints(&servers, "list-queued", "No queued images");
    prints(&servers, "list-cached", &ids[1]);

    prints(&servers, &format!("--force queue-image {}", ids[2]), "");
    prints(&servers, "list-queued", &ids[2]);
    prints(&servers, &format!("--force delete-queued-image {}", ids[2]), "");
    prints(&servers, "list-queued", "No queued images");

    // The cached one is refused silently.
    for id in &ids {
        prints(&servers, &format!("--force queue-image {id}"), "");
    }
    prints(&servers, "list-queued", "Found 3 queued images");
    prints(&servers, "--force delete-all-queued-images", "");
    prints(&servers, "list-queued", "No queued images");
    servers.stop();
}
