//! What of v2 is configured.

use serde_json::{Map, Value};

use super::schema::{ImageSchema, SchemaError};
use crate::db::sql::PageLimits;

/// How v2 behaves where it is the operator's choice.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Values of `disk_format` (`[image_format] disk_formats`).
    pub(crate) disk_formats: Vec<String>,
    /// Values of `container_format` (`[image_format] container_formats`).
    pub(crate) container_formats: Vec<String>,
    /// Images tell where their data is, and clients may change that (`show_multiple_locations`).
    pub(crate) show_multiple_locations: bool,
    /// Images tell where their data is first of all (`show_image_direct_url`).
    pub(crate) show_image_direct_url: bool,
    /// Images on a page.
    pub(crate) page: PageLimits,
    /// Data may be staged: `enabled_import_methods` names the import that takes it from there.
    pub(crate) staging: bool,
    /// Ways of importing an image that there are.
    pub(crate) import_methods: Vec<String>,
    /// Properties beside those that every image has.
    pub(crate) custom: CustomProperties,
}

impl Settings {
    /// Looks whether the custom properties make a schema.
    ///
    /// # Errors
    /// They do not go with those that every image has, or say what is not understood.
    pub(crate) fn check(&self) -> Result<(), SchemaError> {
        ImageSchema::new(self).map(drop)
    }
}

/// What a file `schema-image.json` says (v2-images §4).
#[derive(Debug, Clone, Default)]
pub(crate) struct CustomProperties {
    /// Name → schema, in the order of the file.
    pub(crate) properties: Map<String, Value>,
    /// Those that a new image must have.
    pub(crate) required: Vec<String>,
}
