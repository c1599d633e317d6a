//! Parameters that choose images.

use super::{MAX_FILTERS, Parameters, Refusal, quotes};
use crate::model::{Comparison, ListFilter, NumberField, TextField, TimeField};
use crate::wire::parse_time;

/// Most values of one `in:` (security §4).
pub(crate) const MAX_VALUES: usize = 128;

/// Parameters that are no filters by fields or properties. `deleted` was never obeyed.
const OTHERS: [&str; 10] = [
    "limit",
    "marker",
    "sort",
    "sort_key",
    "sort_dir",
    "member_status",
    "visibility",
    "os_hidden",
    "changes-since",
    "deleted",
];

/// All filters; of equal names the last counts, but every tag.
pub(super) fn filters(given: &Parameters) -> Result<Vec<ListFilter>, Refusal> {
    let mut names: Vec<&str> = Vec::new();
    let mut filters = Vec::new();
    for (name, value) in given.pairs().rev() {
        let counts = name == "tag" || !names.contains(&name);
        if counts && !OTHERS.contains(&name) {
            if filters.len() == MAX_FILTERS {
                return Err(format!("At most {MAX_FILTERS} filters can be given."));
            }
            filters.push(filter(name, value)?);
            names.push(name);
        }
    }
    filters.reverse();
    Ok(filters)
}

fn filter(name: &str, value: &str) -> Result<ListFilter, Refusal> {
    match name {
        "tag" => return Ok(ListFilter::Tag(value.trim().to_owned())),
        "protected" => return exact_bool(name, value).map(ListFilter::Protected),
        _ => {}
    }
    if let Some(field) = TextField::ALL.into_iter().find(|field| field.as_str() == name) {
        return text(field, value);
    }
    if let Some(field) = number_field(name) {
        return Ok(match integer(value) {
            Some(number) => ListFilter::Number(field, Comparison::Eq, number),
            None => ListFilter::Nothing,
        });
    }
    if let Some(field) = TimeField::ALL.into_iter().find(|field| field.as_str() == name) {
        return time(field, value);
    }
    let ranges = [("_min", Comparison::Gte), ("_max", Comparison::Lte)];
    let range = ranges.into_iter().find_map(|(end, comparison)| Some((name.strip_suffix(end)?, comparison)));
    match range {
        Some((column, comparison)) => range_filter(column, comparison, value),
        None => Ok(ListFilter::Property { name: name.to_owned(), value: value.to_owned() }),
    }
}

fn text(field: TextField, value: &str) -> Result<ListFilter, Refusal> {
    let plain = || Ok(ListFilter::Text(field, vec![value.to_owned()]));
    if !field.takes_operators() {
        return plain();
    }
    match operator(value) {
        (None, _) => plain(),
        (Some("eq"), value) => Ok(ListFilter::Text(field, vec![value.to_owned()])),
        (Some("in"), list) => {
            let values = quotes::values(list)?;
            if values.len() > MAX_VALUES {
                return Err(format!("At most {MAX_VALUES} values can be given to the filter {}.", field.as_str()));
            }
            Ok(ListFilter::Text(field, values))
        }
        (Some(other), _) => Err(format!("Unable to filter by unknown operator '{other}'.")),
    }
}

fn time(field: TimeField, value: &str) -> Result<ListFilter, Refusal> {
    let (operator, time) = operator(value);
    let time = parse_time(time)
        .ok_or_else(|| format!("Bad \"{}\" query filter format. Use ISO 8601 DateTime notation.", field.as_str()))?;
    let comparison = match operator.unwrap_or("eq") {
        "eq" => Comparison::Eq,
        "neq" => Comparison::Neq,
        "lt" => Comparison::Lt,
        "lte" => Comparison::Lte,
        "gt" => Comparison::Gt,
        "gte" => Comparison::Gte,
        _ => return Err("Unable to filter on a unknown operator.".to_owned()),
    };
    Ok(ListFilter::Time(field, comparison, time))
}

fn range_filter(column: &str, comparison: Comparison, value: &str) -> Result<ListFilter, Refusal> {
    let number = integer(value).ok_or("Unable to filter on a range with a non-numeric value.")?;
    let field = number_field(column).ok_or_else(|| format!("Unable to filter on a range of '{column}'."))?;
    Ok(ListFilter::Number(field, comparison, number))
}

/// What stands before the first colon, and the rest. The colons of a time alone are no operator's.
fn operator(value: &str) -> (Option<&str>, &str) {
    match value.split_once(':') {
        Some((operator, rest)) if parse_time(value).is_none() => (Some(operator), rest),
        _ => (None, value),
    }
}

fn number_field(name: &str) -> Option<NumberField> {
    NumberField::ALL.into_iter().find(|field| field.as_str() == name)
}

/// A whole number with blanks around; one beyond what the database holds is as good as its largest or smallest.
pub(super) fn integer(text: &str) -> Option<i64> {
    let number: i128 = text.trim().parse().ok()?;
    Some(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX }))
}

/// Just `true` or `false`.
pub(super) fn exact_bool(name: &str, value: &str) -> Result<bool, Refusal> {
    value
        .parse()
        .map_err(|_| format!("Invalid value '{value}' for '{name}' filter. Valid values are 'true' or 'false'."))
}
