//! Texts that no Glance database may hold.

use crate::db::{Error, Result};
use crate::model::ImageFields;

/// Longest text, in bytes, that MySQL's columns hold (database §5).
const MAX_TEXT: usize = 65_535;
/// Longest member name the database holds.
const MAX_MEMBER: usize = 255;

/// Refuses characters beyond U+FFFF on every database, as MySQL's columns cannot hold them (database §4.1).
pub(super) fn check_fields(fields: &ImageFields) -> Result<()> {
    check("Name", fields.name.as_ref().and_then(Option::as_deref))?;
    check("Owner", fields.owner.as_ref().and_then(Option::as_deref))?;
    for location in fields.locations.iter().flatten() {
        check("Location", Some(&location.uri))?;
    }
    for tag in fields.tags.iter().flatten() {
        check_tag(tag)?;
    }
    check("Checksum", fields.checksum.as_ref().and_then(Option::as_deref))?;
    for (name, value) in fields.properties.iter().flatten() {
        if has_four_bytes(name) {
            return Err(Error::Invalid("Property names can't contain 4 byte unicode.".to_owned()));
        }
        check("Property name", Some(name))?;
        check(&format!("Property {name}"), value.as_deref())?;
    }
    Ok(())
}

/// Refuses members that the table cannot hold.
pub(super) fn check_member(member: &str) -> Result<()> {
    if member.chars().count() > MAX_MEMBER {
        return Err(Error::Invalid(format!("Member too long: more than {MAX_MEMBER} characters")));
    }
    check("Member", Some(member))
}

/// Refuses tags that no Glance database may hold.
pub(super) fn check_tag(tag: &str) -> Result<()> {
    check("Tag", Some(tag))
}

fn check(field: &str, text: Option<&str>) -> Result<()> {
    match text {
        // PostgreSQL cannot hold it.
        Some(text) if text.contains('\0') => Err(Error::Invalid(format!("{field} can't contain NUL characters."))),
        Some(text) if text.len() > MAX_TEXT => {
            Err(Error::Invalid(format!("{field} is too long: more than {MAX_TEXT} bytes")))
        }
        Some(text) if has_four_bytes(text) => {
            Err(Error::Invalid(format!("{field} can't contain 4 byte unicode characters.")))
        }
        _ => Ok(()),
    }
}

fn has_four_bytes(text: &str) -> bool {
    text.chars().any(|c| c.len_utf8() == 4)
}
