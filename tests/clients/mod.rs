//! Real clients of the field, from PyPI in pinned releases, take images through their whole life.
//!
//! The scenarios are Python (`*.py`); `run` installs what they need and starts one against any endpoint, so they can be
//! held against Python Glance as well.

mod v1;
mod v2;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::harness::{Gander, Outcome, run_within, skipped};

/// For one scenario, with the installation of all clients before it.
const PATIENCE: Duration = Duration::from_secs(600);
/// With which `run` ends when Python or its packages cannot be had.
const UNAVAILABLE: i32 = 77;

/// Runs Glance's own `glance-manage db` with these words on a database. `None`, and the test is skipped, if it cannot be had.
pub(crate) fn glance_manage(url: &str, words: &[&str]) -> Option<Outcome> {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/run");
    let outcome = run_within(PATIENCE, Command::new(run).args(["glance", "glance_manage", url]).args(words));
    if outcome.code == Some(UNAVAILABLE) {
        skipped(outcome.stderr.trim());
        return None;
    }
    Some(outcome)
}

/// Runs a scenario with the clients of `requirements-{set}.txt`.
fn scenario(set: &str, name: &str, gander: &Gander) {
    scenario_with(set, name, gander, &[]);
}

/// The same with settings of its own in the environment.
fn scenario_with(set: &str, name: &str, gander: &Gander, environment: &[(&str, &str)]) {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/run");
    let mut command = Command::new(run);
    command.args([set, name, &gander.client().base()]);
    command.envs(environment.iter().copied());
    let outcome = run_within(PATIENCE, &mut command);
    if outcome.code == Some(UNAVAILABLE) {
        skipped(outcome.stderr.trim());
        return;
    }
    println!("{}", outcome.stdout);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}
