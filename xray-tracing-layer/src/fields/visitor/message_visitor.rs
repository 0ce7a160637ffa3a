//! The visitor for ERROR events that have a message and no other field, as most have.
//!
//! The exception is written into a buffer while no record is locked, since messages are formatted by the user's code. From
//! there it goes into its span's record as it is.

use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::MAX_VALUE;
use xray_sdk::document::internal::{Body, Buffer};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::sanitize::written::put_clean;
use crate::settings::redaction::Rules;

/// Writes an event's message as that of an exception.
pub(crate) struct MessageVisitor<'a> {
    keep_query: bool,
    /// An exception up to its message, and then with its message.
    exception: &'a mut Buffer,
    /// The start of the message.
    start: usize,
    cut: bool,
}

impl<'a> MessageVisitor<'a> {
    /// Returns whether the visitor is for events of a callsite: none has another field, and no hook has to see the message.
    #[inline]
    pub(crate) fn is_for(callsite: &CallsiteInfo, rules: &Rules) -> bool {
        callsite.is_message_alone && rules.redact.is_none()
    }

    /// Begins an exception in an empty buffer.
    #[inline]
    pub(crate) fn new(rules: &Rules, exception: &'a mut Buffer) -> Self {
        Body::begin_exception(exception);
        Self { keep_query: rules.keep_query, start: exception.len(), exception, cut: false }
    }

    /// Ends the message. Returns whether it was cut; an event without one counts as such.
    #[inline]
    pub(crate) fn finish(self) -> bool {
        if self.exception.len() > self.start { self.cut } else { self.put_nothing() }
    }

    #[cold]
    #[inline(never)]
    fn put_nothing(self) -> bool {
        self.exception.put("\"\"");
        true
    }

    fn put(&mut self, message: fmt::Arguments<'_>) {
        self.exception.truncate(self.start);
        self.cut = put_clean(self.exception, message, MAX_VALUE, self.keep_query);
    }
}

impl Visit for MessageVisitor<'_> {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        self.put(format_args!("{value:?}"));
    }

    fn record_str(&mut self, _: &Field, value: &str) {
        self.put(format_args!("{value}"));
    }

    fn record_f64(&mut self, _: &Field, value: f64) {
        self.put(format_args!("{value}"));
    }
}
