//! What a notification says of its subject (operations §9.3).

use serde_json::{Value, json};

use super::Sent;
use crate::model::{Image, Sharing, zulu};

/// All of an image but where its data is.
pub(super) fn image(image: &Image) -> Value {
    json!({
        "id": image.id.as_str(), "name": image.name, "status": image.status.as_str(),
        "created_at": zulu(image.created_at), "updated_at": zulu(image.updated_at),
        "min_disk": image.min_disk, "min_ram": image.min_ram, "protected": image.protected,
        "checksum": image.checksum, "owner": image.owner,
        "disk_format": image.disk_format, "container_format": image.container_format,
        "size": image.size, "virtual_size": image.virtual_size,
        "is_public": image.is_public(), "visibility": image.visibility.as_str(),
        "properties": image.properties, "tags": image.tags,
        "deleted": image.deleted, "deleted_at": image.deleted_at.map(zulu),
    })
}

/// A membership; `deleted_at` is said of one that has ended.
pub(super) fn member(sharing: &Sharing, deleted_at: Option<chrono::NaiveDateTime>) -> Value {
    json!({
        "image_id": sharing.image_id.as_str(), "member_id": sharing.member, "status": sharing.status.as_str(),
        "created_at": zulu(sharing.created_at), "updated_at": zulu(sharing.updated_at),
        "deleted": deleted_at.is_some(), "deleted_at": deleted_at.map(zulu),
    })
}

/// Data that went out.
pub(super) fn sent(sent: &Sent) -> Value {
    json!({
        "bytes_sent": sent.bytes_sent, "image_id": sent.image_id, "owner_id": sent.owner_id,
        "receiver_tenant_id": sent.receiver_tenant_id, "receiver_user_id": sent.receiver_user_id,
        "destination_ip": sent.destination_ip,
    })
}
