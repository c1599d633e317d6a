//! Keystone behind TLS: nobody else is taken for it (security S53).

use crate::harness::{Gander, Keystone, Setup, TlsFront, unique};

struct Secured<'a> {
    keystone: &'a Keystone,
    front: TlsFront,
    token: String,
}

impl Secured<'_> {
    /// A server that asks the Keystone behind this kind of certificate.
    fn setup(&self, kind: &str) -> Setup {
        self.keystone.setup("keystone").set("keystone_authtoken.auth_url", self.front.url(kind))
    }

    fn trusting(&self, kind: &str) -> Setup {
        self.setup(kind).set("keystone_authtoken.cafile", self.front.file("ca.pem").display())
    }

    fn answer(&self, gander: &Gander) -> u16 {
        gander.client().with("X-Auth-Token", &self.token).get("/v2/images").status
    }
}

#[test]
fn s53_a_keystone_that_cannot_prove_who_it_is_lets_nobody_in() {
    let Some(keystone) = Keystone::shared() else { return };
    let Some(front) = TlsFront::before(keystone.port()) else { return };
    let project = keystone.add_project(&unique("project"));
    let token = keystone.member(&unique("user"), &project, &["reader"]);
    let cloud = Secured { keystone: &keystone, front, token };
    let answer = |setup: Setup| cloud.answer(&setup.start());
    assert_eq!(answer(cloud.trusting("good")), 200);
    for doubtful in [cloud.trusting("other-name"), cloud.trusting("self-signed"), cloud.setup("good")] {
        assert_eq!(answer(doubtful), 503);
    }
    // However it is spelled, no is no.
    for no in ["False", "false", "0", "no", "off"] {
        assert_eq!(answer(cloud.setup("self-signed").set("keystone_authtoken.insecure", no)), 503, "{no}");
    }
    assert_eq!(answer(cloud.setup("self-signed").set("keystone_authtoken.insecure", "True")), 200);
    let unclear = cloud.setup("good").set("keystone_authtoken.insecure", "falsch").run_to_end();
    assert!(unclear.code != Some(0) && unclear.stderr.contains("insecure"), "{}", unclear.stderr);
    // And where Keystone asks for one, the service shows a certificate of its own.
    assert_eq!(answer(cloud.trusting("mutual")), 503);
    let shown = cloud.trusting("mutual").set("keystone_authtoken.certfile", cloud.front.file("client.pem").display());
    assert_eq!(answer(shown.set("keystone_authtoken.keyfile", cloud.front.file("client.key").display())), 200);
}

#[test]
fn certificates_that_cannot_be_read_keep_the_server_from_starting() {
    for (option, value) in [("cafile", "/nowhere/ca.pem"), ("certfile", "/nowhere/client.pem")] {
        let setup = Setup::api("keystone").set("keystone_authtoken.auth_url", "https://127.0.0.1:1");
        let setup = setup.set("keystone_authtoken.username", "glance").set("keystone_authtoken.password", "secret");
        let outcome = setup.set(&format!("keystone_authtoken.{option}"), value).run_to_end();
        assert!(outcome.code != Some(0) && outcome.stderr.contains(option), "{}", outcome.stderr);
    }
}
