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
#[inline]
pub(crate) fn status_alone(callsite: &CallsiteInfo, rules: &Rules, values: &Record<'_>) -> Option<u16> {
    if rules.redact.is_some() {
        return None;
    }
    let mut visitor = StatusVisitor { callsite, status: None, others: false };
    values.record(&mut visitor);
    visitor.status.filter(|_| !visitor.others)
}

struct StatusVisitor<'a> {
    callsite: &'a CallsiteInfo,
    status: Option<u16>,
    /// Set if anything else is recorded.
    others: bool,
}

impl Visit for StatusVisitor<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match self.callsite.slots.get(field.index()) {
            Some(Slot::Status) => self.status = value.try_into().ok(),
            _ => self.others = true,
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        // No status is negative, nor that large.
        self.record_u64(field, value as u64);
    }

    fn record_f64(&mut self, _: &Field, _: f64) {
        self.others = true;
    }

    fn record_bool(&mut self, _: &Field, _: bool) {
        self.others = true;
    }

    fn record_str(&mut self, _: &Field, _: &str) {
        self.others = true;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {
        self.others = true;
    }
}
