//! The INI syntax: text in, sections of key/value lines out.
//!
//! Two dialects are read, since operators' files were written for two Python parsers. Neither has inline comments, and
//! both keep every occurrence of a repeated key, in order. No meaning is given to names or values here.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// Whose rules a file follows where the two Python parsers differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// oslo.config: a pair of quotes around a value is dropped, and a blank or comment line ends a continued value.
    Oslo,
    /// Python's ConfigParser (paste files, property protections, store credentials): quotes stay, blank and comment
    /// lines inside a continued value are skipped, comments may be indented or follow a section header.
    ConfigParser,
}

/// One `[name]` and what stands below it. A header that occurs twice yields two of these.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Section {
    /// The text between the brackets, as written.
    pub name: String,
    /// The assignments, in file order.
    pub entries: Vec<Entry>,
}

/// One assignment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The trimmed text before the first `=` or `:`.
    pub key: String,
    /// The trimmed text after it; continuation lines follow after `\n`.
    pub value: String,
    /// Number of the line with the key, from 1.
    pub line: usize,
}

/// Reads and parses a file.
///
/// # Errors
/// [`Error::ReadFile`] or [`Error::Syntax`] for the first line that breaks a rule.
pub fn read(path: &Path, dialect: Dialect) -> Result<Vec<Section>> {
    faultless(survey(path, dialect))
}

/// As [`read`], but goes on after a line that breaks a rule: what the other lines say, and all that is wrong.
pub(crate) fn survey(path: &Path, dialect: Dialect) -> (Vec<Section>, Vec<Error>) {
    match text(path) {
        Ok(text) => survey_text(&text, path, dialect),
        Err(error) => (Vec::new(), vec![error]),
    }
}

fn text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|source| Error::ReadFile { path: path.to_owned(), source })?;
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        syntax(path, line, "not valid UTF-8")
    })
}

/// Parses text; `path` serves error messages only.
///
/// # Errors
/// [`Error::Syntax`] for the first line that breaks a rule.
pub fn parse(text: &str, path: &Path, dialect: Dialect) -> Result<Vec<Section>> {
    faultless(survey_text(text, path, dialect))
}

fn survey_text(text: &str, path: &Path, dialect: Dialect) -> (Vec<Section>, Vec<Error>) {
    let mut parser = Parser { dialect, sections: Vec::new(), open: false };
    let mut faults = Vec::new();
    let unmarked = text.strip_prefix('\u{feff}');
    if unmarked.is_some() {
        faults.push(syntax(path, 1, "byte order mark not allowed"));
    }
    for (index, line) in unmarked.unwrap_or(text).lines().enumerate() {
        let number = index + 1;
        if let Err(reason) = parser.line(line.trim_end(), number) {
            faults.push(syntax(path, number, reason));
        }
    }
    (parser.sections, faults)
}

fn faultless((sections, faults): (Vec<Section>, Vec<Error>)) -> Result<Vec<Section>> {
    faults.into_iter().next().map_or(Ok(sections), Err)
}

fn syntax(path: &Path, line: usize, reason: &'static str) -> Error {
    Error::Syntax { path: path.to_owned(), line, reason }
}

struct Parser {
    dialect: Dialect,
    sections: Vec<Section>,
    /// Whether an indented line would continue the last value.
    open: bool,
}

impl Parser {
    /// Takes one line without trailing blanks.
    fn line(&mut self, line: &str, number: usize) -> std::result::Result<(), &'static str> {
        let oslo = self.dialect == Dialect::Oslo;
        let indented = line.starts_with([' ', '\t']);
        let comment = if oslo { line } else { line.trim_start() }.starts_with(['#', ';']);
        if line.is_empty() || comment {
            self.open &= !oslo;
            Ok(())
        } else if indented && (self.open || oslo) {
            self.continuation(line.trim_start())
        } else if line.starts_with('[') {
            self.header(line)
        } else {
            self.assignment(line, number)
        }
    }

    fn continuation(&mut self, text: &str) -> std::result::Result<(), &'static str> {
        let last = self.sections.last_mut().and_then(|section| section.entries.last_mut());
        let (true, Some(entry)) = (self.open, last) else {
            return Err("unexpected continuation line: no value before it");
        };
        // A value may start on its second line; the line break is then no part of it.
        if !entry.value.is_empty() {
            entry.value.push('\n');
        }
        entry.value.push_str(text);
        Ok(())
    }

    fn header(&mut self, line: &str) -> std::result::Result<(), &'static str> {
        let (name, rest) = line[1..].split_once(']').unwrap_or((&line[1..], "?"));
        let closed = match self.dialect {
            Dialect::Oslo => line.ends_with(']'),
            Dialect::ConfigParser => rest.is_empty() || rest.trim_start().starts_with(['#', ';']),
        };
        // A name in Oslo's dialect may hold brackets.
        let name = if closed && self.dialect == Dialect::Oslo { &line[1..line.len() - 1] } else { name };
        // What follows stands below this header, even if the header is wrong.
        self.sections.push(Section { name: name.to_owned(), entries: Vec::new() });
        self.open = false;
        match (closed, name) {
            (false, _) => Err("invalid section: must end with ]"),
            (true, "") => Err("empty section name"),
            (true, _) => Ok(()),
        }
    }

    fn assignment(&mut self, line: &str, number: usize) -> std::result::Result<(), &'static str> {
        let (key, value) = line.split_once(['=', ':']).ok_or("no ':' or '=' found in assignment")?;
        let (key, mut value) = (key.trim(), value.trim());
        if key.is_empty() {
            return Err("key cannot be empty");
        }
        if self.dialect == Dialect::Oslo {
            value = unquoted(value);
        }
        let section = self.sections.last_mut().ok_or("section must be started before assignment")?;
        section.entries.push(Entry { key: key.to_owned(), value: value.to_owned(), line: number });
        self.open = true;
        Ok(())
    }
}

/// Drops a pair of equal quotes around the whole value; quotes inside do not count. One alone is its own pair.
pub(crate) fn unquoted(value: &str) -> &str {
    if matches!(value, "'" | "\"") {
        return "";
    }
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}
