//! The form of a line, written with Python's placeholders: `%(levelname)8s`.
//!
//! Of a record there is its time, level, name, process, message and place in the code, and of the request that it belongs
//! to the id and who asks. Placeholders for anything else (`%(instance)s`…) stay empty, so that format strings of Glance's
//! own files work.

use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Local};
use tracing::Level;

/// A format string, taken apart.
#[derive(Debug)]
pub(super) struct LineFormat {
    pieces: Vec<Piece>,
    date: Vec<Item<'static>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field { field: Field, width: usize, left: bool, zeros: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Time,
    Milliseconds,
    Process,
    Level,
    Name,
    Message,
    File,
    Line,
    /// Something of the request; what else, if there is nothing.
    Request(&'static str, &'static str),
    Unknown,
}

/// What a record may tell of its request: Python's names, the span's, and what stands for nothing.
const OF_REQUESTS: [(&str, &str, &str); 14] = [
    ("request_id", "request_id", "None"),
    ("global_request_id", "global_request_id", "None"),
    ("user", "user", "-"),
    ("user_id", "user", "-"),
    ("project", "project", "-"),
    ("project_id", "project", "-"),
    ("tenant", "project", "-"),
    ("domain", "domain", "-"),
    ("domain_id", "domain", "-"),
    ("system_scope", "system_scope", "-"),
    ("user_domain", "user_domain", "-"),
    ("user_domain_id", "user_domain", "-"),
    ("project_domain", "project_domain", "-"),
    ("project_domain_id", "project_domain", "-"),
];

/// What a line is made from.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// When, in the zone of this machine.
    pub(super) time: DateTime<Local>,
    /// How grave.
    pub(super) level: Level,
    /// The logger: a module, or a name that the record gives itself.
    pub(super) name: &'a str,
    /// The message with its fields.
    pub(super) message: &'a str,
    /// The source file that it comes from.
    pub(super) file: &'a str,
    /// And the line of that.
    pub(super) line: u32,
    /// The request that it belongs to.
    pub(super) request: Option<&'a Request>,
}

/// What is known of a request: names and values.
#[derive(Debug, Default)]
pub(super) struct Request(pub(super) Vec<(&'static str, String)>);

impl Request {
    /// A value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

impl LineFormat {
    /// Takes both format strings apart; none if the one of the date has a placeholder that does not exist.
    pub(super) fn parse(line: &str, date: &str) -> Option<Self> {
        Some(Self { pieces: pieces(line), date: StrftimeItems::new(date).parse_to_owned().ok()? })
    }

    /// Writes the time of a record.
    pub(super) fn time(&self, record: &Record<'_>) -> String {
        record.time.format_with_items(self.date.iter()).to_string()
    }

    /// Makes a line, end of line included. Control characters are spelled out:
    /// values come from clients, and must not be able to begin a line of their own.
    pub(super) fn render(&self, record: &Record<'_>) -> String {
        let mut line = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Field { field, width, left, zeros } => {
                    let value = self.value(*field, record);
                    let fill = if *zeros { '0' } else { ' ' };
                    let padding = std::iter::repeat_n(fill, width.saturating_sub(value.chars().count()));
                    if *left {
                        line.push_str(&value);
                        line.extend(padding);
                    } else {
                        line.extend(padding);
                        line.push_str(&value);
                    }
                }
            }
        }
        let mut line = printable(&line);
        line.push('\n');
        line
    }

    fn value(&self, field: Field, record: &Record<'_>) -> String {
        match field {
            Field::Time => self.time(record),
            Field::Milliseconds => record.time.timestamp_subsec_millis().to_string(),
            Field::Process => std::process::id().to_string(),
            Field::Level => level_name(record.level).to_owned(),
            Field::Name => record.name.to_owned(),
            Field::Message => record.message.to_owned(),
            Field::File => record.file.to_owned(),
            Field::Line => record.line.to_string(),
            Field::Request(name, nothing) => {
                let value = record.request.and_then(|request| request.get(name));
                value.unwrap_or(if record.request.is_some() { nothing } else { "" }).to_owned()
            }
            Field::Unknown => String::new(),
        }
    }
}

/// Python's names. It has no level below DEBUG.
pub(super) fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        _ => "DEBUG",
    }
}

