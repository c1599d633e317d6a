//! Telling the operator's other systems what happened to images (v1-system §10).
//!
//! One seam, and for now two sides: nobody, or the log. Messages never hold locations, headers or tokens.

use chrono::Utc;
use serde_json::{Value, json};

use crate::model::Image;

/// Name that log records of notifications carry.
const LOGGER: &str = "glance.notifier.logging_notifier";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Create,
    /// Data is about to come (v2).
    Prepare,
    Upload,
    /// The data is there (v2).
    Activate,
    Update,
    Delete,
    Send,
}

impl Event {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "image.create",
            Self::Prepare => "image.prepare",
            Self::Upload => "image.upload",
            Self::Activate => "image.activate",
            Self::Update => "image.update",
            Self::Delete => "image.delete",
            Self::Send => "image.send",
        }
    }
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    Info,
    Error,
}

impl Priority {
    fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Error => "ERROR",
        }
    }
}

/// The data of an image that went, or did not quite go, to a client.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) bytes_sent: u64,
    /// Bytes that the whole image has.
    pub(crate) expected: u64,
    pub(crate) image_id: String,
    pub(crate) owner_id: Option<String>,
    pub(crate) receiver_tenant_id: Option<String>,
    pub(crate) receiver_user_id: Option<String>,
    pub(crate) destination_ip: Option<String>,
}

/// Where notifications go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notifier {
    /// Nowhere (`noop`, `default`).
    Noop,
    /// Into the log (`logging`).
    Logging,
}

/// A `notifier_strategy` that there is no notifier for.
#[derive(Debug, thiserror::Error)]
#[error("notifier_strategy '{0}' is not available; choose one of: noop, default, logging")]
pub(crate) struct UnknownStrategy(String);

impl std::str::FromStr for Notifier {
    type Err = UnknownStrategy;

    fn from_str(strategy: &str) -> Result<Self, UnknownStrategy> {
        match strategy {
            "noop" | "default" => Ok(Self::Noop),
            "logging" => Ok(Self::Logging),
            other => Err(UnknownStrategy(other.to_owned())),
        }
    }
}

impl Notifier {
    /// Nobody listens: the caller may save itself the work.
    pub(crate) fn is_silent(self) -> bool {
        self == Self::Noop
    }

    /// Something happened to this image.
    pub(crate) fn image(self, event: Event, priority: Priority, image: &Image) {
        let payload = json!({
            "id": image.id.as_str(), "name": image.name, "status": image.status.as_str(),
            "disk_format": image.disk_format, "container_format": image.container_format,
            "size": image.size, "checksum": image.checksum, "owner": image.owner,
            "is_public": image.is_public(), "protected": image.protected,
            "min_disk": image.min_disk, "min_ram": image.min_ram, "properties": image.properties,
        });
        self.emit(event, priority, payload);
    }

    /// Something did not work.
    pub(crate) fn failure(self, event: Event, text: &str) {
        self.emit(event, Priority::Error, Value::from(text));
    }

    /// Something happened that a word describes.
    pub(crate) fn text(self, event: Event, text: &str) {
        self.emit(event, Priority::Info, Value::from(text));
    }

    /// Data went out; an error if it is not all of it.
    pub(crate) fn sent(self, sent: &Sent) {
        let priority = if sent.bytes_sent == sent.expected { Priority::Info } else { Priority::Error };
        let payload = json!({
            "bytes_sent": sent.bytes_sent, "image_id": sent.image_id, "owner_id": sent.owner_id,
            "receiver_tenant_id": sent.receiver_tenant_id, "receiver_user_id": sent.receiver_user_id,
            "destination_ip": sent.destination_ip,
        });
        self.emit(Event::Send, priority, payload);
    }

    fn emit(self, event: Event, priority: Priority, payload: Value) {
        if self.is_silent() {
            return;
        }
        let message = json!({
            "message_id": uuid::Uuid::new_v4().to_string(),
            "publisher_id": rustix::system::uname().nodename().to_string_lossy(),
            "event_type": event.as_str(),
            "priority": priority.as_str(),
            "payload": payload,
            "timestamp": Utc::now().format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
        });
        match priority {
            Priority::Info => tracing::info!(logger = LOGGER, "{message}"),
            Priority::Error => tracing::error!(logger = LOGGER, "{message}"),
        }
    }
}
