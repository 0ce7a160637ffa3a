//! The visitor for roots of which one field alone decides, and does not come first.
//!
//! The field is OpenTelemetry's kind, by which a call to another service is known.
//! The visitor looks at one field and writes nothing: the others are encoded when the root is known to be recorded.

use std::fmt;

use tracing_core::field::{Field, Visit};

use crate::fields::slot::is_call;
use crate::fields::value::Value;

/// Returns whether a new root is a call to another service by its kind. `index` is that field's.
#[cold]
pub(crate) fn is_call_by_kind(index: usize, fields: impl FnOnce(&mut dyn Visit)) -> bool {
    let mut visitor = KindVisitor { index, is_call: false };
    fields(&mut visitor);
    visitor.is_call
}

struct KindVisitor {
    /// The index of the field.
    index: usize,
    is_call: bool,
}

impl Visit for KindVisitor {
    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.index() == self.index {
            self.is_call = is_call(value);
        }
    }

    fn record_i64(&mut self, _: &Field, _: i64) {}

    fn record_u64(&mut self, _: &Field, _: u64) {}

    fn record_f64(&mut self, _: &Field, _: f64) {}

    fn record_bool(&mut self, _: &Field, _: bool) {}

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.index() == self.index {
            Value::Display(value).with_text(|kind| self.is_call = is_call(kind));
        }
    }
}
