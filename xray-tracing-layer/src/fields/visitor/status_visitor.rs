//! The visitor for the value that is recorded late more often than all others: an HTTP status, alone.
//!
//! It reads numbers only, so that no code of the user's runs, and the record may be locked right after.

use std::fmt;

use tracing_core::field::{Field, Visit};
use tracing_core::span::Record;

use crate::fields::callsite::CallsiteInfo;
use crate::fields::slot::Slot;
use crate::settings::redaction::Rules;

/// Returns the HTTP status, if nothing else is recorded and no hook has to see it.
pub(crate) fn status_alone(callsite: &CallsiteInfo, rules: &Rules, values: &Record<'_>) -> Option<u16> {
    if values.len() != 1 || rules.redact.is_some() {
        return None;
    }
    let mut visitor = StatusVisitor { callsite, status: None };
    values.record(&mut visitor);
    visitor.status
}

struct StatusVisitor<'a> {
    callsite: &'a CallsiteInfo,
    status: Option<u16>,
}

impl Visit for StatusVisitor<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if matches!(self.callsite.slots.get(field.index()), Some(Slot::Status)) {
            self.status = value.try_into().ok();
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if let Ok(value) = value.try_into() {
            self.record_u64(field, value);
        }
    }

    fn record_f64(&mut self, _: &Field, _: f64) {}

    fn record_bool(&mut self, _: &Field, _: bool) {}

    fn record_str(&mut self, _: &Field, _: &str) {}

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
