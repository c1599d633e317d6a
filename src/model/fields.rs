//! What a request says of an image, and the rules such a saying must keep.

use std::collections::{BTreeMap, BTreeSet};

use super::{Api, Image, ImageId, ImageStatus, Location, OsHash, Visibility};

/// Container formats of v1 (v1-api §7) and of today (configuration §11).
const CONTAINER_FORMATS: [&str; 8] = ["ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"];
/// Disk formats of v1 and of today.
const DISK_FORMATS: [&str; 11] = ["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"];
/// Formats that must be the same on both sides.
const AMAZON_FORMATS: [&str; 3] = ["ami", "ari", "aki"];
/// Longest name the database holds.
const MAX_NAME: usize = 255;

/// Fields of an image that a caller sets; the outer `None` means "not mentioned", an inner `None` means null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ImageFields {
    pub(crate) id: Option<ImageId>,
    pub(crate) name: Option<Option<String>>,
    pub(crate) status: Option<ImageStatus>,
    /// v1's word for the visibility; public or not is all it can tell.
    pub(crate) is_public: Option<bool>,
    /// v2's word for it.
    pub(crate) visibility: Option<Visibility>,
    pub(crate) os_hidden: Option<bool>,
    pub(crate) protected: Option<bool>,
    pub(crate) disk_format: Option<Option<String>>,
    pub(crate) container_format: Option<Option<String>>,
    pub(crate) size: Option<Option<u64>>,
    pub(crate) virtual_size: Option<Option<u64>>,
    pub(crate) checksum: Option<Option<String>>,
    pub(crate) os_hash_algo: Option<Option<String>>,
    pub(crate) os_hash_value: Option<Option<String>>,
    pub(crate) min_disk: Option<i64>,
    pub(crate) min_ram: Option<i64>,
    pub(crate) owner: Option<Option<String>>,
    /// All locations the image is to have.
    pub(crate) locations: Option<Vec<Location>>,
    /// All tags the image is to have.
    pub(crate) tags: Option<BTreeSet<String>>,
    /// Properties to set; `None`: leave them alone.
    pub(crate) properties: Option<BTreeMap<String, Option<String>>>,
    /// Properties to remove.
    pub(crate) dropped_properties: BTreeSet<String>,
}

/// A rule that the fields break; the text is the one v1 clients know (v1-api §7.3).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidFields(pub(crate) String);

impl ImageFields {
    /// What data was hashed to.
    pub(crate) fn hashed(OsHash { algo, value }: OsHash) -> Self {
        Self { os_hash_algo: Some(Some(algo)), os_hash_value: Some(Some(value)), ..Self::default() }
    }

    /// Checks the image that results when these fields are laid over `before` (`None`: a new image). Formats that a
    /// change does not mention are not judged: another release may have known them; nor are those of v2, whose schema
    /// names the ones that are configured.
    pub(crate) fn validate(&self, before: Option<&Image>, api: Api) -> Result<(), InvalidFields> {
        if api == Api::V2 || (before.is_some() && self.disk_format.is_none() && self.container_format.is_none()) {
            return self.check_lengths();
        }
        let disk = merged(self.disk_format.as_ref(), before.and_then(|image| image.disk_format.as_ref()));
        let container =
            merged(self.container_format.as_ref(), before.and_then(|image| image.container_format.as_ref()));
        check_format("disk", disk, &DISK_FORMATS)?;
        check_format("container", container, &CONTAINER_FORMATS)?;
        let amazon = |format: Option<&str>| format.is_some_and(|f| AMAZON_FORMATS.contains(&f));
        if (amazon(disk) || amazon(container)) && disk != container {
            return Err(InvalidFields(
                "Invalid mix of disk and container formats. When setting a disk or container format to one of \
                 'ami', 'ari', or 'ami', the container and disk formats must match."
                    .to_owned(),
            ));
        }
        self.check_lengths()
    }

    fn check_lengths(&self) -> Result<(), InvalidFields> {
        if self.size.flatten().is_some_and(|size| i64::try_from(size).is_err()) {
            return Err(InvalidFields(format!("Invalid value for size: must be at most {}", i64::MAX)));
        }
        let too_long = |text: &str| text.chars().count() > MAX_NAME;
        if self.name.as_ref().and_then(Option::as_deref).is_some_and(too_long) {
            return Err(InvalidFields(format!("Image name too long: more than {MAX_NAME} characters")));
        }
        if self.owner.as_ref().and_then(Option::as_deref).is_some_and(too_long) {
            return Err(InvalidFields(format!("Image owner too long: more than {MAX_NAME} characters")));
        }
        let mut names = self.properties.iter().flat_map(BTreeMap::keys);
        if names.any(|name| too_long(name)) {
            return Err(InvalidFields(format!("Property name too long: more than {MAX_NAME} characters")));
        }
        for (field, value) in [("min_disk", self.min_disk), ("min_ram", self.min_ram)] {
            if value.is_some_and(|value| !(0..=i64::from(i32::MAX)).contains(&value)) {
                return Err(InvalidFields(format!("Invalid value for {field}: must be between 0 and {}", i32::MAX)));
            }
        }
        Ok(())
    }
}

fn merged<'a>(said: Option<&'a Option<String>>, before: Option<&'a String>) -> Option<&'a str> {
    said.map_or(before, Option::as_ref).map(String::as_str)
}

fn check_format(kind: &str, value: Option<&str>, known: &[&str]) -> Result<(), InvalidFields> {
    match value {
        Some(format) if known.contains(&format) => Ok(()),
        _ => Err(InvalidFields(format!("Invalid {kind} format '{}' for image.", value.unwrap_or("None")))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Api, ImageFields};

    fn formats(disk: Option<&str>, container: Option<&str>) -> ImageFields {
        ImageFields {
            disk_format: Some(disk.map(str::to_owned)),
            container_format: Some(container.map(str::to_owned)),
            ..ImageFields::default()
        }
    }

    #[test]
    fn formats_are_mandatory_known_and_matching() {
        let message = |fields: ImageFields| fields.validate(None, Api::V1).unwrap_err().0;
        assert_eq!(formats(Some("raw"), Some("ovf")).validate(None, Api::V1), Ok(()));
        assert_eq!(formats(None, Some("x")).validate(None, Api::V2), Ok(()));
        assert_eq!(message(formats(None, Some("ovf"))), "Invalid disk format 'None' for image.");
        assert_eq!(message(formats(Some("raw"), Some("x"))), "Invalid container format 'x' for image.");
        assert!(message(formats(Some("ami"), Some("aki"))).starts_with("Invalid mix of disk and container"));
        assert!(message(formats(Some("raw"), Some("aki"))).starts_with("Invalid mix of disk and container"));
    }

    #[test]
    fn names_longer_than_the_column_are_refused() {
        let named =
            |len: usize| ImageFields { name: Some(Some("n".repeat(len))), ..formats(Some("raw"), Some("bare")) };
        assert!(named(255).validate(None, Api::V1).is_ok());
        assert!(named(256).validate(None, Api::V2).is_err());
    }
}
