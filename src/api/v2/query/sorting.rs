//! The two ways to ask for an order: `sort=key:dir,…`, and `sort_key` with `sort_dir`, both repeatable.

use super::{Parameters, Refusal};
use crate::model::{ListOrder, SortDir, SortKey};

/// The wanted order. Ties are broken in the one direction that was given, or newest first.
pub(super) fn order(given: &Parameters) -> Result<ListOrder, Refusal> {
    let classic = given.all("sort_key").chain(given.all("sort_dir")).next().is_some();
    let (keys, mut dirs) = match given.get("sort") {
        Some(_) if classic => return Err("Old and new sorting syntax cannot be combined".to_owned()),
        Some(sort) => {
            let pairs: Vec<_> = sort.trim().split(',').map(key_and_dir).collect::<Result<_, _>>()?;
            pairs.into_iter().unzip()
        }
        None => {
            let keys: Vec<_> = given.all("sort_key").map(key).collect::<Result<_, _>>()?;
            let dirs: Vec<_> = given.all("sort_dir").map(dir).collect::<Result<_, _>>()?;
            if dirs.len() > 1 && dirs.len() != keys.len() {
                return Err("Number of sort dirs does not match the number of sort keys".to_owned());
            }
            (keys, dirs)
        }
    };
    let rest = match dirs[..] {
        [only] => only,
        _ => SortDir::Desc,
    };
    // One direction is for all keys.
    dirs.resize(keys.len().max(dirs.len()), rest);
    let wanted: Vec<_> = keys.into_iter().zip(dirs).collect();
    Ok(ListOrder::new(&wanted, rest))
}

fn key_and_dir(text: &str) -> Result<(SortKey, SortDir), Refusal> {
    let (name, wanted) = text.split_once(':').unwrap_or((text, ""));
    let wanted = if wanted.is_empty() { SortDir::Desc.as_str() } else { wanted };
    Ok((key(name)?, dir(wanted)?))
}

fn key(text: &str) -> Result<SortKey, Refusal> {
    let text = text.trim();
    SortKey::ALL.into_iter().find(|key| key.as_str() == text).ok_or_else(|| {
        let known = SortKey::ALL.map(SortKey::as_str).join(", ");
        format!("Invalid sort key: {text}. It must be one of the following: {known}.")
    })
}

fn dir(text: &str) -> Result<SortDir, Refusal> {
    let text = text.trim();
    let known = [SortDir::Asc, SortDir::Desc].into_iter().find(|dir| dir.as_str() == text);
    known.ok_or_else(|| format!("Invalid sort direction: {text}"))
}
