//! `glance-cache-manage` (v1-cache §11.2): its exact lines and exit codes.

use std::io::Write;
use std::process::Stdio;

use crate::harness::{Gander, Outcome, execute, free_port, shell};

fn manage(gander: &Gander, arguments: &str) -> Outcome {
    execute(&format!("bin/glance-cache-manage -H 127.0.0.1 -p {} {arguments}", gander.port()))
}

#[track_caller]
fn prints(gander: &Gander, arguments: &str, expected: &str) {
    let outcome = manage(gander, arguments);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), expected), "{outcome:?}");
}

#[test]
fn empty_lists_are_said_in_words() {
    let gander = Gander::caching();
    prints(&gander, "list-cached", "No cached images.\n");
    prints(&gander, "list-queued", "No queued images.\n");
}

#[test]
fn what_is_cached_is_a_table() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    gander.client().download(&id);
    let outcome = manage(&gander, "list-cached");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(lines[0], "Found 1 cached images...");
    let titles = format!(
        "{:<36} {:<19} {:<19} {:<14} {:<10}",
        "ID", "Last Accessed (UTC)", "Last Modified (UTC)", "Size", "Hits"
    );
    assert_eq!(lines[1].trim_end(), titles.trim_end());
    assert_eq!(lines[2], [36, 19, 19, 14, 10].map(|width| "-".repeat(width)).join(" "));
    assert!(lines[3].starts_with(&format!("{id} ")), "{outcome:?}");
    assert!(lines[3].ends_with(&format!(" {:>14} {:>10}", 5120, 1)), "{outcome:?}");
    assert_eq!(lines.len(), 4);
}

#[test]
fn what_is_queued_is_a_table() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    prints(&gander, &format!("-f queue-image {id}"), "");
    let expected = format!("Found 1 queued images...\n{:<36}\n{}\n{id}\n", "ID", "-".repeat(36));
    let outcome = manage(&gander, "list-queued");
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(&outcome.stdout), trimmed(&expected));
}

#[test]
fn with_verbose_each_deed_is_said() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    for (command, line) in [
        (format!("queue-image {id}"), format!("Queued image {id} for caching")),
        (format!("delete-queued-image {id}"), format!("Deleted queued image {id}")),
        ("delete-all-queued-images".to_owned(), "Deleted 0 queued images".to_owned()),
        (format!("delete-cached-image {id}"), format!("Deleted cached image {id}")),
        ("delete-all-cached-images".to_owned(), "Deleted 0 cached images".to_owned()),
    ] {
        let outcome = manage(&gander, &format!("-v -f {command}"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let lines: Vec<_> = outcome.stdout.lines().collect();
        assert_eq!(lines[0], line);
        assert!(lines[1].starts_with("Completed in ") && lines[1].ends_with(" sec."), "{outcome:?}");
    }
}

#[test]
fn options_may_follow_the_command() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    let line = format!("bin/glance-cache-manage queue-image {id} --force --host=127.0.0.1 --port={}", gander.port());
    assert_eq!(execute(&line).code, Some(0));
    assert_eq!(gander.client().queued(), [id]);
}

#[test]
fn without_force_a_question_is_asked() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    for (answer, queued) in [("n\n", 0), ("\n", 0), ("", 0), ("maybe\n", 0), ("y\n", 1), ("YES\n", 1)] {
        let line = format!("bin/glance-cache-manage -H 127.0.0.1 -p {} queue-image {id}", gander.port());
        let mut child = shell(&line).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{answer:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.starts_with(&format!("Queue image {id} for caching? [y/N] ")), "{stdout:?}");
        assert_eq!(gander.client().queued().len(), queued, "{answer:?}");
    }
}

#[test]
fn a_missing_id_is_asked_for() {
    let gander = Gander::caching();
    for (command, verb) in
        [("queue-image", "queue"), ("delete-cached-image", "delete"), ("delete-queued-image", "delete")]
    {
        let outcome = manage(&gander, command);
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let text = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(text.contains(&format!("Please specify the ID of the image you wish to {verb}")), "{outcome:?}");
        assert!(text.contains("from the cache as the first argument"), "{outcome:?}");
    }
}

#[test]
fn without_management_the_command_says_so() {
    let gander = Gander::plain();
    let outcome = manage(&gander, "list-cached");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stdout, "Cache management middleware not enabled on host 127.0.0.1\n");
}

#[test]
fn an_unreachable_host_is_an_error_in_words() {
    let outcome = execute(&format!("bin/glance-cache-manage -H 127.0.0.1 -p {} list-cached", free_port()));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stdout.contains("Failed to show cached images. Got error:"), "{outcome:?}");
}

#[test]
fn help_and_version_need_no_server() {
    for arguments in ["--help", "", "help list-cached", "-v"] {
        let outcome = execute(&format!("bin/glance-cache-manage {arguments}"));
        assert_eq!(outcome.code, Some(0), "{arguments}: {outcome:?}");
        assert!(!outcome.stdout.is_empty(), "{arguments}");
    }
    let outcome = execute("bin/glance-cache-manage --version");
    assert_eq!(outcome.stdout.trim(), concat!("glance-cache-manage ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_unknown_command_is_an_error() {
    let outcome = execute("bin/glance-cache-manage defrost");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("Unknown command: defrost"), "{outcome:?}");
    let outcome = execute("bin/glance-cache-manage help");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("Please specify a command"), "{outcome:?}");
}
