//! The descriptor: lines of text in which case does not matter, up to the first NUL.

/// The kinds of images whose data is in the file itself.
const SPARSE: [&str; 2] = ["monolithicsparse", "streamoptimized"];
/// The first word of a line that names an extent.
const ACCESS: [&str; 3] = ["rw", "rdonly", "noaccess"];
/// What the kind of image follows.
const CREATE_TYPE: &str = "createtype=\"";
/// A kind has fewer characters.
const CREATE_TYPE_MAX: usize = 64;

/// A descriptor, in lower case.
pub(super) struct Descriptor {
    text: String,
    /// Whether it is nothing but ASCII; the rest is not text to any check.
    ascii: bool,
}

impl Descriptor {
    /// Reads it.
    pub(super) fn new(data: &[u8]) -> Self {
        let data = data.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut text = String::from_utf8_lossy(data).into_owned();
        text.make_ascii_lowercase();
        Self { text, ascii: data.is_ascii() }
    }

    /// The kind of image that it is of, which is empty if it does not end; `None`: it is no descriptor.
    pub(super) fn created_as(&self) -> Option<&str> {
        let (_, kind) = self.text.split_once(CREATE_TYPE)?;
        let (kind, _) = kind.split_once('"').unwrap_or_default();
        (kind.len() < CREATE_TYPE_MAX).then_some(kind)
    }

    /// Whether it is of a kind whose data is in the file itself.
    pub(super) fn sparse(&self) -> bool {
        self.ascii && self.created_as().is_some_and(|kind| SPARSE.contains(&kind))
    }

    /// Whether it says nothing but what is understood, and names no file elsewhere.
    pub(super) fn safe(&self) -> bool {
        let mut extents = 0;
        for line in self.text.split('\n').map(|line| line.trim_matches(is_space)) {
            match line_kind(line) {
                Line::Extent if line.contains('/') => return false,
                Line::Extent => extents += 1,
                Line::Harmless => {}
                Line::Unknown => return false,
            }
        }
        extents > 0 && self.sparse()
    }
}

enum Line {
    /// Names a file with data.
    Extent,
    /// A remark, or a setting.
    Harmless,
    Unknown,
}

fn line_kind(line: &str) -> Line {
    let one_word_before_equals = line.split_once('=').is_some_and(|(name, _)| !name.contains(' '));
    if line.is_empty() || line.starts_with('#') || line.starts_with("ddb") || one_word_before_equals {
        Line::Harmless
    } else if line.split(' ').next().is_some_and(|word| ACCESS.contains(&word)) {
        Line::Extent
    } else {
        Line::Unknown
    }
}

/// White space as Python's `strip` sees it in ASCII.
fn is_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\x1C'..='\x1F' | ' ')
}
