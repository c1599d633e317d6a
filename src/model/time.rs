//! Times as v2 writes them.

use chrono::{NaiveDateTime, SecondsFormat};

/// `YYYY-MM-DDTHH:MM:SSZ`, in UTC (v2-images §2.4).
pub(crate) fn zulu(time: NaiveDateTime) -> String {
    time.and_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
}
