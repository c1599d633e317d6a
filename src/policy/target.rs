//! What rules see of the image that a caller wants to touch (policy-and-auth §3.5).

use std::borrow::Cow;

use oslopolicy::{Attributes, Target};
use serde_json::{Map, Value, json};

use crate::model::{Context, Image, Visibility, owns, zulu};

/// What every image has; its properties have names of their own.
const NAMES: [&str; 23] = [
    "id",
    "image_id",
    "name",
    "status",
    "visibility",
    "owner",
    "project_id",
    "protected",
    "os_hidden",
    "min_ram",
    "min_disk",
    "size",
    "virtual_size",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "disk_format",
    "container_format",
    "created_at",
    "updated_at",
    "tags",
    "member",
    "member_id",
];

/// An image that exists, as `ctx` reaches it. Rules name few of its attributes, so each is made when it is asked for.
pub(super) struct Reached<'a> {
    pub(super) ctx: &'a Context,
    pub(super) image: &'a Image,
}

impl Reached<'_> {
    /// Whoever is not the owner of a shared image, and yet sees it, is a member of it (or an admin).
    fn member(&self) -> Option<&str> {
        let shared = self.image.visibility == Visibility::Shared && !owns(self.ctx, self.image);
        self.ctx.owner().filter(|_| shared)
    }
}

impl Attributes for Reached<'_> {
    fn attribute(&self, name: &str) -> Option<Cow<'_, Value>> {
        let image = self.image;
        Some(Cow::Owned(match name {
            "id" | "image_id" => json!(image.id.as_str()),
            "name" => json!(image.name),
            "status" => json!(image.status.as_str()),
            "visibility" => json!(image.visibility.as_str()),
            "owner" | "project_id" => json!(image.owner),
            "protected" => json!(image.protected),
            "os_hidden" => json!(image.os_hidden),
            "min_ram" => json!(image.min_ram),
            "min_disk" => json!(image.min_disk),
            "size" => json!(image.size),
            "virtual_size" => json!(image.virtual_size),
            "checksum" => json!(image.checksum),
            "os_hash_algo" => json!(image.os_hash_algo),
            "os_hash_value" => json!(image.os_hash_value),
            "disk_format" => json!(image.disk_format),
            "container_format" => json!(image.container_format),
            "created_at" => json!(zulu(image.created_at)),
            "updated_at" => json!(zulu(image.updated_at)),
            "tags" => json!(image.tags),
            "member" | "member_id" => json!(self.member()),
            property => json!(image.properties.get(property)?),
        }))
    }

    fn all(&self) -> Map<String, Value> {
        let properties = self.image.properties.keys().map(String::as_str);
        let names = properties.chain(NAMES);
        names.filter_map(|name| Some((name.to_owned(), self.attribute(name)?.into_owned()))).collect()
    }
}

/// An image that is to be. A visibility that nobody has named is judged as the most private one.
pub(super) fn new_image(owner: Option<&str>, visibility: Option<Visibility>) -> Target {
    let visibility = visibility.unwrap_or(Visibility::Private);
    project(owner).with("owner", owner.map(str::to_owned)).with("visibility", visibility.as_str())
}

/// Nothing but a project.
pub(super) fn project(project: Option<&str>) -> Target {
    Target::default().with("project_id", project.map_or(Value::Null, Value::from))
}
