//! Times as v2 writes them.

use chrono::NaiveDateTime;

/// `YYYY-MM-DDTHH:MM:SSZ`, in UTC (v2-images §2.4).
pub(crate) fn zulu(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
