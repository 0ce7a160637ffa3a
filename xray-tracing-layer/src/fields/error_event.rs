//! The visitor that turns an ERROR event into exceptions of the current span.
//!
//! Fields of spans are encoded by [`visitor`](crate::fields::visitor).

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::SegmentId;
use xray_sdk::document::internal::{Body, Buffer, Stack, Written};
use xray_sdk::document::{MAX_VALUE, StackFrame};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::redacted_body::RedactedBody;
use crate::fields::sanitize::connection_string::connection_string;
use crate::fields::sanitize::statement::{Language, Sanitized};
use crate::fields::sanitize::url::SafeUrl;
use crate::fields::sanitize::written::clean_written;
use crate::fields::slot::{LogFact, Slot};
use crate::fields::value::{Value, visit};
use crate::settings::redaction::Rules;

/// Encodes an ERROR event as exceptions.
pub(crate) struct ErrorVisitor<'a> {
    callsite: &'a CallsiteInfo,
    rules: &'a Rules,
    body: &'a mut Body,
    /// The message and the fields, escaped.
    message: &'a mut Buffer,
    kind: Option<String>,
    cause: Option<SegmentId>,
    cut: bool,
    /// The origin of an event that came through the `log` crate.
    pub(crate) log_record: LogRecord,
    /// The language of statements, if a field says so.
    pub(crate) language: Option<Language>,
}

impl<'a> ErrorVisitor<'a> {
    /// Creates a visitor. `message` is an empty buffer to write into.
    pub(crate) fn new(
        callsite: &'a CallsiteInfo,
        rules: &'a Rules,
        body: &'a mut Body,
        message: &'a mut Buffer,
    ) -> Self {
        Self {
            callsite,
            rules,
            body,
            message,
            kind: None,
            cause: None,
            cut: false,
            log_record: LogRecord::default(),
            language: None,
        }
    }

    /// Writes the exception after all fields. An event that carries nothing but an error becomes that error.
    pub(crate) fn finish(self) {
        if self.message.is_empty() && self.cause.is_some() {
            return;
        }
        let logged = self.log_record.stack();
        let stack = match (self.cause, &logged) {
            (Some(_), _) => Stack::none(),
            (None, Some(logged)) => logged,
            (None, None) => &self.callsite.stack,
        };
        let keep_query = self.rules.keep_query;
        let message = |out: &mut Buffer| {
            let start = out.len();
            out.put("\"");
            out.put_buffer(self.message);
            out.put(if self.cut { "…\"" } else { "\"" });
            clean_written(out, start, MAX_VALUE, keep_query);
            Written::cut_if(self.cut)
        };
        let kind = self.kind.as_deref().unwrap_or("Error");
        self.body.put_exception(SegmentId::random(), kind, message, false, self.cause, stack);
    }

    fn put(&mut self, field: &Field, value: Value<'_>) {
        let rules = self.rules;
        match &rules.redact {
            _ if matches!(self.callsite.slots.get(field.index()), Some(Slot::LogRecord(_))) => {
                self.put_plain(field, value);
            }
            None => self.put_plain(field, value),
            Some(redact) => value.with_text(|text| {
                self.put_plain(field, Value::Str(&redact.apply(field.name(), text)));
            }),
        }
    }

    fn put_plain(&mut self, field: &Field, value: Value<'_>) {
        match self.callsite.slots.get(field.index()) {
            Some(Slot::ErrorType { .. }) => {
                value.with_text(|text| self.kind = Some(text.to_owned()));
            }
            Some(Slot::Message | Slot::Error | Slot::ErrorMessage { .. }) => {
                self.add(format_args!("{value}"), ": ");
            }
            Some(Slot::LogRecord(fact)) => value.with_text(|text| self.log_record.note(*fact, text)),
            Some(Slot::Ignored | Slot::Sampled) | None => {}
            Some(Slot::Secret { .. }) => self.body.count_left_out(),
            // What spans don't send, their events don't either.
            Some(Slot::Statement { .. }) if self.rules.drop_sql_text => {}
            Some(slot @ (Slot::Statement { .. } | Slot::Url { .. } | Slot::ConnectionString)) => {
                value.with_text(|text| {
                    if let Some(clean) = clean_value(slot, text, self.rules, self.language) {
                        self.add(format_args!("{}={clean}", field.name()), " ");
                    }
                });
            }
            Some(_) => self.add(format_args!("{}={value}", field.name()), " "),
        }
    }

    fn add(&mut self, text: fmt::Arguments<'_>, separator: &str) {
        if self.cut {
            return;
        }
        if !self.message.is_empty() {
            self.message.put(separator);
        }
        let room = (MAX_VALUE - "…".len()).saturating_sub(self.message.len() + 2);
        self.cut = self.message.put_escaped_format_within(text, room);
    }
}

impl Visit for ErrorVisitor<'_> {
    visit! {
        record_str: &str => Str, record_i64: i64 => I64, record_u64: u64 => U64, record_f64: f64 => F64,
        record_bool: bool => Bool, record_debug: &dyn fmt::Debug => Display
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let cause =
            RedactedBody::new(self.body, self.rules).add_error(field.name(), value, &self.callsite.stack);
        self.cause.get_or_insert(cause);
    }
}

/// Returns a value of a form that is known without its secrets; `None` if the form is not understood.
pub(crate) fn clean_value(
    slot: &Slot,
    text: &str,
    rules: &Rules,
    language: Option<Language>,
) -> Option<String> {
    match slot {
        Slot::Statement { .. } if rules.keep_sql_literals => Some(text.to_owned()),
        Slot::Statement { .. } => {
            let default = || Language::of(rules.database.system.as_deref());
            let language = language.unwrap_or_else(default);
            let clean = Sanitized { statement: text, language }.to_string();
            (!clean.is_empty()).then_some(clean)
        }
        Slot::Url { .. } => Some(SafeUrl::parse(text, rules.keep_query)?.to_text().into_owned()),
        _ => connection_string(text),
    }
}

/// The origin of an event that came through the `log` crate.
///
/// `tracing-log` passes records on from callsites of its own, all with the target `log` and without a place in
/// the source. The record's own target, module, file and line are fields of the event. The names of these
/// fields, and their meaning, are those of `tracing_log::NormalizeEvent`.
#[derive(Debug, Default)]
pub(crate) struct LogRecord {
    target: Option<String>,
    module: Option<String>,
    file: Option<String>,
    line: Option<u32>,
}

impl LogRecord {
    pub(crate) fn note(&mut self, fact: LogFact, text: &str) {
        match fact {
            LogFact::Target => self.target = Some(text.to_owned()),
            LogFact::Module => self.module = Some(text.to_owned()),
            LogFact::File => self.file = Some(text.to_owned()),
            LogFact::Line => self.line = text.parse().ok(),
        }
    }

    /// Returns the record's own target, if the event came through the `log` crate.
    pub(crate) fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Returns the place in the source, if the event came through the `log` crate.
    pub(crate) fn stack(&self) -> Option<Stack> {
        let module = self.module.as_deref().or(self.target.as_deref())?;
        let file = self.file.as_deref().unwrap_or(module);
        Some(Stack::new(&[StackFrame::new(file, self.line.unwrap_or_default(), module)]))
    }
}
