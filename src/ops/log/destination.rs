//! Where finished lines go.

use std::io::Write;

use tracing::Level;

use super::file::LogFile;
use super::syslog::Syslog;

/// The places a line goes to; with none, standard error.
#[derive(Debug)]
pub(super) struct Destinations {
    /// The log file.
    pub(super) file: Option<LogFile>,
    /// The syslog daemon.
    pub(super) syslog: Option<Syslog>,
}

impl Destinations {
    /// Writes a record: the whole line for files, the message alone for syslog, which adds time and name itself.
    /// A record that cannot be written is lost: there is no place left to complain in,
    /// and a full disk must not stop the service.
    pub(super) fn write(&self, level: Level, line: &str, message: &str) {
        if let Some(file) = &self.file {
            let _ = file.write(line.as_bytes());
        }
        if let Some(syslog) = &self.syslog {
            let _ = syslog.send(level, message);
        }
        if self.file.is_none() && self.syslog.is_none() {
            let _ = std::io::stderr().lock().write_all(line.as_bytes());
        }
    }
}
