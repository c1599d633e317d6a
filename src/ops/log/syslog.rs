//! Records for the local syslog daemon (RFC 3164, as daemons expect it at `/dev/log`: without a host name).
//! Written by hand: the message is one line of text in one datagram.

use std::io;
use std::path::Path;

use chrono::Local;
use tracing::Level;

use super::daemon::Daemon;

/// Names of the facilities by their numbers; gaps are reserved (RFC 3164 §4.1.1).
const FACILITIES: [(&str, u8); 20] = [
    ("kern", 0),
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// The part of a system that speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facility(u8);

impl Facility {
    /// Reads `LOG_USER`, `user`, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let name = name.strip_prefix("log_").unwrap_or(&name);
        FACILITIES.iter().find(|(known, _)| *known == name).map(|(_, number)| Self(*number))
    }

    /// Its number.
    pub(super) fn number(self) -> u8 {
        self.0
    }

    /// How grave a record is.
    pub(super) fn severity(level: Level) -> u8 {
        match level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        }
    }

    fn priority(self, level: Level) -> u8 {
        self.0 * 8 + Self::severity(level)
    }
}

/// A way to the syslog daemon.
#[derive(Debug)]
pub(super) struct Syslog {
    daemon: Daemon,
    facility: Facility,
    tag: String,
}

impl Syslog {
    /// Finds the daemon.
    pub(super) fn connect(daemon: &Path, facility: Facility, program: &str) -> io::Result<Self> {
        Ok(Self { daemon: Daemon::connect(daemon)?, facility, tag: format!("{program}[{}]", std::process::id()) })
    }

    /// Sends one record.
    pub(super) fn send(&self, level: Level, message: &str) -> io::Result<()> {
        let time = Local::now().format("%b %e %H:%M:%S");
        let record = format!("<{}>{time} {}: {message}", self.facility.priority(level), self.tag);
        self.daemon.send(record.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn facilities_have_two_spellings() {
        assert_eq!(Facility::named("LOG_USER"), Some(Facility(1)));
        assert_eq!(Facility::named("local7"), Some(Facility(23)));
        assert_eq!(Facility::named("LOG_MOON"), None);
    }

    #[test]
    fn a_record_says_how_grave_it_is_and_whose() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let daemon = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::connect(&path, Facility(16), "glance-api").unwrap();
        syslog.send(Level::WARN, "low on disk").unwrap();
        let mut buffer = [0; 1024];
        let length = daemon.recv(&mut buffer).unwrap();
        let record = std::str::from_utf8(&buffer[..length]).unwrap();
        assert!(record.starts_with("<132>"), "{record}");
        assert!(record.ends_with(&format!(" glance-api[{}]: low on disk", std::process::id())), "{record}");
    }
}
