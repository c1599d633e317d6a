//! Records for the journal of systemd, in its own protocol: a datagram of `NAME=value` lines, so that what a record is
//! about can be searched for.

use std::io;
use std::path::Path;

use super::daemon::Daemon;
use super::format::{Record, level_name};
use super::syslog::Facility;

/// A way to the journal.
#[derive(Debug)]
pub(super) struct Journal {
    daemon: Daemon,
    facility: Facility,
    program: String,
}

impl Journal {
    /// Finds the daemon.
    pub(super) fn connect(daemon: &Path, facility: Facility, program: &str) -> io::Result<Self> {
        Ok(Self { daemon: Daemon::connect(daemon)?, facility, program: program.to_owned() })
    }

    /// Sends one record. `line` is its text, which has no line breaks.
    pub(super) fn send(&self, record: &Record<'_>, line: &str) -> io::Result<()> {
        let mut fields = vec![
            ("MESSAGE", line.trim_end().to_owned()),
            ("PRIORITY", Facility::severity(record.level).to_string()),
            ("LOGGER_NAME", record.name.to_owned()),
            ("LOGGER_LEVEL", level_name(record.level).to_owned()),
            ("SYSLOG_IDENTIFIER", self.program.clone()),
            ("SYSLOG_FACILITY", self.facility.number().to_string()),
            ("CODE_FILE", record.file.to_owned()),
            ("CODE_LINE", record.line.to_string()),
        ];
        for (name, of_request) in [("REQUEST_ID", "request_id"), ("USER_ID", "user"), ("PROJECT_ID", "project")] {
            fields.extend(record.request.and_then(|request| request.get(of_request)).map(|id| (name, id.to_owned())));
        }
        let text = |value: &str| value.replace(char::is_control, " ");
        let datagram: String = fields.iter().map(|(name, value)| format!("{name}={}\n", text(value))).collect();
        self.daemon.send(datagram.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::super::format::Request;
    use super::*;

    #[test]
    fn a_record_can_be_searched_for_by_what_it_is_about() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let daemon = UnixDatagram::bind(&path).unwrap();
        daemon.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let journal = Journal::connect(&path, Facility::named("LOG_LOCAL0").unwrap(), "glance-api").unwrap();
        let request = Request(vec![("request_id", "req-1".to_owned()), ("user", "u\nPRIORITY=0".to_owned())]);
        let record = Record {
            time: chrono::Local::now(),
            level: tracing::Level::WARN,
            name: "gander::cache",
            message: "low on disk",
            file: "src/cache.rs",
            line: 7,
            request: Some(&request),
        };
        journal.send(&record, "the line\n").unwrap();
        let mut buffer = [0; 1024];
        let length = daemon.recv(&mut buffer).unwrap();
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        let expected = "MESSAGE=the line\nPRIORITY=4\nLOGGER_NAME=gander::cache\nLOGGER_LEVEL=WARNING\n\
                        SYSLOG_IDENTIFIER=glance-api\nSYSLOG_FACILITY=16\nCODE_FILE=src/cache.rs\nCODE_LINE=7\n\
                        REQUEST_ID=req-1\nUSER_ID=u PRIORITY=0\n";
        assert_eq!(text, expected);
    }
}
