//! The registry's client against its server, over a loopback socket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Redirect;
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::{Value, json};

use crate::api::error::render::Form;
use crate::db::registry::{RegistryClient, Settings};
use crate::db::{Error, Metadata, Result, Step, UpdateMode};
use crate::model::{
    Api, Context, Image, ImageFields, ImageId, ImageQuery, ImageStatus, Listing, Location, Member, MemberStatus,
    Membership, Resource, Sharing,
};
use crate::wire::{decode_record, encode_full};

const ID: &str = "71c675ab-d94f-49cd-a114-e12490b328d9";

fn id() -> ImageId {
    ImageId::parse(ID).unwrap()
}

fn image() -> Image {
    let record = json!({
        "id": ID, "name": "caf\u{e9}", "status": "active", "is_public": true, "size": 19,
        "created_at": "2012-02-20T18:06:51.000001", "updated_at": "2012-02-20T18:06:52",
        "properties": {"arch": "x86_64"}, "location": "file:///images/1",
    });
    decode_record(&record).unwrap()
}

fn member(name: &str) -> Member {
    Member { image_id: id(), member: name.to_owned(), can_share: true }
}

fn sharing(member: &str, status: MemberStatus) -> Sharing {
    let time = image().created_at;
    Sharing { image_id: id(), member: member.to_owned(), status, created_at: time, updated_at: time }
}

/// Metadata that notes what it is asked and answers with a fixed image, or with the error made by `refuse`.
#[derive(Debug, Default)]
struct Fake {
    refuse: Option<fn() -> Error>,
    calls: Mutex<Vec<String>>,
}

impl Fake {
    fn note<T>(&self, call: String, answer: T) -> Result<T> {
        self.calls.lock().unwrap().push(call);
        self.refuse.map_or(Ok(answer), |refuse| Err(refuse()))
    }
}

#[async_trait]
impl Metadata for Fake {
    async fn image_get(&self, _: &Context, id: &ImageId) -> Result<Image> {
        self.note(format!("get {id}"), image())
    }
    async fn image_find(&self, _: &Context, query: &ImageQuery) -> Result<Vec<Image>> {
        self.note(format!("find {query:?}"), vec![image()])
    }
    async fn image_list(&self, _: &Context, listing: &Listing) -> Result<Vec<Image>> {
        self.note(format!("list {listing:?}"), vec![image()])
    }
    async fn image_insert(&self, _: &Context, fields: ImageFields) -> Result<Image> {
        fields.validate(None, Api::V1)?;
        self.note(format!("insert {fields:?}"), image())
    }
    async fn image_update(&self, _: &Context, id: &ImageId, fields: ImageFields, mode: UpdateMode) -> Result<Image> {
        self.note(format!("update {id} {fields:?} {mode:?}"), image())
    }
    async fn image_relocate(
        &self,
        _: &Context,
        id: &ImageId,
        held: &[Location],
        fields: ImageFields,
        mode: UpdateMode,
    ) -> Result<Image> {
        self.note(format!("relocate {id} {held:?} {fields:?} {mode:?}"), image())
    }
    async fn tag_add(&self, _: &Context, id: &ImageId, tag: &str, quota: Option<usize>) -> Result<Option<Image>> {
        self.note(format!("tag {id} {tag} {quota:?}"), Some(image()))
    }
    async fn tag_remove(&self, _: &Context, id: &ImageId, tag: &str) -> Result<Image> {
        self.note(format!("untag {id} {tag}"), image())
    }
    async fn sharings(&self, _: &Context, id: &ImageId) -> Result<Vec<Sharing>> {
        self.note(format!("sharings {id}"), Vec::new())
    }
    async fn sharing_add(&self, _: &Context, id: &ImageId, member: &str, quota: Option<usize>) -> Result<Sharing> {
        self.note(format!("share {id} {member} {quota:?}"), sharing(member, MemberStatus::Pending))
    }
    async fn sharing_answer(&self, _: &Context, id: &ImageId, member: &str, status: MemberStatus) -> Result<Sharing> {
        self.note(format!("answer {id} {member} {status:?}"), sharing(member, status))
    }
    async fn sharing_end(&self, _: &Context, id: &ImageId, member: &str) -> Result<()> {
        self.note(format!("end {id} {member}"), ())
    }
    async fn image_delete(&self, _: &Context, id: &ImageId, step: Option<Step>) -> Result<()> {
        self.note(format!("delete {id} {step:?}"), ())
    }
    async fn image_restore(&self, _: &Context, id: &ImageId) -> Result<()> {
        self.note(format!("restore {id}"), ())
    }
    async fn members(&self, _: &Context, id: &ImageId) -> Result<Vec<Member>> {
        self.note(format!("members {id}"), vec![member("pattieblack")])
    }
    async fn members_replace(&self, _: &Context, id: &ImageId, members: &[Membership]) -> Result<()> {
        self.note(format!("replace {id} {members:?}"), ())
    }
    async fn member_put(&self, _: &Context, id: &ImageId, member: &Membership) -> Result<()> {
        self.note(format!("put {id} {member:?}"), ())
    }
    async fn member_delete(&self, _: &Context, id: &ImageId, member: &str) -> Result<()> {
        self.note(format!("unshare {id} {member}"), ())
    }
    async fn storage_used(&self, owner: &str) -> Result<u64> {
        self.note(format!("storage {owner}"), 0)
    }
    async fn usage(&self, owner: &str, resource: Resource) -> Result<u64> {
        self.note(format!("usage {owner} {resource:?}"), 0)
    }

