//! The way from `tracing` to lines.

use std::fmt::{Debug, Write};

use chrono::Local;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::destination::Destinations;
use super::format::{LineFormat, Record, Request, printable};
use super::json::JsonFormat;

/// Name of the spans that requests are answered in; their fields say whose they are.
const REQUEST: &str = "request";

/// How a record is written.
#[derive(Debug)]
pub(super) enum Form {
    /// By one format for those of requests, and another for all else.
    Line {
        of_request: LineFormat,
        other: LineFormat,
    },
    Json(JsonFormat),
}

impl Form {
    fn render(&self, record: &Record<'_>) -> String {
        match self {
            Self::Line { of_request, .. } if record.request.is_some() => of_request.render(record),
            Self::Line { other, .. } => other.render(record),
            Self::Json(format) => format.render(record),
        }
    }
}

/// Writes each event as one line. It lets everything pass; what is kept is decided before it.
#[derive(Debug)]
pub(super) struct LineLayer {
    form: Form,
    destinations: Destinations,
}

impl LineLayer {
    /// Combines a form with places.
    pub(super) fn new(form: Form, destinations: Destinations) -> Self {
        Self { form, destinations }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LineLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() == REQUEST
            && let Some(span) = context.span(id)
        {
            let mut request = Request::default();
            attributes.record(&mut request);
            span.extensions_mut().insert(request);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let about = event.metadata();
        let message = fields.message + &fields.others;
        let span = context.event_scope(event).and_then(|mut scope| scope.find(|span| span.name() == REQUEST));
        let extensions = span.as_ref().map(|span| span.extensions());
        let record = Record {
            time: Local::now(),
            level: *about.level(),
            name: fields.logger.as_deref().unwrap_or(about.target()),
            message: &message,
            file: about.file().unwrap_or_default(),
            line: about.line().unwrap_or_default(),
            request: extensions.as_ref().and_then(|extensions| extensions.get()),
        };
        let line = self.form.render(&record);
        self.destinations.write(&record, &line, &printable(&message));
    }
}

impl Visit for Request {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), printable(&format!("{value:?}"))));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), printable(value)));
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
