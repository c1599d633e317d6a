//! Image metadata in headers (v1-api §7.1, §7.2).

use std::collections::BTreeMap;

use http::header::{ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{percent_decode_str, percent_encode_byte};

use crate::api::error::ApiError;
use crate::model::{Image, ImageFields, ImageId, truthy};
use crate::wire::isoformat;

const META: &str = "x-image-meta-";
const PROPERTY: &str = "x-image-meta-property-";

/// Everything that the headers of a request say of an image.
#[derive(Debug, Default)]
pub(super) struct Meta {
    pub(super) fields: ImageFields,
    /// Where the data is already.
    pub(super) location: Option<String>,
    /// Where to copy the data from.
    pub(super) copy_from: Option<String>,
    /// The store to upload to: its id, or where stores have none its scheme.
    pub(super) store: Option<String>,
    /// Expected MD5.
    pub(super) checksum: Option<String>,
}

/// Reads `X-Image-Meta-*`; unknown ones are ignored.
///
/// # Errors
/// 400 naming the header whose value is malformed.
pub(super) fn read(headers: &HeaderMap) -> Result<Meta, ApiError> {
    let mut meta = Meta::default();
    let mut properties = BTreeMap::new();
    for (name, value) in headers {
        let name = name.as_str();
        if let Some(property) = name.strip_prefix(PROPERTY) {
            properties.insert(property.replace('-', "_"), text(name, value)?);
        } else if let Some(field) = name.strip_prefix(META) {
            set(&mut meta, &field.replace('-', "_"), text(name, value)?)?;
        } else if name == "x-glance-api-copy-from" {
            meta.copy_from = text(name, value)?;
        }
    }
    meta.fields.properties = Some(properties);
    Ok(meta)
}

fn set(meta: &mut Meta, field: &str, value: Option<String>) -> Result<(), ApiError> {
    let fields = &mut meta.fields;
    match field {
        "id" => fields.id = value.map(image_id).transpose()?,
        "name" => fields.name = Some(value),
        "is_public" => fields.is_public = Some(value.as_deref().is_some_and(truthy)),
        "protected" => fields.protected = Some(value.as_deref().is_some_and(truthy)),
        "disk_format" => fields.disk_format = Some(value),
        "container_format" => fields.container_format = Some(value),
        "size" => fields.size = value.map(size).transpose()?.map(Some),
        "min_disk" => fields.min_disk = Some(whole_number(field, value)?),
        "min_ram" => fields.min_ram = Some(whole_number(field, value)?),
        "owner" => fields.owner = Some(value),
        "location" => meta.location = value,
        "copy_from" => meta.copy_from = value,
        "store" => meta.store = value,
        "checksum" => meta.checksum = value,
        _ => {}
    }
    Ok(())
}

/// A header's value: UTF-8, percent-decoded (as clients since 2014 send it); empty is null.
fn text(name: &str, value: &HeaderValue) -> Result<Option<String>, ApiError> {
    let raw = std::str::from_utf8(value.as_bytes()).ok();
    let decoded = raw.and_then(|raw| percent_decode_str(raw).decode_utf8().ok());
    match decoded {
        Some(text) if text.is_empty() => Ok(None),
        Some(text) if !text.contains('\0') => Ok(Some(text.into_owned())),
        _ => Err(ApiError::bad_request(format!("Header {name} is not valid UTF-8 text"))),
    }
}

fn image_id(text: String) -> Result<ImageId, ApiError> {
    ImageId::parse(&text).ok_or_else(|| ApiError::bad_request("Invalid image id format"))
}

fn size(text: String) -> Result<u64, ApiError> {
    let signed: Option<i64> = text.trim().parse().ok();
    signed.and_then(|number| u64::try_from(number).ok()).ok_or_else(|| {
        ApiError::bad_request(format!("Incoming image size of {text} was not convertible to an integer."))
    })
}

fn whole_number(field: &str, value: Option<String>) -> Result<i64, ApiError> {
    let Some(text) = value else { return Ok(0) };
    let number = text.trim().parse().ok().filter(|number| (0..=i64::from(i32::MAX)).contains(number));
    number.ok_or_else(|| ApiError::bad_request(format!("Invalid value '{text}' for {field}: must be a whole number")))
}

/// The headers that describe an image; never where its data is (security S4).
pub(super) fn write(image: &Image, size: Option<u64>, url: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: Option<String>| {
        if let Some(value) = value.as_deref().and_then(text_value) {
            headers.append(HeaderName::from_static(name), value);
        }
    };
    put("x-image-meta-id", Some(image.id.to_string()));
    put("x-image-meta-name", image.name.clone());
    put("x-image-meta-status", Some(image.status.to_string()));
    put("x-image-meta-disk_format", image.disk_format.clone());
    put("x-image-meta-container_format", image.container_format.clone());
    put("x-image-meta-size", size.map(|size| size.to_string()));
    put("x-image-meta-checksum", image.checksum.clone());
    put("x-image-meta-is_public", Some(python_bool(image.is_public())));
    put("x-image-meta-protected", Some(python_bool(image.protected)));
    put("x-image-meta-min_disk", Some(image.min_disk.to_string()));
    put("x-image-meta-min_ram", Some(image.min_ram.to_string()));
    put("x-image-meta-owner", image.owner.clone());
    put("x-image-meta-created_at", Some(isoformat(image.created_at)));
    put("x-image-meta-updated_at", Some(isoformat(image.updated_at)));
    put("x-image-meta-deleted_at", image.deleted_at.map(isoformat));
    put("x-image-meta-deleted", Some(python_bool(image.deleted)));
    for (name, value) in image.shown_properties() {
        // One whose name cannot be a header is left out: v1 has no other place for it.
        let name = HeaderName::from_bytes(format!("{PROPERTY}{name}").as_bytes()).ok();
        if let Some((name, value)) = name.zip(value.as_deref().and_then(text_value)) {
            headers.append(name, value);
        }
    }
    headers.extend(identity(image, url));
    headers
}

/// `Location` and `ETag`, which every answer about one image carries.
pub(super) fn identity(image: &Image, url: &str) -> HeaderMap {
    let etag = text_value(image.checksum.as_deref().unwrap_or("None"));
    [(LOCATION, text_value(url)), (ETAG, etag)].into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn text_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(encode_controls(text).as_bytes()).ok()
}

/// Percent-encodes control characters, which could forge further headers; other text goes out as UTF-8,
/// where the percent-encoding crate would encode every letter beyond ASCII as well.
fn encode_controls(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c.is_ascii_control() {
            true => out.push_str(percent_encode_byte(c as u8)),
            false => out.push(c),
        }
        out
    })
}

fn python_bool(value: bool) -> String {
    if value { "True".to_owned() } else { "False".to_owned() }
}
