//! How the cache tools behave as commands (v1-cache §11.1).

use std::fs;

use crate::harness::{Gander, execute};

const TOOLS: [&str; 4] = ["prefetcher", "pruner", "cleaner", "queue-image"];

#[test]
fn every_tool_tells_its_version() {
    for tool in TOOLS {
        let outcome = execute(&format!("bin/glance-cache-{tool} --version"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stdout.contains(env!("CARGO_PKG_VERSION")), "{outcome:?}");
    }
}

#[test]
fn every_tool_explains_itself() {
    for tool in TOOLS {
        let outcome = execute(&format!("bin/glance-cache-{tool} --help"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stdout.contains("config-file"), "{outcome:?}");
        assert!(outcome.stdout.contains("Exit status:"), "{outcome:?}");
        assert!(!outcome.stdout.starts_with("The options"), "{outcome:?}");
    }
}

#[test]
fn without_a_cache_directory_a_tool_says_so_and_fails() {
    let gander = Gander::caching();
    let conf = gander.path("empty.conf");
    fs::write(&conf, "[DEFAULT]\n").unwrap();
    for tool in TOOLS {
        let outcome = execute(&format!("bin/glance-cache-{tool} --config-file {}", conf.display()));
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.contains("image_cache_dir"), "{outcome:?}");
    }
}

#[test]
fn a_missing_configuration_file_is_an_error() {
    for tool in TOOLS {
        let outcome = execute(&format!("bin/glance-cache-{tool} --config-file /nonexistent.conf"));
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.contains("/nonexistent.conf"), "{outcome:?}");
    }
}

#[test]
fn without_a_log_file_a_tool_may_speak_but_still_works() {
    let gander = Gander::caching();
    let conf = gander.cache_conf(&[("log_file", ""), ("verbose", "True")]);
    let outcome = execute(&format!("bin/glance-cache-cleaner --config-file {}", conf.display()));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}
