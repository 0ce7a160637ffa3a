//! The visitor for ERROR events that have a message and no other field, as most have.
//!
//! The message becomes a JSON string in a buffer, and from there the message of an exception.

use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::MAX_VALUE;
use xray_sdk::document::internal::{Buffer, Written};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::sanitize::written::put_clean;
use crate::fields::value::{Value, visit};
use crate::settings::redaction::Rules;

/// Writes an event's message.
pub(crate) struct MessageVisitor<'a> {
    keep_query: bool,
    /// An empty buffer, and then a JSON string.
    message: &'a mut Buffer,
    written: Written,
}

impl<'a> MessageVisitor<'a> {
    /// Creates a visitor. Returns `None` if the event may have other fields, or a hook has to see the message.
    #[inline]
    pub(crate) fn of(callsite: &CallsiteInfo, rules: &Rules, message: &'a mut Buffer) -> Option<Self> {
        (callsite.is_message_alone && rules.redact.is_none()).then_some(Self {
            keep_query: rules.keep_query,
            message,
            written: Written::Nothing,
        })
    }

    /// Returns how much of the message was written.
    #[inline]
    pub(crate) fn written(&self) -> Written {
        self.written
    }

    fn put(&mut self, _: &Field, value: Value<'_>) {
        self.message.clear();
        self.written = Written::cut_if(put_clean(self.message, value, MAX_VALUE, self.keep_query));
    }
}

impl Visit for MessageVisitor<'_> {
    visit! {
        record_str: &str => Str, record_i64: i64 => I64, record_u64: u64 => U64, record_f64: f64 => F64,
        record_bool: bool => Bool, record_debug: &dyn fmt::Debug => Display
    }
}