/// Spells control characters out, all but the tabulator: `\n`, `\u{1b}`.
pub(super) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() && letter != '\t' {
            // Writing to a string cannot fail.
            let _ = write!(safe, "{}", letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    safe
}

fn pieces(mut format: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    while let Some(percent) = format.find('%') {
        let (text, rest) = format.split_at(percent);
        push_text(&mut pieces, text);
        if let Some((placeholder, rest)) = placeholder(rest) {
            pieces.push(placeholder);
            format = rest;
        } else {
            // `%%` is a percent sign; a lone one stands for itself too, which Python refuses.
            push_text(&mut pieces, "%");
            format = rest.strip_prefix("%%").unwrap_or(&rest[1..]);
        }
    }
    push_text(&mut pieces, format);
    pieces
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Text(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// Reads `%(name)[-][0][width](s|d)` at the beginning of the text.
fn placeholder(text: &str) -> Option<(Piece, &str)> {
    let (name, rest) = text.strip_prefix("%(")?.split_once(')')?;
    let end = rest.find(['s', 'd'])?;
    let (flags, rest) = (&rest[..end], &rest[end + 1..]);
    let left = flags.starts_with('-');
    let digits = flags.trim_start_matches('-');
    let width = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    Some((Piece::Field { field: field(name), width, left, zeros: !left && digits.starts_with('0') }, rest))
}

fn field(name: &str) -> Field {
    match name {
        "asctime" => Field::Time,
        "msecs" => Field::Milliseconds,
        "process" => Field::Process,
        "levelname" => Field::Level,
        "name" => Field::Name,
        "message" => Field::Message,
        "pathname" => Field::File,
        "lineno" => Field::Line,
        _ => match OF_REQUESTS.iter().find(|(known, _, _)| *known == name) {
            Some((_, name, nothing)) => Field::Request(name, nothing),
            None => Field::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn render(format: &str, level: Level, message: &str) -> String {
        let time = Local.with_ymd_and_hms(2012, 2, 20, 18, 6, 51).unwrap() + chrono::TimeDelta::milliseconds(7);
        let record = Record { time, level, name: "glance-api", message, file: "a.rs", line: 3, request: None };
        LineFormat::parse(format, "%Y-%m-%d %H:%M:%S").unwrap().render(&record)
    }

    #[test]
    fn essex() {
        assert_eq!(
            render("%(asctime)s %(levelname)8s [%(name)s] %(message)s", Level::DEBUG, "****"),
            "2012-02-20 18:06:51    DEBUG [glance-api] ****\n"
        );
    }

    #[test]
    fn todays_default() {
        let format = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(instance)s%(message)s";
        let wanted = format!("2012-02-20 18:06:51.007 {} WARNING glance-api [-] low on disk\n", std::process::id());
        assert_eq!(render(format, Level::WARN, "low on disk"), wanted);
    }

    #[test]
    fn widths_and_percent_signs() {
        assert_eq!(render("%(levelname)-7s|%(levelname)2s|100%%|%d|%", Level::INFO, ""), "INFO   |INFO|100%|%d|%\n");
    }

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(render("%(message)s", Level::INFO, "a\nb\tc\u{9b}é"), "a\\nb\tc\\u{9b}é\n");
    }

    #[test]
    fn a_line_of_a_request_says_whose_it_is() {
        let request = Request(vec![("request_id", "req-1".to_owned()), ("user", "u".to_owned())]);
        let time = Local.with_ymd_and_hms(2012, 2, 20, 18, 6, 51).unwrap();
        let (level, name, message) = (Level::INFO, "n", "m");
        let record = Record { time, level, name, message, file: "a.rs", line: 3, request: Some(&request) };
        let format =
            "[%(global_request_id)s %(request_id)s %(user)s %(project_id)s] %(pathname)s:%(lineno)d%(instance)s";
        assert_eq!(LineFormat::parse(format, "%H").unwrap().render(&record), "[None req-1 u -] a.rs:3\n");
    }
}
