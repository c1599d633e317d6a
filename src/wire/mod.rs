//! The registry's language: the JSON records, bodies and query strings of the v1 registry (v1-system §3).
//!
//! Both ends speak it, the client below the metadata seam and the server's routes; the v1 image API shares its
//! records and parameters. It knows the model only: nothing of connections, routes or the database.

mod fields;
mod json;
mod member;
mod query;
mod record;
mod time;

pub(crate) use fields::{decode_fields, encode_fields};
pub(crate) use json::python_json;
pub(crate) use member::{decode_image_member, decode_shared_image, encode_image_member, encode_shared_image};
pub(crate) use query::{Side, encode_query, parse_query};
pub(crate) use record::{decode_record, encode_brief, encode_detail, encode_full};
pub(crate) use time::{isoformat, parse_time};

/// Header of an update: `true` removes the properties that the body does not name (v1-api §11).
pub(crate) const PURGE_PROPS_HEADER: &str = "x-glance-registry-purge-props";

/// Key of an update's body, next to `image`: change the image only while it has this status.
pub(crate) const FROM_STATE_KEY: &str = "from_state";
