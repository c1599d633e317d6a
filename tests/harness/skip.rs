//! Saying that a test could not run here.

use std::io::{self, Write};

/// Tells on standard error, past the capture of the test runner, what is missing; `tools/test` counts these lines.
pub(crate) fn skipped(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(io::stderr(), "SKIPPED: {test}: {reason}");
}
