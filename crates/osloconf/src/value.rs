//! From text to typed values (the conversion rules of oslo.config's types).
//!
//! Each function answers with what is wrong, worded to follow the value. The wording never repeats parts of the value:
//! it may be secret.

use std::num::IntErrorKind;

use crate::ini::unquoted;
use crate::option::{Kind, Opt};

#[cfg(test)]
mod tests;

type Parsed<T> = Result<T, String>;

/// Whether the text fits the declaration, whatever its kind.
pub(crate) fn check(opt: &Opt, text: &str) -> Parsed<()> {
    match opt.kind {
        Kind::Str => string(opt, text).map(drop),
        Kind::Bool => boolean(text).map(drop),
        Kind::Int => integer(opt, text).map(drop),
        Kind::Port => port(opt, text).map(drop),
        Kind::Float => float(opt, text).map(drop),
        Kind::List => list(opt, text).map(drop),
        Kind::Dict => dict(text).map(drop),
        Kind::Multi => Ok(()),
    }
}

pub(crate) fn string(opt: &Opt, text: &str) -> Parsed<String> {
    if opt.choices.is_empty() {
        return Ok(text.to_owned());
    }
    opt.choices
        .iter()
        .find(|choice| **choice == text || opt.any_case && choice.eq_ignore_ascii_case(text))
        .map(|choice| (*choice).to_owned())
        .ok_or_else(|| format!("is not one of {}", opt.choices.join(", ")))
}

pub(crate) fn boolean(text: &str) -> Parsed<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err("is not a boolean".to_owned()),
    }
}

pub(crate) fn integer(opt: &Opt, text: &str) -> Parsed<Option<i64>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let number: i64 = text.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "does not fit a 64-bit integer".to_owned(),
        _ => "is not an integer".to_owned(),
    })?;
    if let Some(min) = opt.min.filter(|min| number < *min) {
        return Err(below(min));
    }
    if let Some(max) = opt.max.filter(|max| number > *max) {
        return Err(above(max));
    }
    Ok(Some(number))
}

/// A declaration may narrow the range of ports, but not widen it.
pub(crate) fn port(opt: &Opt, text: &str) -> Parsed<Option<u16>> {
    let number = integer(opt, text)?;
    number.map(|number| u16::try_from(number).map_err(|_| "is not a port".to_owned())).transpose()
}

pub(crate) fn float(opt: &Opt, text: &str) -> Parsed<Option<f64>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let number: f64 = text
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| "is not a finite number".to_owned())?;
    if let Some(min) = opt.min.filter(|min| number < *min as f64) {
        return Err(below(min));
    }
    if let Some(max) = opt.max.filter(|max| number > *max as f64) {
        return Err(above(max));
    }
    Ok(Some(number))
}

fn below(min: i64) -> String {
    format!("is less than the minimum {min}")
}

fn above(max: i64) -> String {
    format!("is greater than the maximum {max}")
}

pub(crate) fn list(opt: &Opt, text: &str) -> Parsed<Vec<String>> {
    let text = text.trim().trim_end_matches(',');
    if opt.bracketed {
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        quoted_items(inner.ok_or_else(|| "is not a list in square brackets".to_owned())?)
    } else if text.is_empty() {
        Ok(Vec::new())
    } else {
        Ok(text.split(',').map(|item| item.trim().to_owned()).collect())
    }
}

/// Items between brackets may be quoted, and a comma inside quotes separates nothing.
fn quoted_items(inner: &str) -> Parsed<Vec<String>> {
    let mut items = Vec::new();
    if inner.trim().is_empty() {
        return Ok(items);
    }
    let mut pieces = inner.split(',');
    while let Some(piece) = pieces.next() {
        let mut item = piece.trim_start().to_owned();
        if let Some(quote) = item.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            while !is_closed(&item, quote) {
                item.push(',');
                item.push_str(pieces.next().ok_or_else(|| "has an item with an unclosed quote".to_owned())?);
            }
        }
        items.push(unquoted(item.trim_end()).to_owned());
    }
    Ok(items)
}

fn is_closed(item: &str, quote: char) -> bool {
    item.trim_end().strip_prefix(quote).is_some_and(|rest| rest.ends_with(quote))
}

/// Pairs in the order written.
pub(crate) fn dict(text: &str) -> Parsed<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    if text.trim().is_empty() {
        return Ok(pairs);
    }
    let text = text.trim().trim_end_matches(',');
    for piece in text.split(',') {
        match (piece.split_once(':'), pairs.last_mut()) {
            (Some((key, value)), _) => pairs.push((key.trim().to_owned(), value.to_owned())),
            // A comma that starts no new pair belongs to the value before it.
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(piece);
            }
            (None, None) => return Err("is not a list of key:value pairs separated by commas".to_owned()),
        }
    }
    for (index, (key, _)) in pairs.iter().enumerate() {
        if key.is_empty() {
            return Err("has an empty key".to_owned());
        }
        if pairs[..index].iter().any(|(earlier, _)| earlier == key) {
            return Err("has the same key twice".to_owned());
        }
    }
    Ok(pairs.into_iter().map(|(key, value)| (key, value.trim().to_owned())).collect())
}
