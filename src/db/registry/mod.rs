//! Metadata behind a v1 registry server (v1-system §3).
//!
//! The registry judges rights and rules; this side forwards who asks, and puts the registry's answers into the terms
//! of the metadata seam.

mod connection;
mod status;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) use connection::{Settings, SettingsError};

use self::connection::Connection;
use self::status::Operation;
use super::{Error, Membership, Metadata, Result, Step, UpdateMode};
use crate::model::{
    Context, Image, ImageFields, ImageId, ImageQuery, ImageStatus, Listing, Location, Member, MemberStatus, Resource,
    Sharing,
};
use crate::wire::{
    FROM_STATE_KEY, PURGE_PROPS_HEADER, decode_image_member, decode_record, decode_shared_image, encode_fields,
    encode_query,
};

/// Metadata that a registry server keeps.
#[derive(Debug)]
pub(crate) struct RegistryClient {
    connection: Connection,
}

impl RegistryClient {
    /// A client of the registry at that address; nothing is sent before the first operation.
    ///
    /// # Errors
    /// An address or a certificate file that cannot be used.
    pub(crate) fn new(settings: &Settings) -> std::result::Result<Self, SettingsError> {
        Ok(Self { connection: Connection::new(settings)? })
    }

    async fn get(&self, ctx: &Context, path: &[&str], query: Option<&str>) -> Result<Value> {
        let request = self.connection.request(ctx, Method::GET, path, query)?;
        self.connection.send(request, Operation::Read).await
    }

    async fn change(&self, ctx: &Context, method: Method, path: &[&str], body: Option<&Value>) -> Result<Value> {
        let mut request = self.connection.request(ctx, method, path, None)?;
        if let Some(body) = body {
            request = request.json(body);
        }
        self.connection.send(request, Operation::Change).await
    }
}

#[async_trait]
impl Metadata for RegistryClient {
    async fn image_get(&self, ctx: &Context, id: &ImageId) -> Result<Image> {
        image(&self.get(ctx, &["images", id.as_str()], None).await?)
    }

    async fn image_find(&self, ctx: &Context, query: &ImageQuery) -> Result<Vec<Image>> {
        let answer = self.get(ctx, &["images", "detail"], Some(&encode_query(query))).await?;
        list(&answer, "images", decode_record)
    }

    async fn image_list(&self, _ctx: &Context, _listing: &Listing) -> Result<Vec<Image>> {
        Err(beyond_v1("list images for v2"))
    }

    async fn image_insert(&self, ctx: &Context, mut fields: ImageFields) -> Result<Image> {
        // The registry's own default is `active`; the seam's is `queued`.
        fields.status.get_or_insert(ImageStatus::Queued);
        let body = json!({"image": encode_fields(&fields)});
        let request = self.connection.request(ctx, Method::POST, &["images"], None)?.json(&body);
        image(&self.connection.send(request, Operation::Insert).await?)
    }

    async fn image_update(&self, ctx: &Context, id: &ImageId, fields: ImageFields, mode: UpdateMode) -> Result<Image> {
        let mut body = json!({"image": encode_fields(&fields)});
        if let Some(status) = mode.from_status {
            body[FROM_STATE_KEY] = json!(status.as_str());
        }
        let mut request = self.connection.request(ctx, Method::PUT, &["images", id.as_str()], None)?.json(&body);
        if mode.purge_props {
            request = request.header(PURGE_PROPS_HEADER, "true");
        }
        image(&self.connection.send(request, Operation::Change).await?)
    }

    /// v1 has no request for both at once. The status goes first: what is left half-way takes and gives no data.
    async fn image_delete(&self, ctx: &Context, id: &ImageId, step: Option<Step>) -> Result<()> {
        if let Some(Step { from, to }) = step {
            let fields = ImageFields { status: Some(to), ..ImageFields::default() };
            self.image_update(ctx, id, fields, UpdateMode { purge_props: false, from_status: Some(from) }).await?;
        }
        self.change(ctx, Method::DELETE, &["images", id.as_str()], None).await.map(drop)
    }

    async fn image_relocate(
        &self,
        _ctx: &Context,
        _id: &ImageId,
        _held: &[Location],
        _fields: ImageFields,
        _mode: UpdateMode,
    ) -> Result<Image> {
        Err(beyond_v1("change an image's locations"))
    }

