//! What driver errors mean. By code, never by constraint name: names differ between databases (database §2, §8).

use sqlx::mysql::MySqlDatabaseError;

use crate::db::Error;

/// Why an attempt at an operation failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The operation's own answer.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The database's answer, or the lack of one.
    #[error(transparent)]
    Driver(#[from] sqlx::Error),
    /// The connection was lost before the database said whether it had committed.
    #[error("it is not known whether the change was made: {0}")]
    Uncertain(sqlx::Error),
}

impl Fault {
    /// What became of a commit.
    pub(super) fn of_commit(error: sqlx::Error) -> Self {
        if cause(&error) == Cause::Lost { Self::Uncertain(error) } else { Self::Driver(error) }
    }

    /// Another attempt may succeed: a lock was in the way, a deadlock was broken at our cost, or the connection was lost
    /// and with it all that had been done.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Driver(error) if matches!(cause(error), Cause::Busy | Cause::Lost))
    }

    /// The two sides do not agree on encryption, or do not trust each other: nothing that waiting changes.
    pub(super) fn is_distrust(&self) -> bool {
        matches!(self, Self::Driver(error) if cause(error) == Cause::Distrust)
    }

    /// A unique key is taken.
    pub(super) fn is_duplicate(&self) -> bool {
        matches!(self, Self::Driver(error) if cause(error) == Cause::Duplicate)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let error = match fault {
            Fault::Refused(error) => return error,
            Fault::Uncertain(_) => return Self::Unavailable(format!(": {fault}")),
            Fault::Driver(error) => error,
        };
        match cause(&error) {
            Cause::Duplicate => Self::Duplicate(String::new()),
            Cause::Busy => Self::Unavailable(": the database is busy".to_owned()),
            Cause::Lost | Cause::Unreachable | Cause::Distrust => Self::Unavailable(format!(": {error}")),
            Cause::Value => Self::Invalid(format!("The database refuses a value: {error}")),
            Cause::Other => Self::Internal(error.to_string()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Duplicate,
    Busy,
    /// The connection is gone.
    Lost,
    /// There is none to be had.
    Unreachable,
    /// There is none to be had that is encrypted as it must be.
    Distrust,
    Value,
    Other,
}

fn cause(error: &sqlx::Error) -> Cause {
    let database = match error {
        sqlx::Error::Database(database) => database,
        // The library of TLS tells so what it finds wrong with the other side, and what that finds wrong with us.
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => return Cause::Distrust,
        sqlx::Error::Io(_) => return Cause::Lost,
        sqlx::Error::Tls(_) => return Cause::Distrust,
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            return Cause::Unreachable;
        }
        _ => return Cause::Other,
    };
    if database.is_unique_violation() {
        return Cause::Duplicate;
    }
    if let Some(mysql) = database.try_downcast_ref::<MySqlDatabaseError>() {
        return mysql_cause(mysql.number());
    }
    let code = database.code().unwrap_or_default();
    match code.len() {
        5 => sqlstate_cause(&code),
        _ => code.parse().map_or(Cause::Other, sqlite_cause),
    }
}

fn mysql_cause(number: u16) -> Cause {
    match number {
        1205 | 1213 | 1047 => Cause::Busy,
        1053 | 1317 | 1927 | 2006 | 2013 | 2014 | 2045 | 2055 => Cause::Lost,
        1040 | 1203 => Cause::Unreachable,
        // 1267, 1270 and 1271: a text that is compared has characters beyond those of the column.
        1264 | 1267 | 1270 | 1271 | 1292 | 1366 | 1406 => Cause::Value,
        _ => Cause::Other,
    }
}

fn sqlstate_cause(state: &str) -> Cause {
    match state {
        "40P01" | "40001" | "55P03" => Cause::Busy,
        "57P01" | "57P02" | "57P03" => Cause::Lost,
        "53300" => Cause::Unreachable,
        "22001" | "22003" | "22021" => Cause::Value,
        _ if state.starts_with("08") => Cause::Lost,
        _ => Cause::Other,
    }
}

/// The low byte is the kind, the rest tells details: BUSY and LOCKED; I/O error, full disk, file that cannot be opened.
fn sqlite_cause(code: u32) -> Cause {
    match code & 0xff {
        5 | 6 => Cause::Busy,
        10 | 13 | 14 => Cause::Unreachable,
        _ => Cause::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, mysql_cause, sqlite_cause, sqlstate_cause};

    #[test]
    fn locks_and_lost_connections_are_told_apart() {
        assert_eq!((sqlite_cause(5), sqlite_cause(517), sqlite_cause(6)), (Cause::Busy, Cause::Busy, Cause::Busy));
        assert_eq!((sqlite_cause(14), sqlite_cause(1)), (Cause::Unreachable, Cause::Other));
        assert_eq!((sqlstate_cause("40P01"), sqlstate_cause("08006")), (Cause::Busy, Cause::Lost));
        assert_eq!((mysql_cause(1213), mysql_cause(2006)), (Cause::Busy, Cause::Lost));
    }
}
