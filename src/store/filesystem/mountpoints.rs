//! What is noted of a location, by the directory that it is below (`filesystem_store_metadata_file`): it tells those who
//! mount the same file system that they need not download.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde_json::{Map, Value};

/// What the file says: the first whose `mountpoint` a path begins with is the one that is noted.
#[derive(Debug, Default)]
pub(super) struct Mountpoints(Vec<Map<String, Value>>);

impl Mountpoints {
    /// Reads the file. The error is for the log.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, String> {
        let Some(path) = file else { return Ok(Self::default()) };
        let wrong = |reason: String| format!("filesystem_store_metadata_file {}: {reason}", path.display());
        let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
        let value = serde_json::from_reader(BufReader::new(file)).map_err(|error| wrong(error.to_string()))?;
        Self::parse(value).map_err(wrong)
    }

    /// One object, or a list of them.
    fn parse(value: Value) -> Result<Self, String> {
        let entries = match value {
            Value::Array(entries) => entries,
            one => vec![one],
        };
        let entries = entries.into_iter().map(|entry| match entry {
            Value::Object(entry) => check(entry),
            _ => Err("it must hold an object or a list of objects".to_owned()),
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// What is noted of the file at `path`.
    pub(super) fn noted(&self, path: &Path) -> Map<String, Value> {
        // Of texts, not of paths: the mountpoint /a is also that of /ab, as for Glance.
        let text = path.to_string_lossy();
        let matches = |entry: &&Map<String, Value>| {
            entry.get("mountpoint").and_then(Value::as_str).is_some_and(|mountpoint| text.starts_with(mountpoint))
        };
        let found = self.0.iter().find(matches).cloned();
        if found.is_none() && !self.0.is_empty() {
            tracing::error!(path = %path.display(), "filesystem_store_metadata_file has no mountpoint of this image");
        }
        found.unwrap_or_default()
    }
}

fn check(entry: Map<String, Value>) -> Result<Map<String, Value>, String> {
    for name in ["id", "mountpoint"] {
        if !entry.get(name).is_some_and(Value::is_string) {
            return Err(format!("each object must have a text \"{name}\""));
        }
    }
    match entry.iter().find(|(_, value)| !may_be_noted(value)) {
        Some((name, _)) => Err(format!("\"{name}\" may hold only texts, lists and objects")),
        None => Ok(entry),
    }
}

/// Texts, lists and objects of them are all that the metadata's readers understand (database §4.5).
fn may_be_noted(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(items) => items.iter().all(may_be_noted),
        Value::Object(members) => members.values().all(may_be_noted),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::Mountpoints;

    fn noted(file: &Value, path: &str) -> Value {
        Value::from(Mountpoints::parse(file.clone()).unwrap().noted(Path::new(path)))
    }

    #[test]
    fn the_first_mountpoint_that_fits_is_noted_whole() {
        let a = json!({"id": "a", "mountpoint": "/a", "more": ["x", {"y": "z"}]});
        let b = json!({"mountpoint": "/a/b", "id": "b"});
        assert_eq!(noted(&a, "/a/1"), a);
        assert_eq!(noted(&json!([b, a]), "/a/b/1"), b);
        assert_eq!(noted(&json!([a, b]), "/a/b/1"), a);
        assert_eq!(noted(&a, "/ab"), a);
        assert_eq!(noted(&a, "/c/1"), json!({}));
        assert_eq!(noted(&json!([]), "/c/1"), json!({}));
        assert_eq!(Value::from(Mountpoints::read(None).unwrap().noted(Path::new("/a"))), json!({}));
    }

    #[test]
    fn what_cannot_be_noted_is_refused() {
        for wrong in [
            json!(1),
            json!("x"),
            json!([[]]),
            json!({}),
            json!({"id": "a"}),
            json!({"mountpoint": "/a"}),
            json!({"id": 1, "mountpoint": "/a"}),
            json!({"id": "a", "mountpoint": ["/a"]}),
            json!({"id": "a", "mountpoint": "/a", "more": 1}),
            json!({"id": "a", "mountpoint": "/a", "more": [{"deep": null}]}),
            json!([{"id": "a", "mountpoint": "/a"}, {"id": "b"}]),
        ] {
            assert!(Mountpoints::parse(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path(), Path::new("/nowhere")] {
            let error = Mountpoints::read(Some(path)).unwrap_err();
            assert!(
                error.contains("filesystem_store_metadata_file") && error.contains(path.to_str().unwrap()),
                "{error}"
            );
        }
    }
}
