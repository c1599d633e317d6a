//! When a log file is put aside, under which name, and which of those are removed (`log_rotation_type`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, Days, Local, NaiveDateTime, NaiveTime, TimeDelta};

/// How a log file is kept small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rotation {
    pub(crate) when: When,
    /// Files that were put aside and are kept (`max_logfile_count`). By size 0 means that none is, and so no file is put
    /// aside; by time that all are.
    pub(crate) keep: usize,
}

/// What makes a file old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// The next line would make it this many bytes long; 0: never.
    Full(u64),
    /// Its time is over.
    Over(Period),
}

/// How long a file lasts: from its last change when the log was opened, or from then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Seconds(u32),
    Minutes(u32),
    Hours(u32),
    Days(u32),
    /// Until midnight.
    Midnight,
    /// Until the end of this day of the week, 0 being Monday.
    Weekday(u32),
}

impl Period {
    /// When a file ends that begins now.
    pub(super) fn end(self, begin: DateTime<Local>) -> DateTime<Local> {
        let after = |seconds: i64| TimeDelta::try_seconds(seconds).and_then(|period| begin.checked_add_signed(period));
        let end = match self {
            Self::Seconds(n) => after(i64::from(n)),
            Self::Minutes(n) => after(i64::from(n) * 60),
            Self::Hours(n) => after(i64::from(n) * 3600),
            Self::Days(n) => after(i64::from(n) * 86_400),
            Self::Midnight => midnight(begin, 1),
            Self::Weekday(day) => {
                midnight(begin, u64::from((7 + day - begin.weekday().num_days_from_monday()) % 7 + 1))
            }
        };
        end.unwrap_or(DateTime::<Local>::MAX_UTC.into())
    }

    /// What a file is called that ended then: after when it began.
    fn suffix(self, end: DateTime<Local>) -> String {
        let (length, form) = match self {
            Self::Seconds(n) => (i64::from(n), "%Y-%m-%d_%H-%M-%S"),
            Self::Minutes(n) => (i64::from(n) * 60, "%Y-%m-%d_%H-%M"),
            Self::Hours(n) => (i64::from(n) * 3600, "%Y-%m-%d_%H"),
            Self::Days(n) => (i64::from(n) * 86_400, "%Y-%m-%d"),
            Self::Midnight => (86_400, "%Y-%m-%d"),
            Self::Weekday(_) => (7 * 86_400, "%Y-%m-%d"),
        };
        let begin = TimeDelta::try_seconds(length).and_then(|length| end.checked_sub_signed(length));
        begin.unwrap_or(end).format(form).to_string()
    }
}

/// The beginning of a day of this zone. Where clocks are put on at midnight, an hour later.
fn midnight(now: DateTime<Local>, days: u64) -> Option<DateTime<Local>> {
    let day = now.date_naive().checked_add_days(Days::new(days))?;
    let moment = NaiveDateTime::new(day, NaiveTime::MIN);
    let local = |moment: NaiveDateTime| moment.and_local_timezone(Local).earliest();
    local(moment).or_else(|| local(moment + TimeDelta::hours(1)))
}

impl Rotation {
    /// Puts the file aside that ended then, and removes those that are too many.
    pub(super) fn put_aside(self, path: &Path, end: DateTime<Local>) -> io::Result<()> {
        match self.when {
            When::Full(_) => self.shift(path),
            When::Over(period) => {
                let suffix = period.suffix(end);
                fs::rename(path, named(path, &suffix))?;
                if self.keep > 0 { self.thin_out(path, &suffix) } else { Ok(()) }
            }
        }
    }

    /// `api.log` becomes `api.log.1`, that `api.log.2`, and so on; the last is written over.
    fn shift(self, path: &Path) -> io::Result<()> {
        let numbered = |number: usize| named(path, &number.to_string());
        for number in (1..self.keep).rev() {
            match fs::rename(numbered(number), numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(path, numbered(1))
    }

    /// Removes all but the newest of the files that are called after a time; their names sort by it.
    fn thin_out(self, path: &Path, like: &str) -> io::Result<()> {
        let shape = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "0");
        let (Some(dir), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
            return Ok(());
        };
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        let mut old: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let suffix = entry.file_name();
            let suffix = suffix.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('.'));
            old.extend(suffix.filter(|suffix| shape(suffix) == shape(like)).map(|_| entry.path()));
        }
        old.sort();
        old.truncate(old.len().saturating_sub(self.keep));
        old.iter().try_for_each(fs::remove_file)
    }
}

fn named(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn at(text: &str) -> DateTime<Local> {
        Local.from_local_datetime(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_file_ends_when_python_ends_it() {
        // A Wednesday.
        let begin = at("2026-11-25T18:06:51");
        for (period, end, suffix) in [
            (Period::Seconds(9), "2026-11-25T18:07:00", "2026-11-25_18-06-51"),
            (Period::Minutes(2), "2026-11-25T18:08:51", "2026-11-25_18-06"),
            (Period::Hours(6), "2026-11-26T00:06:51", "2026-11-25_18"),
            (Period::Days(1), "2026-11-26T18:06:51", "2026-11-25"),
            (Period::Midnight, "2026-11-26T00:00:00", "2026-11-25"),
            (Period::Weekday(2), "2026-11-26T00:00:00", "2026-11-19"),
            (Period::Weekday(0), "2026-12-01T00:00:00", "2026-11-24"),
            (Period::Weekday(6), "2026-11-30T00:00:00", "2026-11-23"),
        ] {
            assert_eq!(period.end(begin), at(end), "{period:?}");
            assert_eq!(period.suffix(at(end)), suffix, "{period:?}");
        }
    }

    #[test]
    fn the_newest_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api.log");
        for name in ["api.log", "api.log.2026-11-20", "api.log.2026-11-21", "api.log.2026-11-22_10", "api.log.bak"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        let rotation = Rotation { when: When::Over(Period::Midnight), keep: 2 };
        rotation.put_aside(&path, at("2026-11-23T00:00:00")).unwrap();
        let mut left: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["api.log.2026-11-21", "api.log.2026-11-22", "api.log.2026-11-22_10", "api.log.bak"]);
    }
}
