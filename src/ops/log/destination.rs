//! Where finished lines go.

use std::io::Write;

use super::file::LogFile;
use super::format::Record;
use super::journal::Journal;
use super::syslog::Syslog;

/// The places a line goes to; with none, standard error.
#[derive(Debug)]
pub(super) struct Destinations {
    /// The log file.
    pub(super) file: Option<LogFile>,
    /// The syslog daemon.
    pub(super) syslog: Option<Syslog>,
    /// The journal of systemd.
    pub(super) journal: Option<Journal>,
    /// Standard error.
    pub(super) stderr: bool,
}

impl Destinations {
    /// Writes a record: the whole line for files and the journal, the message alone for syslog, which adds time and name
    /// itself. A record that cannot be written is lost: there is no place left to complain in,
    /// and a full disk must not stop the service.
    pub(super) fn write(&self, record: &Record<'_>, line: &str, message: &str) {
        if let Some(file) = &self.file {
            let _ = file.write(line.as_bytes());
        }
        if let Some(syslog) = &self.syslog {
            let _ = syslog.send(record.level, message);
        }
        if let Some(journal) = &self.journal {
            let _ = journal.send(record, line);
        }
        if self.stderr {
            let _ = std::io::stderr().lock().write_all(line.as_bytes());
        }
    }
}
