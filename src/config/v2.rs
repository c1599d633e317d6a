//! How v2 behaves: `[DEFAULT]`, `[image_format]` (configuration §3, §11).

use osloconf::Opt;
use serde_json::{Map, Value};

use super::{Error, Loaded, Result};
use crate::api::{CustomProperties, V2Settings};

static ENABLE_V2_API: Opt = Opt::bool("DEFAULT", "enable_v2_api").default("true").help("Serve v2");
pub(super) static SHOW_MULTIPLE_LOCATIONS: Opt = Opt::bool("DEFAULT", "show_multiple_locations")
    .default("false")
    .help("Tell clients of v2 where images' data is, and let them change that");
static SHOW_IMAGE_DIRECT_URL: Opt = Opt::bool("DEFAULT", "show_image_direct_url")
    .default("false")
    .help("Tell clients of v2 where an image's data is first of all");
static DISK_FORMATS: Opt = Opt::list("image_format", "disk_formats")
    .deprecated(&[("DEFAULT", "disk_formats")])
    .default("ami,ari,aki,vhd,vhdx,vmdk,raw,qcow2,vdi,iso,ploop")
    .help("Values of disk_format in v2");
static CONTAINER_FORMATS: Opt = Opt::list("image_format", "container_formats")
    .deprecated(&[("DEFAULT", "container_formats")])
    .default("ami,ari,aki,bare,ovf,ova,docker,compressed")
    .help("Values of container_format in v2");

static ENABLED_IMPORT_METHODS: Opt = Opt::list("DEFAULT", "enabled_import_methods")
    .bracketed()
    .default("[glance-direct,web-download,copy-image]")
    .help("Ways of importing an image, in square brackets");

/// The file of properties that the operator defines.
const CUSTOM_PROPERTIES: &str = "schema-image.json";

pub(super) static OPTIONS: &[&Opt] = &[
    &ENABLE_V2_API,
    &SHOW_MULTIPLE_LOCATIONS,
    &SHOW_IMAGE_DIRECT_URL,
    &DISK_FORMATS,
    &CONTAINER_FORMATS,
    &ENABLED_IMPORT_METHODS,
];

impl Loaded {
    /// How v2 behaves; `None` where there is only v1, because the operator wants it so, or because a v1 registry keeps the metadata, which cannot say what v2
    /// wants to know.
    pub(crate) fn v2(&self) -> Result<Option<V2Settings>> {
        if !self.conf.bool(&ENABLE_V2_API)? || (!self.has_database() && self.registry()?.is_some()) {
            return Ok(None);
        }
        let conf = &self.conf;
        let settings = V2Settings {
            disk_formats: conf.list(&DISK_FORMATS)?,
            container_formats: conf.list(&CONTAINER_FORMATS)?,
            show_multiple_locations: conf.bool(&SHOW_MULTIPLE_LOCATIONS)?,
            show_image_direct_url: conf.bool(&SHOW_IMAGE_DIRECT_URL)?,
            page: self.page_limits()?,
            staging: conf.list(&ENABLED_IMPORT_METHODS)?.iter().any(|method| method == "glance-direct"),
            // Clients are promised only what works, and no way of importing does yet.
            import_methods: Vec::new(),
            custom: self.custom_properties()?,
        };
        settings.check().map_err(|error| Error::Invalid { option: CUSTOM_PROPERTIES, reason: error.to_string() })?;
        Ok(Some(settings))
    }

    /// What `schema-image.json` says, if there is one.
    fn custom_properties(&self) -> Result<CustomProperties> {
        let Some(path) = self.conf.find_file(CUSTOM_PROPERTIES) else {
            tracing::debug!(
                "there is no {CUSTOM_PROPERTIES}: images have no properties that are defined beside the usual ones"
            );
            return Ok(CustomProperties::default());
        };
        let invalid = |reason: String| Error::Invalid {
            option: CUSTOM_PROPERTIES,
            reason: format!("{}: {reason}", path.display()),
        };
        let text = std::fs::read_to_string(&path).map_err(|error| invalid(error.to_string()))?;
        let mut file: Map<String, Value> = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        // The long form says which of them a new image must have.
        let Some(properties) = file.remove("properties") else {
            return Ok(CustomProperties { properties: file, required: Vec::new() });
        };
        let required = file.remove("required").unwrap_or_else(|| Value::Array(Vec::new()));
        let parse = |value| serde_json::from_value(value).map_err(|error| invalid(error.to_string()));
        Ok(CustomProperties {
            properties: serde_json::from_value(properties).map_err(|error| invalid(error.to_string()))?,
            required: parse(required)?,
        })
    }
}
