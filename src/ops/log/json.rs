//! Records as JSON, an object on each line, with the keys that oslo.log gives them (`use_json`).

use serde_json::{Map, Value, json};

use super::format::{LineFormat, Record, level_name};

/// What is the same in all of them.
#[derive(Debug)]
pub(super) struct JsonFormat {
    /// For the time.
    pub(super) format: LineFormat,
    pub(super) hostname: String,
    pub(super) program: String,
    /// When the log was opened, in milliseconds of Unix time.
    pub(super) opened: i64,
}

impl JsonFormat {
    /// Makes a line, end of line included.
    pub(super) fn render(&self, record: &Record<'_>) -> String {
        let module = record.name.rsplit(['.', ':']).next().unwrap_or_default();
        let millis = record.time.timestamp_millis();
        let request = record.request.into_iter().flat_map(|request| &request.0);
        let context: Map<String, Value> =
            request.map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
        let thread = std::thread::current();
        let object = json!({
            "message": record.message,
            "asctime": self.format.time(record),
            "name": record.name,
            "msg": record.message,
            "args": [],
            "levelname": level_name(record.level),
            "levelno": level_number(record.level),
            "pathname": record.file,
            "filename": record.file.rsplit('/').next(),
            "module": module,
            "lineno": record.line,
            "funcname": null,
            "created": millis as f64 / 1e3,
            "msecs": millis.rem_euclid(1000) as f64,
            "relative_created": (millis - self.opened) as f64,
            "thread": null,
            "thread_name": thread.name(),
            "process_name": self.program,
            "process": std::process::id(),
            "traceback": null,
            "hostname": self.hostname,
            "error_summary": "",
            "context": context,
            "extra": {},
        });
        format!("{object}\n")
    }
}

fn level_number(level: tracing::Level) -> u8 {
    match level {
        tracing::Level::ERROR => 40,
        tracing::Level::WARN => 30,
        tracing::Level::INFO => 20,
        _ => 10,
    }
}
