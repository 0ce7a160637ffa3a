//! A root's fields while nothing of them is written: the trace is not sampled, but a trace header may still come that
//! says it is. They are copied here, and become JSON then, by the same visitor that they came by.

use std::fmt::Write;

use xray_sdk::document::MAX_VALUE;

use crate::fields::callsite::CallsiteInfo;
use crate::fields::value::{BoundedText, Value};
use crate::fields::visitor::FieldVisitor;

/// The fields of one span.
#[derive(Debug, Default)]
pub(crate) struct DeferredFields {
    /// Each with its index among those of the callsite.
    fields: Vec<(usize, OwnedValue)>,
    /// The texts, one behind the other.
    text: String,
}

/// A value of its own.
#[derive(Clone, Copy, Debug)]
enum OwnedValue {
    /// What the text goes on to, from the end of the one before.
    Text(usize),
    I64(i64),
    U64(u64),
    F64(f64),
    Bool(bool),
}

impl DeferredFields {
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Bytes of memory held, in use or not.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity() + self.fields.capacity() * size_of::<(usize, OwnedValue)>()
    }

    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.text.clear();
    }

    /// Keeps a value, as far as a document would.
    pub(crate) fn keep(&mut self, field: usize, value: Value<'_>) {
        let held = match value {
            Value::I64(value) => OwnedValue::I64(value),
            Value::U64(value) => OwnedValue::U64(value),
            Value::F64(value) => OwnedValue::F64(value),
            Value::Bool(value) => OwnedValue::Bool(value),
            Value::Str(text) if text.len() <= MAX_VALUE => {
                self.text.push_str(text);
                OwnedValue::Text(self.text.len())
            }
            Value::Str(_) | Value::Display(_) => {
                let _ = write!(BoundedText::after(&mut self.text), "{value}");
                OwnedValue::Text(self.text.len())
            }
        };
        self.fields.push((field, held));
    }

    /// Hands all values over, in the order in which they came.
    pub(crate) fn replay(&self, callsite: &CallsiteInfo, visitor: &mut FieldVisitor<'_>) {
        let mut start = 0;
        for (index, held) in &self.fields {
            let value = match *held {
                OwnedValue::I64(value) => Value::I64(value),
                OwnedValue::U64(value) => Value::U64(value),
                OwnedValue::F64(value) => Value::F64(value),
                OwnedValue::Bool(value) => Value::Bool(value),
                OwnedValue::Text(end) => {
                    Value::Str(self.text.get(std::mem::replace(&mut start, end)..end).unwrap_or_default())
                }
            };
            if let Some(field) = callsite.fields.iter().nth(*index) {
                visitor.put_any(&field, value);
            }
        }
    }
}
