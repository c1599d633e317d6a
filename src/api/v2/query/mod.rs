//! List requests as query strings (v2-images §6.3).
//!
//! Errors are the messages of a 400.

mod filters;
#[cfg(test)]
mod fuzz;
mod links;
mod parameters;
mod quotes;
mod sorting;
#[cfg(test)]
mod tests;

pub(crate) use links::{first_link, next_link};
pub(crate) use parameters::Parameters;

use crate::db::sql::PageLimits;
use crate::model::{Listing, MemberFilter, Visibility, VisibilityFilter};

/// What a refused query is answered with.
pub(crate) type Refusal = String;

/// Most filters of one list: each is a part of its statement (security §4).
pub(crate) const MAX_FILTERS: usize = 64;

/// Reads a list request. Of a parameter that may be given once, the last counts.
///
/// # Errors
/// The message of a 400.
pub(crate) fn parse_listing(given: &Parameters, page: PageLimits) -> Result<Listing, Refusal> {
    if given.get("changes-since").is_some() {
        return Err("The \"changes-since\" filter is no longer available on v2.".to_owned());
    }
    let order = sorting::order(given)?;
    let asked = given.get("limit").map(limit).transpose()?;
    Ok(Listing {
        visibility: given.get("visibility").map_or(Ok(VisibilityFilter::Unset), visibility)?,
        member_status: given.get("member_status").map_or(Ok(MemberFilter::default()), member_status)?,
        os_hidden: given.get("os_hidden").map_or(Ok(false), os_hidden)?,
        filters: filters::filters(given)?,
        order,
        limit: page.size(asked),
        marker: given.get(parameters::MARKER).map(str::to_owned),
    })
}

/// A number that is too large for us is larger than every maximum.
fn limit(text: &str) -> Result<u64, Refusal> {
    let limit = filters::integer(text).ok_or("limit param must be an integer")?;
    u64::try_from(limit).map_err(|_| "limit param must be positive".to_owned())
}

fn visibility(text: &str) -> Result<VisibilityFilter, Refusal> {
    match text {
        "all" => Ok(VisibilityFilter::All),
        word => word
            .parse::<Visibility>()
            .map(VisibilityFilter::Only)
            .map_err(|()| format!("Invalid visibility value: {word}")),
    }
}

fn member_status(text: &str) -> Result<MemberFilter, Refusal> {
    let known = MemberFilter::ALL.into_iter().find(|status| status.as_str() == text);
    known.ok_or_else(|| format!("Invalid status: {text}"))
}

/// In any case, and the message has it in lower case.
fn os_hidden(text: &str) -> Result<bool, Refusal> {
    filters::exact_bool("os_hidden", &text.to_lowercase())
}
