//! The visitor for spans whose fields are all metadata or annotations under short keys, and which no hook looks at: most
//! spans inside a root. Short values are appended as blocks. Any other value is encoded by its slot.
//!
//! The short strings of a root and of a call come here as well.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::internal::{Body, PlainKey};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::field_target::FieldTarget;
use crate::fields::slot::Slot;
use crate::fields::value::{DebugAsDisplay, Value};
use crate::settings::redaction::Rules;

/// Writes the fields of a new span into its body.
pub(crate) struct PlainVisitor<'a> {
    callsite: &'a CallsiteInfo,
    keys: &'a [PlainKey],
    rules: &'a Rules,
    body: &'a mut Body,
    /// Set if the body is a segment's.
    is_segment: bool,
}

impl<'a> PlainVisitor<'a> {
    /// Returns whether the visitor is for spans of a callsite: it is plain, and no hook has to see the values.
    #[inline]
    pub(crate) fn is_for(callsite: &CallsiteInfo, rules: &Rules) -> bool {
        callsite.plain_keys.is_some() && rules.redact.is_none()
    }

    /// Creates a visitor for a body that has none of the callsite's keys.
    #[inline]
    pub(crate) fn new(callsite: &'a CallsiteInfo, rules: &'a Rules, body: &'a mut Body) -> Self {
        // Metadata and annotations are the same in a segment.
        Self::with_keys(callsite, callsite.plain_keys.as_deref().unwrap_or_default(), rules, body, false)
    }

    /// Creates a visitor for short texts of a span of any kind, with the keys of its callsite's ready ways.
    #[inline]
    pub(crate) fn with_keys(
        callsite: &'a CallsiteInfo,
        keys: &'a [PlainKey],
        rules: &'a Rules,
        body: &'a mut Body,
        is_segment: bool,
    ) -> Self {
        Self { callsite, keys, rules, body, is_segment }
    }

    /// Puts a value by `append`, if there is a key, and by any other way if that appends nothing.
    #[inline(always)]
    fn put<'v>(
        &mut self,
        field: &Field,
        append: impl FnOnce(&mut Body, &PlainKey) -> bool,
        value: impl FnOnce() -> Value<'v>,
    ) {
        if !self.keys.get(field.index()).is_some_and(|key| append(self.body, key)) {
            self.put_other(field, value());
        }
    }

    #[inline(never)]
    fn put_other(&mut self, field: &Field, value: Value<'_>) {
        // For the values to come, if that is what was missing.
        self.body.make_room();
        if let Some(slot) = self.callsite.slots.get(field.index()) {
            self.put_by_slot(slot, value);
        }
    }

    /// Puts a value by its slot.
    #[inline(always)]
    pub(crate) fn put_by_slot(&mut self, slot: &Slot, value: Value<'_>) {
        match slot {
            Slot::Any { section, rank, key } => {
                let keep_query = self.rules.keep_query;
                self.body.append(*section, *rank, key.as_key(), |out| value.put(out, *section, keep_query));
            }
            // A value of a root or a call.
            _ => {
                let mut target = FieldTarget::new(self.rules, self.body, self.is_segment);
                target.distinct = self.callsite.distinct_request;
                slot.write_known(value, &mut target);
            }
        }
    }
}

// A method of its own for each type, with what it needs inlined: a value in a common form would be taken apart again.
impl Visit for PlainVisitor<'_> {
    fn record_str(&mut self, field: &Field, text: &str) {
        // A bland string holds none of the bytes that a secret stands behind.
        self.put(field, |body, key| body.append_bland(key, text), || Value::Str(text));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, |body, key| body.append_small(key, value), || Value::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let append =
            |body: &mut Body, key: &_| i64::try_from(value).is_ok_and(|value| body.append_small(key, value));
        self.put(field, append, || Value::U64(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, |body, key| body.append_decimal(key, value), || Value::F64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |body, key| body.append_flag(key, value), || Value::Bool(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_other(field, Value::Display(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put_other(field, Value::Display(&DebugAsDisplay(value)));
    }
}
