//! The way from `tracing` to lines.

use std::fmt::{Debug, Write};

use chrono::Local;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::destination::Destinations;
use super::format::{LineFormat, Record, printable};

/// Writes each event as one line. It lets everything pass; what is kept is decided before it.
#[derive(Debug)]
pub(super) struct LineLayer {
    format: LineFormat,
    destinations: Destinations,
}

impl LineLayer {
    /// Combines a form with places.
    pub(super) fn new(format: LineFormat, destinations: Destinations) -> Self {
        Self { format, destinations }
    }
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = *event.metadata().level();
        let name = fields.logger.as_deref().unwrap_or(event.metadata().target());
        let message = fields.message + &fields.others;
        let line = self.format.render(&Record { time: Local::now(), level, name, message: &message });
        self.destinations.write(level, &line, &printable(&message));
    }
}

/// What an event holds: its message, then ` name=value` for each further field.
/// The field `logger` is the name of the logger, for programs that must log under a name that is no module.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    logger: Option<String>,
    others: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "logger" => self.logger = Some(value.to_owned()),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }
}