    async fn shared_images(&self, _: &Context, name: &str) -> Result<Vec<Member>> {
        self.note(format!("shared {name}"), vec![member(name)])
    }
}

/// A running registry for one caller.
struct Registry {
    fake: Arc<Fake>,
    url: String,
    client: RegistryClient,
}

impl Registry {
    async fn start(fake: Fake, caller: Context) -> Self {
        let fake = Arc::new(fake);
        let render =
            |request: Request, next: Next| async { Form::of(&request, Api::V1).guard(next.run(request)).await };
        let app: Router = super::router(fake.clone()).layer(Extension(caller)).layer(from_fn(render));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = RegistryClient::new(&settings(port)).unwrap();
        Self { fake, url: format!("http://127.0.0.1:{port}"), client }
    }

    /// One that answers every call with this error.
    async fn refusing(refuse: fn() -> Error) -> Self {
        Self::start(Fake { refuse: Some(refuse), ..Fake::default() }, user()).await
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.fake.calls.lock().unwrap())
    }

    async fn raw(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.request(method.parse().unwrap(), format!("{}{path}", self.url)).body(body.to_owned());
        let response = request.header("accept", "text/plain").send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

fn settings(port: u16) -> Settings {
    Settings {
        protocol: "http".to_owned(),
        host: "127.0.0.1".to_owned(),
        port,
        ca_file: None,
        cert_file: None,
        key_file: None,
        timeout: Duration::from_secs(10),
    }
}

fn user() -> Context {
    Context { tenant: Some("froggy".to_owned()), owner_is_tenant: true, ..Context::default() }
}

fn raw_image() -> ImageFields {
    let format = |name: &str| Some(Some(name.to_owned()));
    ImageFields { disk_format: format("raw"), container_format: format("bare"), ..ImageFields::default() }
}

#[tokio::test]
async fn images_travel_both_ways() {
    let registry = Registry::start(Fake::default(), user()).await;
    let (ctx, client) = (user(), &registry.client);
    assert_eq!(client.image_get(&ctx, &id()).await.unwrap(), image());
    let query = ImageQuery { limit: Some(2), ..ImageQuery::default() };
    assert_eq!(client.image_find(&ctx, &query).await.unwrap(), [image()]);
    assert_eq!(client.image_insert(&ctx, ImageFields { id: Some(id()), ..raw_image() }).await.unwrap(), image());
    let mode = UpdateMode { purge_props: true, from_status: Some(ImageStatus::Saving) };
    client.image_update(&ctx, &id(), raw_image(), mode).await.unwrap();
    client.image_update(&ctx, &id(), raw_image(), UpdateMode::default()).await.unwrap();
    client.image_delete(&ctx, &id(), None).await.unwrap();
    let step = Step { from: ImageStatus::Active, to: ImageStatus::Deleted };
    client.image_delete(&ctx, &id(), Some(step)).await.unwrap();
    let to_deleted = ImageFields { status: Some(ImageStatus::Deleted), ..ImageFields::default() };
    let from_active = UpdateMode { purge_props: false, from_status: Some(ImageStatus::Active) };
    let inserted = ImageFields { id: Some(id()), status: Some(ImageStatus::Queued), ..raw_image() };
    let expected = [
        format!("get {ID}"),
        format!("find {query:?}"),
        format!("insert {inserted:?}"),
        format!("update {ID} {:?} {mode:?}", raw_image()),
        format!("update {ID} {:?} {:?}", raw_image(), UpdateMode::default()),
        format!("delete {ID} None"),
        format!("update {ID} {to_deleted:?} {from_active:?}"),
        format!("delete {ID} None"),
    ];
    assert_eq!(registry.calls(), expected);
}

#[tokio::test]
async fn memberships_travel_both_ways() {
    let registry = Registry::start(Fake::default(), user()).await;
    let (ctx, client) = (user(), &registry.client);
    assert_eq!(client.members(&ctx, &id()).await.unwrap(), [member("pattieblack")]);
    let odd = "a/b c?\u{e9}";
    assert_eq!(client.shared_images(&ctx, odd).await.unwrap(), [member(odd)]);
    let wanted = [
        Membership { member: "a".to_owned(), can_share: None },
        Membership { member: odd.to_owned(), can_share: Some(false) },
    ];
    client.members_replace(&ctx, &id(), &wanted).await.unwrap();
    client.member_put(&ctx, &id(), &wanted[0]).await.unwrap();
    client.member_put(&ctx, &id(), &wanted[1]).await.unwrap();
    client.member_delete(&ctx, &id(), odd).await.unwrap();
    let expected = [
        format!("members {ID}"),
        format!("shared {odd}"),
        format!("replace {ID} {wanted:?}"),
        format!("put {ID} {:?}", wanted[0]),
        format!("put {ID} {:?}", wanted[1]),
        format!("unshare {ID} {odd}"),
    ];
    assert_eq!(registry.calls(), expected);
}

#[tokio::test]
async fn a_broken_rule_keeps_the_chain_of_words_that_clients_search() {
    let registry = Registry::start(Fake::default(), user()).await;
    let fields = ImageFields { container_format: None, ..raw_image() };
    let error = registry.client.image_insert(&user(), fields).await.unwrap_err();
    let expected = "Data supplied was not valid.\nDetails: 400 Bad Request\n\nThe server could not comply with the \
                    request since it is either malformed or otherwise incorrect.\n\n Failed to add image metadata. \
                    Got error: Data supplied was not valid. Details: Invalid container format 'None' for image.  ";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn refusals_keep_their_meaning() {
    let (ctx, fields, mode) = (user(), raw_image(), UpdateMode::default());
    let registry = Registry::refusing(|| Error::NotFound(String::new())).await;
    assert!(matches!(registry.client.image_get(&ctx, &id()).await, Err(Error::NotFound(_))));
    assert!(matches!(registry.client.member_delete(&ctx, &id(), "m").await, Err(Error::NotFound(_))));
    let error = registry.client.image_update(&ctx, &id(), fields.clone(), mode).await.unwrap_err();
    assert_eq!(error.to_string(), "An object with the specified identifier was not found.\nDetails: Image not found");

    let registry = Registry::refusing(|| Error::Forbidden(String::new())).await;
    assert!(matches!(registry.client.image_delete(&ctx, &id(), None).await, Err(Error::Forbidden(_))));
    assert_eq!(registry.calls().len(), 2, "refused requests are repeated once");
    let updated = registry.client.image_update(&ctx, &id(), fields.clone(), mode).await;
    assert!(matches!(updated, Err(Error::NotFound(text)) if text == "Image not found"));

    let registry = Registry::refusing(|| Error::Duplicate(String::new())).await;
    let taken = registry.client.image_insert(&ctx, ImageFields { id: Some(id()), ..fields.clone() }).await;
    assert!(matches!(taken, Err(Error::Duplicate(text)) if text.contains(&format!("{ID} already exists!"))));

    let registry = Registry::refusing(|| Error::Conflict("it is active".to_owned())).await;
    let raced = registry.client.image_update(&ctx, &id(), fields, mode).await;
    assert!(matches!(raced, Err(Error::Conflict(text)) if text.contains("it is active")));

    let registry = Registry::refusing(|| Error::Invalid("Invalid marker. Image could not be found.".to_owned())).await;
    let listed = registry.client.image_find(&ctx, &ImageQuery::default()).await;
    assert!(matches!(listed, Err(Error::Invalid(text)) if text.contains("Invalid marker. Image could not be found.")));

    let registry = Registry::refusing(|| Error::Unavailable("db.internal:3306".to_owned())).await;
    assert!(matches!(registry.client.image_get(&ctx, &id()).await, Err(Error::Unavailable(_))));
    let registry = Registry::refusing(|| Error::Internal("secret row".to_owned())).await;
    assert!(matches!(registry.client.image_get(&ctx, &id()).await, Err(Error::Internal(_))));
    assert!(!registry.raw("GET", &format!("/images/{ID}"), "").await.1.contains("secret"));
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let client = RegistryClient::new(&settings(port)).unwrap();
    let error = client.image_get(&user(), &id()).await.unwrap_err();
    assert_eq!(error.to_string(), "There was an error connecting to a server\nDetails: Connection refused");
}

#[tokio::test]
async fn redirects_are_followed_within_the_registry_only() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let record = || async { crate::api::json::answer(&json!({"image": encode_full(&image())})) };
    let app = Router::new()
        .route(&format!("/images/{ID}"), get(|| async { Redirect::temporary("/moved") }))
        .route("/moved", get(record))
        .route("/images/detail", get(|| async { Redirect::temporary("/images/detail") }))
        .route(
            "/shared-images/m",
            get(move || async move { Redirect::temporary(&format!("http://localhost:{port}/")) }),
        );
    tokio::spawn(async move { axum::serve(listener, app).await });
    let (ctx, client) = (user(), RegistryClient::new(&settings(port)).unwrap());
    assert_eq!(client.image_get(&ctx, &id()).await.unwrap(), image());
    let endless = client.image_find(&ctx, &ImageQuery::default()).await;
    assert!(matches!(endless, Err(Error::Internal(text)) if text.contains("307")));
    let elsewhere = client.shared_images(&ctx, "m").await;
    assert!(matches!(elsewhere, Err(Error::Internal(text)) if text.contains("307")));
}

#[tokio::test]
async fn routes_answer_with_their_statuses_and_texts() {
    let registry = Registry::start(Fake::default(), user()).await;
    let brief = "\"id\": \"71c675ab-d94f-49cd-a114-e12490b328d9\", \"size\": 19}]}";
    let one = format!("/images/{ID}");
    let members = format!("/images/{ID}/members");
    for (method, path, body, status, text) in [
        ("POST", "/", "", 200, brief),
        ("GET", "/images", "", 200, brief),
        ("GET", "/images/detail", "", 200, "\"location\": \"file:///images/1\""),
        ("GET", &one, "", 200, "{\"image\": {\"status\": \"active\", \"name\": \"caf\\u00e9\""),
        ("DELETE", &one, "", 200, "null"),
        ("PUT", &members, "[]", 204, ""),
        ("POST", "/shared-images/x", "", 200, "{\"shared_images\": [{\"image_id\": "),
        ("GET", "/images?is_public=maybe", "", 400, "is_public must be None, True, or False"),
        ("GET", "/images/1", "", 404, "404 Not Found"),
        ("PUT", "/images/1", "{}", 404, "Image not found"),
        ("PATCH", &one, "", 404, "404 Not Found"),
        ("GET", "/nowhere", "", 404, "404 Not Found"),
        ("PUT", &one, "{}", 400, "must be an object with key 'image'"),
        ("PUT", &one, "{", 400, "not valid JSON"),
        ("POST", "/images", "{\"image\": {\"id\": \"x\"}}", 400, "Invalid image id format"),
        ("POST", "/images", "{\"image\": {\"min_ram\": \"x\"}}", 400, "min_ram"),
        ("PUT", &one, "{\"image\": {}, \"from_state\": \"x\"}", 400, "from_state"),
        ("PUT", &members, "{}", 400, "Invalid membership association: 'member_id'"),
        ("PUT", &format!("{members}/m"), "{\"x\": 1}", 400, "Invalid membership association: 'member'"),
        ("PUT", &format!("{members}/{}", "m".repeat(256)), "", 400, "'member_id' must have 1 to 255"),
    ] {
        let answer = registry.raw(method, path, body).await;
        assert_eq!(answer.0, status, "{method} {path} {body} {answer:?}");
        assert!(answer.1.contains(text), "{method} {path} {body} {answer:?}");
    }
    registry.calls();
    let created =
        registry.raw("POST", "/images", "{\"image\": {\"disk_format\": \"raw\", \"container_format\": \"bare\"}}");
    assert_eq!(created.await.0, 200);
    assert!(registry.calls()[0].contains("status: Some(Active)"), "the registry's own default");
}

#[tokio::test]
async fn anonymous_callers_change_nothing_and_the_ownerless_share_nothing() {
    let anonymous = Context { read_only: true, ..Context::default() };
    let registry = Registry::start(Fake::default(), anonymous).await;
    let (one, members) = (format!("/images/{ID}"), format!("/images/{ID}/members"));
    for (method, path) in [("POST", "/images"), ("PUT", &one), ("DELETE", &one), ("PUT", &members)] {
        let (status, text) = registry.raw(method, path, "{}").await;
        assert!(status == 403 && text.contains("Read-only access"), "{method} {path}");
    }
    let registry = Registry::start(Fake::default(), Context::service()).await;
    let single = format!("{members}/m");
    for (method, path) in [("PUT", &members), ("PUT", &single), ("DELETE", &single)] {
        let (status, text) = registry.raw(method, path, "").await;
        assert!(status == 401 && text.contains("No authenticated user"), "{method} {path}");
    }
    assert_eq!(registry.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn only_admins_ask_for_deleted_images() {
    let registry = Registry::start(Fake::default(), user()).await;
    registry.raw("GET", "/images?deleted=True", "").await;
    assert!(registry.calls()[0].contains("deleted: None"));
    let registry = Registry::start(Fake::default(), Context::service()).await;
    registry.raw("GET", "/images?deleted=True", "").await;
    assert!(registry.calls()[0].contains("deleted: Some(true)"));
}

#[tokio::test]
async fn records_have_every_field_of_the_image_and_its_location() {
    let registry = Registry::start(Fake::default(), user()).await;
    let (_, text) = registry.raw("GET", &format!("/images/{ID}"), "").await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer, json!({"image": encode_full(&image())}));
}
