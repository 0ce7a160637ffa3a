//! The visitor for spans whose fields are all metadata or annotations under short keys, and which no hook looks at: most
//! spans inside a root. Short values are appended as blocks. Any other value is encoded as [`FieldVisitor`](super::FieldVisitor) does.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::internal::{Body, PlainKey};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::slot::Slot;
use crate::fields::value::{DebugAsDisplay, Value, visit};
use crate::settings::redaction::Rules;

/// Writes the fields of a new span into its body.
pub(crate) struct PlainVisitor<'a> {
    callsite: &'a CallsiteInfo,
    keys: &'a [PlainKey],
    rules: &'a Rules,
    body: &'a mut Body,
}

impl<'a> PlainVisitor<'a> {
    /// Creates a visitor for an empty body. Returns `None` if the callsite is not plain, or a hook has to see the values.
    #[inline]
    pub(crate) fn of(callsite: &'a CallsiteInfo, rules: &'a Rules, body: &'a mut Body) -> Option<Self> {
        let keys = callsite.plain_keys.as_deref().filter(|_| rules.redact.is_none())?;
        Some(Self { callsite, keys, rules, body })
    }

    #[inline(always)]
    fn put(&mut self, field: &Field, value: Value<'_>) {
        let done = self.keys.get(field.index()).is_some_and(|key| match value {
            // A bland string holds none of the bytes that a secret stands behind.
            Value::Str(text) => self.body.append_bland(key, text),
            Value::I64(value) => self.body.append_small(key, value),
            Value::U64(value) => i64::try_from(value).is_ok_and(|value| self.body.append_small(key, value)),
            Value::F64(value) => self.body.append_decimal(key, value),
            Value::Bool(value) => {
                self.body.append_flag(key, value);
                true
            }
            Value::Display(_) => false,
        });
        if !done {
            self.put_other(field, value);
        }
    }

    #[inline(never)]
    fn put_other(&mut self, field: &Field, value: Value<'_>) {
        if let Some(Slot::Any { section, rank, key }) = self.callsite.slots.get(field.index()) {
            let keep_query = self.rules.keep_query;
            self.body.append(*section, *rank, key.as_key(), |out| value.put(out, *section, keep_query));
        }
    }
}

impl Visit for PlainVisitor<'_> {
    visit! {
        record_str: &str => Str, record_i64: i64 => I64, record_u64: u64 => U64, record_f64: f64 => F64,
        record_bool: bool => Bool, record_debug: &dyn fmt::Debug => Display
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put_other(field, Value::Display(&DebugAsDisplay(value)));
    }
}
