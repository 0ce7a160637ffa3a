//! The visitor that writes an INFO or WARN event as a breadcrumb: time, level, target, message and fields.
//!
//! Values pass the same functions as those of ERROR events ([`error_event`](crate::fields::error_event)).

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use tracing_core::{Level, Metadata};
use xray_sdk::document::internal::{Buffer, Section, Written};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::error_event::{LogRecord, clean_value};
use crate::fields::sanitize::statement::Language;
use crate::fields::sanitize::written::put_clean;
use crate::fields::slot::Slot;
use crate::fields::value::{DebugAsDisplay, Value, visit};
use crate::settings::redaction::Rules;

/// Writes an event's fields.
pub(crate) struct BreadcrumbVisitor<'a> {
    callsite: &'a CallsiteInfo,
    rules: &'a Rules,
    /// The fields, as members.
    fields: &'a mut Buffer,
    /// The message, as a string; empty without one.
    message: Buffer,
    /// Set if a value was cut or left out.
    pub(crate) cut: bool,
    /// The origin of an event that came through the `log` crate.
    pub(crate) log_record: LogRecord,
    /// The language of statements, if a field names it.
    pub(crate) language: Option<Language>,
}

impl<'a> BreadcrumbVisitor<'a> {
    /// Creates a visitor. `fields` is an empty buffer to write into.
    pub(crate) fn new(callsite: &'a CallsiteInfo, rules: &'a Rules, fields: &'a mut Buffer) -> Self {
        Self {
            callsite,
            rules,
            fields,
            message: Buffer::new(),
            cut: false,
            log_record: LogRecord::default(),
            language: None,
        }
    }

    /// Appends the breadcrumb after all fields. `micros` is the time since the epoch.
    pub(crate) fn finish(&self, out: &mut Buffer, metadata: &Metadata<'_>, micros: u64) {
        out.put("{\"time\":");
        out.put_micros(micros);
        out.put(if *metadata.level() == Level::WARN { ",\"level\":\"WARN\"" } else { ",\"level\":\"INFO\"" });
        out.put(",\"target\":");
        out.put_display_within(self.log_record.target().unwrap_or_else(|| metadata.target()), MAX_TARGET);
        if !self.message.is_empty() {
            out.put(",\"message\":");
            out.put_buffer(&self.message);
        }
        if !self.fields.is_empty() {
            out.put(",\"fields\":{");
            out.put_buffer(self.fields);
            out.put("}");
        }
        out.put(if self.cut { ",\"cut\":true}" } else { "}" });
    }

    fn put(&mut self, field: &Field, value: Value<'_>) {
        let slot = self.callsite.slots.get(field.index());
        match &self.rules.redact {
            Some(redact) if !matches!(slot, Some(Slot::LogRecord(_))) => value.with_text(|text| {
                match redact.apply(field.name(), text) {
                    // An unchanged value keeps its type.
                    same if same == text => self.put_plain(field, value),
                    changed if matches!(slot, Some(Slot::Secret { .. })) => {
                        self.put_field(field.name(), Value::Str(&changed));
                    }
                    changed => self.put_plain(field, Value::Str(&changed)),
                }
            }),
            _ => self.put_plain(field, value),
        }
    }

    fn put_plain(&mut self, field: &Field, value: Value<'_>) {
        match self.callsite.slots.get(field.index()) {
            Some(Slot::Message) => {
                self.message.clear();
                self.cut |=
                    put_clean(&mut self.message, format_args!("{value}"), MAX_MESSAGE, self.rules.keep_query);
            }
            Some(Slot::LogRecord(fact)) => value.with_text(|text| self.log_record.note(*fact, text)),
            Some(Slot::Ignored | Slot::Sampled | Slot::Header { .. }) | None => {}
            Some(Slot::Secret { .. }) if !matches!(value, Value::Bool(_)) => self.cut = true,
            Some(Slot::Statement { .. }) if self.rules.drop_sql_text => {}
            Some(slot @ (Slot::Statement { .. } | Slot::Url { .. } | Slot::ConnectionString)) => {
                value.with_text(|text| {
                    if let Some(clean) = clean_value(slot, text, self.rules, self.language) {
                        self.put_field(field.name(), Value::Str(&clean));
                    }
                });
            }
            Some(_) => self.put_field(field.name(), value),
        }
    }

    fn put_field(&mut self, name: &str, value: Value<'_>) {
        let start = self.fields.len();
        self.fields.put(if start == 0 { "" } else { "," });
        self.fields.put_display_within(name, MAX_TARGET);
        self.fields.put(":");
        let room = MAX_FIELDS.saturating_sub(self.fields.len() + 2);
        let keep_query = self.rules.keep_query;
        let written = match value {
            Value::Str(_) | Value::Display(_) if room > 0 => {
                Written::cut_if(put_clean(self.fields, format_args!("{value}"), room, keep_query))
            }
            _ => value.put(self.fields, Section::Metadata, keep_query),
        };
        self.cut |= written != Written::Whole;
        if written == Written::Nothing || self.fields.len() > MAX_FIELDS {
            self.fields.truncate(start);
            self.cut = true;
        }
    }
}

impl Visit for BreadcrumbVisitor<'_> {
    visit! {
        record_str: &str => Str, record_i64: i64 => I64, record_u64: u64 => U64, record_f64: f64 => F64,
        record_bool: bool => Bool, record_debug: &dyn fmt::Debug => Display
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, Value::Display(&DebugAsDisplay(value)));
    }
}

/// Bytes of a message, encoded.
const MAX_MESSAGE: usize = 500;

/// Bytes of all fields, encoded.
const MAX_FIELDS: usize = 1_000;

/// Bytes of a target, or of a field's name, encoded.
const MAX_TARGET: usize = 200;