    async fn tag_add(&self, _ctx: &Context, _id: &ImageId, _tag: &str, _quota: Option<usize>) -> Result<Option<Image>> {
        Err(beyond_v1("keep tags"))
    }

    async fn tag_remove(&self, _ctx: &Context, _id: &ImageId, _tag: &str) -> Result<Image> {
        Err(beyond_v1("keep tags"))
    }

    async fn sharings(&self, _ctx: &Context, _id: &ImageId) -> Result<Vec<Sharing>> {
        Err(beyond_v1("tell what members say to an image"))
    }

    async fn sharing_add(
        &self,
        _ctx: &Context,
        _id: &ImageId,
        _member: &str,
        _quota: Option<usize>,
    ) -> Result<Sharing> {
        Err(beyond_v1("keep what members say to an image"))
    }

    async fn sharing_answer(
        &self,
        _ctx: &Context,
        _id: &ImageId,
        _member: &str,
        _status: MemberStatus,
    ) -> Result<Sharing> {
        Err(beyond_v1("keep what members say to an image"))
    }

    async fn sharing_end(&self, _ctx: &Context, _id: &ImageId, _member: &str) -> Result<()> {
        Err(beyond_v1("keep what members say to an image"))
    }

    async fn image_restore(&self, _ctx: &Context, _id: &ImageId) -> Result<()> {
        Err(beyond_v1("restore deleted images"))
    }

    async fn members(&self, ctx: &Context, id: &ImageId) -> Result<Vec<Member>> {
        let answer = self.get(ctx, &["images", id.as_str(), "members"], None).await?;
        list(&answer, "members", |entry| decode_image_member(entry, id))
    }

    async fn members_replace(&self, ctx: &Context, id: &ImageId, members: &[Membership]) -> Result<()> {
        let entry = |membership: &Membership| match membership.can_share {
            Some(can_share) => json!({"member_id": membership.member, "can_share": can_share}),
            None => json!({"member_id": membership.member}),
        };
        let body = json!({"memberships": members.iter().map(entry).collect::<Vec<_>>()});
        self.change(ctx, Method::PUT, &["images", id.as_str(), "members"], Some(&body)).await.map(drop)
    }

    async fn member_put(&self, ctx: &Context, id: &ImageId, member: &Membership) -> Result<()> {
        let body = member.can_share.map(|can_share| json!({"member": {"can_share": can_share}}));
        let path = ["images", id.as_str(), "members", &member.member];
        self.change(ctx, Method::PUT, &path, body.as_ref()).await.map(drop)
    }

    async fn member_delete(&self, ctx: &Context, id: &ImageId, member: &str) -> Result<()> {
        self.change(ctx, Method::DELETE, &["images", id.as_str(), "members", member], None).await.map(drop)
    }

    async fn storage_used(&self, _owner: &str) -> Result<u64> {
        Err(beyond_v1("tell how much is stored"))
    }

    async fn usage(&self, _owner: &str, _resource: Resource) -> Result<u64> {
        Err(beyond_v1("tell what is used"))
    }

    async fn shared_images(&self, ctx: &Context, member: &str) -> Result<Vec<Member>> {
        let answer = self.get(ctx, &["shared-images", member], None).await?;
        list(&answer, "shared_images", |entry| decode_shared_image(entry, member))
    }
}

/// What only a database of one's own can do; v2 is not served over a registry, so nobody should come to ask.
fn beyond_v1(what: &str) -> Error {
    Error::Unavailable(format!(": a v1 registry cannot {what}"))
}

fn image(answer: &Value) -> Result<Image> {
    decode_record(&answer["image"]).map_err(unexpected)
}

fn list<T>(answer: &Value, key: &str, decode: impl Fn(&Value) -> std::result::Result<T, String>) -> Result<Vec<T>> {
    let entries = answer[key].as_array().ok_or_else(|| unexpected(format!("{key} is not a list")))?;
    entries.iter().map(decode).collect::<std::result::Result<_, _>>().map_err(unexpected)
}

fn unexpected(what: String) -> Error {
    Error::Internal(format!("unexpected answer of the registry: {what}"))
}
