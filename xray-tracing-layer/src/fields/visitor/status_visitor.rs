//! The visitor for the values that are recorded late more often than all others: an HTTP status and a length, alone or
//! together.
//!
//! The visitor reads numbers only, so that no code of the user's runs, and the record may be locked meanwhile.

use std::fmt;

use tracing_core::field::{Field, Visit};
use tracing_core::span::Record;
use xray_sdk::document::internal::{Body, Written};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::slot::Slot;
use crate::settings::redaction::Rules;

/// Writes a status, a length or both, if nothing else is recorded and no hook has to see them. Otherwise writes nothing and
/// returns `false`.
#[inline]
pub(crate) fn put_status_alone(
    callsite: &CallsiteInfo,
    rules: &Rules,
    values: &Record<'_>,
    body: &mut Body,
) -> bool {
    if rules.redact.is_some() {
        return false;
    }
    let mut visitor = StatusVisitor { callsite, status: None, number: None, others: false };
    values.record(&mut visitor);
    let StatusVisitor { status, number, others, .. } = visitor;
    if others || (status, number) == (None, None) {
        return false;
    }
    if let Some(status) = status {
        body.set_status(status);
    }
    if let Some((index, value)) = number {
        put_number(callsite, index, value, body);
    }
    true
}

#[inline(never)]
fn put_number(callsite: &CallsiteInfo, index: usize, value: u64, body: &mut Body) {
    if let Some(&Slot::Number { section, rank, key }) = callsite.slots.get(index) {
        body.put(section, rank, key, |out| {
            out.put_int(value);
            Written::Whole
        });
    }
}

struct StatusVisitor<'a> {
    callsite: &'a CallsiteInfo,
    status: Option<u16>,
    /// A number of the response, with the index of its field.
    number: Option<(usize, u64)>,
    /// Set if anything else is recorded.
    others: bool,
}

impl Visit for StatusVisitor<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match self.callsite.slots.get(field.index()) {
            Some(Slot::Status) => match value.try_into() {
                Ok(status) => self.status = Some(status),
                Err(_) => self.others = true,
            },
            Some(Slot::Number { .. }) if self.number.is_none() => self.number = Some((field.index(), value)),
            _ => self.others = true,
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match value.try_into() {
            Ok(value) => self.record_u64(field, value),
            Err(_) => self.others = true,
        }
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
