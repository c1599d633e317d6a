//! Memberships in answers, seen from the image and seen from the member (v1-api §14).

use serde_json::{Value, json};

use crate::model::{ImageId, Member};

/// An entry of `members`: who shares a known image.
pub(crate) fn encode_image_member(member: &Member) -> Value {
    json!({"member_id": member.member, "can_share": member.can_share})
}

/// An entry of `shared_images`: what is shared with a known member.
pub(crate) fn encode_shared_image(member: &Member) -> Value {
    json!({"image_id": member.image_id.as_str(), "can_share": member.can_share})
}

/// Reads an entry of `members`; the error names the field.
pub(crate) fn decode_image_member(value: &Value, image_id: &ImageId) -> Result<Member, String> {
    let member = value["member_id"].as_str().ok_or("member_id is not text")?.to_owned();
    Ok(Member { image_id: image_id.clone(), member, can_share: can_share(value)? })
}

/// Reads an entry of `shared_images`; the error names the field.
pub(crate) fn decode_shared_image(value: &Value, member: &str) -> Result<Member, String> {
    let image_id = value["image_id"].as_str().and_then(ImageId::parse).ok_or("image_id is not an image id")?;
    Ok(Member { image_id, member: member.to_owned(), can_share: can_share(value)? })
}

fn can_share(value: &Value) -> Result<bool, String> {
    value["can_share"].as_bool().ok_or_else(|| "can_share is not a boolean".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{decode_image_member, decode_shared_image, encode_image_member, encode_shared_image};
    use crate::model::{ImageId, Member};

    #[test]
    fn both_views_come_back_as_they_went() {
        let id = ImageId::random();
        let member = Member { image_id: id.clone(), member: "pattieblack".to_owned(), can_share: true };
        assert_eq!(decode_image_member(&encode_image_member(&member), &id), Ok(member.clone()));
        assert_eq!(decode_shared_image(&encode_shared_image(&member), "pattieblack"), Ok(member));
    }

    #[test]
    fn a_broken_entry_is_named() {
        let id = ImageId::random();
        let broken = decode_image_member(&json!({"member_id": 3, "can_share": true}), &id);
        assert_eq!(broken.unwrap_err(), "member_id is not text");
        let broken = decode_shared_image(&json!({"image_id": "x", "can_share": true}), "m");
        assert_eq!(broken.unwrap_err(), "image_id is not an image id");
        let broken = decode_image_member(&json!({"member_id": "m"}), &id);
        assert_eq!(broken.unwrap_err(), "can_share is not a boolean");
    }
}
