//! Who is told what: the operator's choices, and the words in which he makes them.

use std::collections::BTreeSet;

/// A way of telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Into the log, as in 2012 (`notifier_strategy = logging`).
    Logging,
    /// Into the log, as oslo.messaging does (`driver = log`).
    Log,
}

/// Who is told what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Every message goes through each of these.
    pub(crate) channels: Vec<Channel>,
    /// Whom messages of [`Channel::Log`] name as their author (`default_publisher_id`).
    pub(crate) publisher: String,
    /// Events, or what they are called before their first dot, that nobody is told of (`disabled_notifications`).
    pub(crate) disabled: BTreeSet<String>,
}

/// A name that there is no way of telling for.
#[derive(Debug, thiserror::Error)]
#[error("'{name}' is not available; choose one of: {known}")]
pub(crate) struct Unknown {
    name: String,
    known: &'static str,
}

impl Channel {
    /// What `notifier_strategy` names; `None`: nobody is told.
    pub(crate) fn of_strategy(name: &str) -> Result<Option<Self>, Unknown> {
        match name {
            "noop" | "default" => Ok(None),
            "logging" => Ok(Some(Self::Logging)),
            other => Err(Unknown { name: other.to_owned(), known: "noop, default, logging" }),
        }
    }

    /// What a `driver` of `[oslo_messaging_notifications]` names; `None`: nobody is told.
    pub(crate) fn of_driver(name: &str) -> Result<Option<Self>, Unknown> {
        match name {
            "noop" => Ok(None),
            "log" => Ok(Some(Self::Log)),
            other => Err(Unknown { name: other.to_owned(), known: "noop, log" }),
        }
    }
}
