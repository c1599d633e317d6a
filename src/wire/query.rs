//! List requests as query strings (v1-api §9.1).

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::{isoformat, parse_time};
use crate::model::{Filters, ImageId, ImageQuery, PublicFilter, SortDir, SortKey, truthy};

/// Prefix of parameters that filter by a property.
const PROPERTY_PREFIX: &str = "property-";

/// Decoded parameters by name.
type Given = BTreeMap<String, String>;

/// Which server is asked: the two word some errors differently, and only the registry knows `deleted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The image API.
    Api,
    /// The registry.
    Registry,
}

/// Each one is a condition of its own in the statement, which nests them (security §4).
const MAX_PROPERTY_FILTERS: usize = 64;

/// Reads the query string of a list; the last of equal names counts and unknown ones are ignored.
/// The error is the message of a 400.
pub(crate) fn parse_query(query: &str, side: Side) -> Result<ImageQuery, String> {
    let given: Given = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let get = |name: &str| given.get(name).map(String::as_str);
    Ok(ImageQuery {
        filters: filters(&given, side)?,
        limit: get("limit").map(limit).transpose()?,
        marker: get("marker").map(|id| ImageId::parse(id).ok_or("Invalid marker format")).transpose()?,
        sort_key: get("sort_key").map_or(Ok(SortKey::default()), sort_key)?,
        sort_dir: get("sort_dir").map_or(Ok(SortDir::default()), sort_dir)?,
    })
}

/// The query string that [`parse_query`] reads back at the registry.
pub(crate) fn encode_query(query: &ImageQuery) -> String {
    let filters = &query.filters;
    let public = match filters.is_public {
        PublicFilter::Unset => None,
        PublicFilter::Any => Some("none"),
        PublicFilter::Only(public) => Some(bool_word(public)),
    };
    let plain = [
        ("name", filters.name.clone()),
        ("status", filters.status.clone()),
        ("container_format", filters.container_format.clone()),
        ("disk_format", filters.disk_format.clone()),
        ("min_ram", filters.min_ram.map(|n| n.to_string())),
        ("min_disk", filters.min_disk.map(|n| n.to_string())),
        ("size_min", filters.size_min.map(|n| n.to_string())),
        ("size_max", filters.size_max.map(|n| n.to_string())),
        ("is_public", public.map(str::to_owned)),
        ("protected", filters.protected.map(|flag| bool_word(flag).to_owned())),
        ("changes-since", filters.changes_since.map(isoformat)),
        ("deleted", filters.deleted.map(|flag| bool_word(flag).to_owned())),
        ("limit", query.limit.map(|n| n.to_string())),
        ("marker", query.marker.as_ref().map(ImageId::to_string)),
        ("sort_key", Some(query.sort_key.as_str().to_owned())),
        ("sort_dir", Some(query.sort_dir.as_str().to_owned())),
    ];
    let mut out = form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(plain.into_iter().filter_map(|(name, value)| Some((name, value?))));
    out.extend_pairs(filters.properties.iter().map(|(name, value)| (format!("{PROPERTY_PREFIX}{name}"), value)));
    out.finish()
}

fn bool_word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

fn filters(given: &Given, side: Side) -> Result<Filters, String> {
    let get = |name: &str| given.get(name).map(String::as_str);
    let text = |name: &str| get(name).map(str::to_owned);
    let property = |(name, value): (&String, &String)| {
        let name = name.strip_prefix(PROPERTY_PREFIX)?;
        Some((name.to_owned(), value.clone()))
    };
    let properties: Vec<_> = given.iter().filter_map(property).collect();
    if properties.len() > MAX_PROPERTY_FILTERS {
        return Err(format!("At most {MAX_PROPERTY_FILTERS} filters by property can be given"));
    }
    let since = |value: &str| parse_time(value).ok_or("Unrecognized changes-since value");
    Ok(Filters {
        name: text("name"),
        status: text("status"),
        container_format: text("container_format"),
        disk_format: text("disk_format"),
        min_ram: get("min_ram").map(|value| natural("min_ram", value)).transpose()?,
        min_disk: get("min_disk")
            .map(|value| value.trim().parse().map_err(|_| bad_value("min_disk", value)))
            .transpose()?,
        size_min: get("size_min").map(|value| natural("size_min", value)).transpose()?,
        size_max: get("size_max").map(|value| natural("size_max", value)).transpose()?,
        is_public: get("is_public").map_or(Ok(PublicFilter::Unset), |value| is_public(value, side))?,
        protected: get("protected").map(|value| protected(value, side)).transpose()?,
        changes_since: get("changes-since").map(since).transpose()?,
        deleted: get("deleted").filter(|_| side == Side::Registry).map(truthy),
        properties,
    })
}

/// A number from 0 on that the target type and the database (signed 64 bits) can hold.
fn natural<N: TryFrom<i64>>(name: &str, value: &str) -> Result<N, String> {
    let number = value.trim().parse::<i64>().ok().filter(|number| *number >= 0);
    number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| bad_value(name, value))
}

fn bad_value(name: &str, value: &str) -> String {
    format!("Bad value passed to filter {name} got {value}")
}

fn is_public(value: &str, side: Side) -> Result<PublicFilter, String> {
    if value.eq_ignore_ascii_case("none") {
        return Ok(PublicFilter::Any);
    }
    strict_bool(value).map(PublicFilter::Only).ok_or_else(|| match side {
        Side::Api => bad_value("is_public", value),
        Side::Registry => "is_public must be None, True, or False".to_owned(),
    })
}

fn protected(value: &str, side: Side) -> Result<bool, String> {
    strict_bool(value).ok_or_else(|| {
        // `none` passed the old API's check; the registry behind it refused.
        if side == Side::Api && !value.eq_ignore_ascii_case("none") {
            bad_value("protected", value)
        } else {
            "protected must be True, or False".to_owned()
        }
    })
}

fn strict_bool(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn limit(value: &str) -> Result<u64, String> {
    let limit: i64 = value.trim().parse().map_err(|_| "limit param must be an integer")?;
    u64::try_from(limit).map_err(|_| "limit param must be positive".to_owned())
}

fn sort_key(value: &str) -> Result<SortKey, String> {
    SortKey::ALL.into_iter().find(|key| key.as_str() == value).ok_or_else(|| {
        let known = SortKey::ALL.map(SortKey::as_str).join(", ");
        format!("Unsupported sort_key. Acceptable values: {known}")
    })
}

fn sort_dir(value: &str) -> Result<SortDir, String> {
    let known = [SortDir::Asc, SortDir::Desc];
    known
        .into_iter()
        .find(|dir| dir.as_str() == value)
        .ok_or_else(|| format!("Unsupported sort_dir. Acceptable values: {}", known.map(SortDir::as_str).join(", ")))
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
