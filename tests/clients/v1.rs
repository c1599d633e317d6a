//! The v1 API of python-glanceclient.

use super::scenario;
use crate::harness::{Gander, Setup, TRUSTED_CACHING};

fn gander() -> Gander {
    Setup::api("").paste(TRUSTED_CACHING).start()
}

#[test]
fn glanceclient_of_the_days_of_v1() {
    scenario("old", "glanceclient_v1", &gander());
}

#[test]
fn newest_glanceclient_that_still_has_v1() {
    scenario("current", "glanceclient_v1", &gander());
}
