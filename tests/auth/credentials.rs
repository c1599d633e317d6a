//! How the service itself logs in, in each way and by each name that its options ever had (configuration §5).

use serde_json::{Value, json};

use crate::harness::{Keystone, PASSWORD, Setup, password_of, unique};

/// A service's user, and a caller's token.
struct World<'a> {
    keystone: &'a Keystone,
    user: String,
    name: String,
    project: String,
    caller: String,
}

impl<'a> World<'a> {
    fn of(keystone: &'a Keystone) -> Self {
        let name = unique("service");
        let user = keystone.add_user(&name);
        let found = keystone.ask("GET", "projects?name=admin", &Value::Null).expect(200).json();
        let project = found["projects"][0]["id"].as_str().unwrap().to_owned();
        keystone.grant(&format!("projects/{project}"), &user, "admin");
        keystone.grant("system", &user, "admin");
        let callers = keystone.add_project(&unique("project"));
        let caller = keystone.member(&unique("caller"), &callers, &["reader"]);
        Self { keystone, user, name, project, caller }
    }

    fn token(&self) -> String {
        self.keystone.token(&password_of(&self.user), &json!({"project": {"id": self.project}}))
    }

    /// A server that logs in as these options say, which stand in the group `group`.
    fn setup(&self, group: &str, options: &[(&str, &str)]) -> Setup {
        let setup = Setup::api("keystone").built_in_rules().set(&format!("{group}.auth_url"), self.keystone.url());
        options.iter().fold(setup, |setup, (name, value)| setup.set(&format!("{group}.{name}"), value))
    }

    #[track_caller]
    fn lets_in(&self, setup: Setup) {
        let gander = setup.start();
        let caller = gander.client().with("X-Auth-Token", &self.caller);
        assert_eq!(caller.get("/v2/images").status, 200, "{}", gander.log());
        gander.client().with("X-Auth-Token", "nonsense").get("/v2/images").expect(401);
    }
}

#[test]
fn with_a_password() {
    let Some(keystone) = Keystone::shared() else { return };
    let world = World::of(&keystone);
    let (user, name, project) = (&*world.user, &*world.name, &*world.project);
    let group = "keystone_authtoken";
    let by_id = [("auth_type", "v3password"), ("user_id", user), ("password", PASSWORD), ("project_id", project)];
    world.lets_in(world.setup(group, &by_id));
    let of_old = [
        ("auth_plugin", "password"),
        ("admin_user", name),
        ("admin_password", PASSWORD),
        ("admin_tenant_name", "admin"),
    ];
    world.lets_in(world.setup(group, &of_old));
    let everywhere = [("username", name), ("password", PASSWORD), ("system_scope", "all")];
    world.lets_in(world.setup(group, &everywhere));
    // In a group of its own.
    let domains = [("user_domain_name", "Default"), ("project_domain_name", "Default"), ("project_name", "admin")];
    let elsewhere = [("username", name), ("password", PASSWORD)];
    let elsewhere = world.setup("service_user_of_glance", &[&elsewhere[..], &domains].concat());
    world.lets_in(elsewhere.set("keystone_authtoken.auth_section", "service_user_of_glance"));
}

#[test]
fn with_an_application_credential() {
    let Some(keystone) = Keystone::shared() else { return };
    let world = World::of(&keystone);
    let body = json!({"application_credential": {"name": "c", "secret": "s"}});
    let client = crate::harness::Client::new("127.0.0.1", keystone.port());
    let request = client.post(&format!("/v3/users/{}/application_credentials", world.user));
    let made = request.header("X-Auth-Token", &world.token()).json(&body).send().expect(201).json();
    let id = made["application_credential"]["id"].as_str().unwrap();
    let group = "keystone_authtoken";
    let kind = ("auth_type", "v3applicationcredential");
    let by_id = [kind, ("application_credential_id", id), ("application_credential_secret", "s")];
    world.lets_in(world.setup(group, &by_id));
    let by_name = [
        kind,
        ("application_credential_name", "c"),
        ("application_credential_secret", "s"),
        ("username", &world.name),
        ("user_domain_id", "default"),
    ];
    world.lets_in(world.setup(group, &by_name));
}

#[test]
fn with_a_token() {
    let Some(keystone) = Keystone::shared() else { return };
    let world = World::of(&keystone);
    let token = world.token();
    let options = [("auth_type", "token"), ("token", &*token), ("project_id", &*world.project)];
    world.lets_in(world.setup("keystone_authtoken", &options));
}

/// The paste file of 2012 tells all that is needed, and v1's clients of then come in.
#[test]
fn as_in_2012() {
    let Some(keystone) = Keystone::shared() else { return };
    let world = World::of(&keystone);
    let filter = format!(
        "[filter:authtoken]
paste.filter_factory = keystone.middleware.auth_token:filter_factory
service_protocol = http
service_host = 127.0.0.1
service_port = {port}
auth_host = 127.0.0.1
auth_port = {port}
auth_protocol = http
auth_uri = http://127.0.0.1:{port}/
admin_tenant_name = admin
admin_user = {user}
admin_password = {PASSWORD}
",
        port = keystone.port(),
        user = world.name,
    );
    let app = "[app:apiv1app]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.api.v1.router:API

[filter:versionnegotiation]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = glance.api.middleware.version_negotiation:VersionNegotiationFilter

[filter:auth-context]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = keystone.middleware.glance_auth_token:KeystoneContextMiddleware
";
    let pipeline = "[pipeline:glance-api-keystone]\npipeline = versionnegotiation authtoken auth-context apiv1app\n";
    let gander = Setup::api("keystone").paste(&format!("{pipeline}\n{app}\n{filter}")).start();
    let client = |token: &str| gander.client().with("X-Auth-Token", token);
    assert_eq!(client(&world.caller).get("/v1/images").expect(200).json(), json!({"images": []}));
    client("nonsense").get("/v1/images").expect(401);
    let refused = gander.client().get("/v1/images").expect(401);
    let told = format!("Keystone uri=\"http://127.0.0.1:{}/\"", keystone.port());
    assert_eq!(refused.header("www-authenticate"), Some(&*told));
}
