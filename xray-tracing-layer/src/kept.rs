//! A root's fields while nothing of them is written: the trace is not sampled, but a trace header may still come that
//! says it is. They are copied here, and become JSON then, by the same visitor that they came by.

use std::fmt::Write;

use xray_sdk::document::MAX_VALUE;

use crate::plan::Plan;
use crate::value::{BoundedText, Value};
use crate::visit::FieldVisitor;

/// The fields of one span.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Each with its index among those of the callsite.
    fields: Vec<(usize, Held)>,
    /// The texts, one behind the other.
    text: String,
}

/// A value of its own.
#[derive(Clone, Copy, Debug)]
enum Held {
    /// What the text goes on to, from the end of the one before.
    Text(usize),
    I64(i64),
    U64(u64),
    F64(f64),
    Bool(bool),
}

impl Kept {
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Bytes of memory held, in use or not.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity() + self.fields.capacity() * size_of::<(usize, Held)>()
    }

    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.text.clear();
    }

    /// Keeps a value, as far as a document would.
    pub(crate) fn keep(&mut self, field: usize, value: Value<'_>) {
        let held = match value {
            Value::I64(value) => Held::I64(value),
            Value::U64(value) => Held::U64(value),
            Value::F64(value) => Held::F64(value),
            Value::Bool(value) => Held::Bool(value),
            Value::Str(text) if text.len() <= MAX_VALUE => {
                self.text.push_str(text);
                Held::Text(self.text.len())
            }
            Value::Str(_) | Value::Display(_) => {
                let _ = write!(BoundedText::behind(&mut self.text), "{value}");
                Held::Text(self.text.len())
            }
        };
        self.fields.push((field, held));
    }

    /// Hands all values over, in the order in which they came.
    pub(crate) fn replay(&self, plan: &Plan, visitor: &mut FieldVisitor<'_>) {
        let mut start = 0;
        for (index, held) in &self.fields {
            let value = match *held {
                Held::I64(value) => Value::I64(value),
                Held::U64(value) => Value::U64(value),
                Held::F64(value) => Value::F64(value),
                Held::Bool(value) => Value::Bool(value),
                Held::Text(end) => {
                    Value::Str(self.text.get(std::mem::replace(&mut start, end)..end).unwrap_or_default())
                }
            };
            if let Some(field) = plan.fields.iter().nth(*index) {
                visitor.put_any(&field, value);
            }
        }
    }
}
