//! Fields of an unsampled root, copied and not encoded.
//!
//! A trace header may still arrive and turn the root into a recorded one. Only then are the fields encoded,
//! by the visitor that received them. Most unsampled roots never pay for JSON.

use xray_sdk::document::MAX_VALUE;

use crate::fields::value::{BoundedText, Value};

/// The fields of one span.
#[derive(Debug, Default)]
pub(crate) struct DeferredFields {
    /// The fields, each with its index at the callsite.
    fields: Vec<(usize, OwnedValue)>,
    /// All strings, concatenated.
    text: String,
}

/// A copied value.
#[derive(Clone, Copy, Debug)]
enum OwnedValue {
    /// A string: the end of its range. The range starts at the end of the string before.
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

    /// Returns the bytes of memory held, in use or not.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity() + self.fields.capacity() * size_of::<(usize, OwnedValue)>()
    }

    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.text.clear();
    }

    /// Copies a value, truncated to the length that a document would keep.
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
                BoundedText::after(&mut self.text).write_value(value);
                OwnedValue::Text(self.text.len())
            }
        };
        self.fields.push((field, held));
    }

    /// Returns all values in their order of arrival, each with its field's index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, Value<'_>)> {
        let mut start = 0;
        self.fields.iter().map(move |(index, owned)| {
            let value = match *owned {
                OwnedValue::I64(value) => Value::I64(value),
                OwnedValue::U64(value) => Value::U64(value),
                OwnedValue::F64(value) => Value::F64(value),
                OwnedValue::Bool(value) => Value::Bool(value),
                OwnedValue::Text(end) => {
                    Value::Str(self.text.get(std::mem::replace(&mut start, end)..end).unwrap_or_default())
                }
            };
            (*index, value)
        })
    }
}
