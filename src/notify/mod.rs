//! Telling the operator's other systems what happened to images (operations §9, v1-system §10).
//!
//! One seam, whoever listens: for now the log, in the words of 2012 and in those of oslo.messaging. Messages never hold
//! locations, headers or tokens.

mod payload;
mod settings;

use std::sync::Arc;

use chrono::{NaiveDateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use settings::{Channel, Settings, Unknown};

use crate::model::{Image, Sharing};

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
    MemberCreate,
    MemberUpdate,
    MemberDelete,
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
            Self::MemberCreate => "image.member.create",
            Self::MemberUpdate => "image.member.update",
            Self::MemberDelete => "image.member.delete",
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

/// Where notifications go. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Notifier(Arc<Settings>);

impl Notifier {
    /// Tells whom the operator wants to be told.
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(settings))
    }

    /// Nobody listens: the caller may save itself the work.
    pub(crate) fn is_silent(&self) -> bool {
        self.0.channels.is_empty()
    }

    /// Something happened to this image.
    pub(crate) fn image(&self, event: Event, priority: Priority, image: &Image) {
        self.emit(event, priority, || payload::image(image));
    }

    /// Something happened to this membership; `deleted_at` is when it ended.
    pub(crate) fn member(&self, event: Event, sharing: &Sharing, deleted_at: Option<NaiveDateTime>) {
        self.emit(event, Priority::Info, || payload::member(sharing, deleted_at));
    }

    /// Something did not work.
    pub(crate) fn failure(&self, event: Event, text: &str) {
        self.emit(event, Priority::Error, || Value::from(text));
    }

    /// Something happened that a word describes.
    pub(crate) fn text(&self, event: Event, text: &str) {
        self.emit(event, Priority::Info, || Value::from(text));
    }

    /// Data went out; an error if it is not all of it.
    pub(crate) fn sent(&self, sent: &Sent) {
        let priority = if sent.bytes_sent == sent.expected { Priority::Info } else { Priority::Error };
        self.emit(Event::Send, priority, || payload::sent(sent));
    }

    fn emit(&self, event: Event, priority: Priority, payload: impl FnOnce() -> Value) {
        if self.is_silent() || self.is_disabled(event) {
            return;
        }
        let payload = payload();
        for channel in &self.0.channels {
            match channel {
                Channel::Logging => {
                    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
                    let message = message(event, priority, &host, &payload);
                    write("glance.notifier.logging_notifier", priority, &message);
                }
                Channel::Log => {
                    let mut message = message(event, priority, &self.0.publisher, &payload);
                    message["_unique_id"] = Value::from(Uuid::new_v4().simple().to_string());
                    write(&format!("oslo.messaging.notification.{}", event.as_str()), priority, &message);
                }
            }
        }
    }

    /// By its whole name, or by what stands before its first dot.
    fn is_disabled(&self, event: Event) -> bool {
        let name = event.as_str();
        let group = name.split('.').next().unwrap_or(name);
        self.0.disabled.contains(name) || self.0.disabled.contains(group)
    }
}

fn message(event: Event, priority: Priority, publisher: &str, payload: &Value) -> Value {
    json!({
        "message_id": Uuid::new_v4().to_string(),
        "publisher_id": publisher,
        "event_type": event.as_str(),
        "priority": priority.as_str(),
        "payload": payload,
        "timestamp": Utc::now().format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
    })
}

fn write(logger: &str, priority: Priority, message: &Value) {
    match priority {
        Priority::Info => tracing::info!(logger = logger, "{message}"),
        Priority::Error => tracing::error!(logger = logger, "{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Channel, Event, Notifier, Settings};

    #[test]
    fn events_are_silenced_by_name_or_by_group() {
        let silent = |word: &str, event| {
            let disabled = [word.to_owned()].into();
            Notifier::new(Settings { disabled, ..Settings::default() }).is_disabled(event)
        };
        assert!(silent("image", Event::MemberCreate));
        assert!(silent("image.member.create", Event::MemberCreate));
        assert!(!silent("image.member", Event::MemberCreate));
        assert!(!silent("image.create", Event::Update));
    }

    #[test]
    fn what_cannot_be_told_to_is_refused() {
        assert_eq!(Channel::of_driver("noop").unwrap(), None);
        assert_eq!(Channel::of_strategy("default").unwrap(), None);
        let text = Channel::of_driver("messagingv2").unwrap_err().to_string();
        assert_eq!(text, "'messagingv2' is not available; choose one of: noop, log");
    }
}
