//! The clients of the v2 API.

use super::{scenario, scenario_with};
use crate::harness::{Certificates, Gander, Keystone, PASSWORD, Setup};

/// A server without authentication; its callers have no roles, so the rules of policy must be opened.
fn gander_for_all() -> Gander {
    let setup = Setup::api("cachemanagement");
    setup.policy(include_str!("open-policy.json"));
    setup.start()
}

/// A server that is told who is asking, with the rules of policy that are built in.
fn gander() -> Gander {
    let setup = Setup::api("").paste(include_str!("paste.ini"));
    setup.policy("{}");
    setup.start()
}

#[test]
fn glanceclient() {
    scenario("current", "glanceclient_v2", &gander());
}

#[test]
fn sdk() {
    scenario("current", "sdk", &gander());
}

#[test]
fn openstack_command_without_authentication() {
    scenario("current", "openstack_command", &gander_for_all());
}

#[test]
fn openstack_command_behind_tls() {
    let Some(certificates) = Certificates::make() else { return };
    let setup = Setup::api("cachemanagement").tls(&certificates, "good");
    setup.policy(include_str!("open-policy.json"));
    let authority = certificates.file("ca.pem").display().to_string();
    scenario_with("current", "openstack_command", &setup.start(), &[("REQUESTS_CA_BUNDLE", &authority)]);
}

#[test]
fn openstack_command_of_two_projects() {
    scenario("current", "openstack_sharing", &gander());
}

#[test]
fn people_who_log_in_at_keystone() {
    // One of its own: others put image services into the catalogue, too.
    let Some(keystone) = Keystone::start() else { return };
    let gander = keystone.setup("keystone+cachemanagement").start();
    let settings = [("KEYSTONE_URL", &*keystone.url()), ("KEYSTONE_PASSWORD", PASSWORD)];
    scenario_with("current", "keystone_command", &gander, &settings);
}
