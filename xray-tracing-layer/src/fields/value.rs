//! A field's value of any type that `tracing` passes, as JSON, as a string, or as a number.
//!
//! Called by the visitors. User code runs here (`Debug`, `Display`), so no lock may be held.

use std::error::Error;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use xray_sdk::document::internal::{Buffer, Section, Written};
use xray_sdk::document::{MAX_ANNOTATION_VALUE, MAX_VALUE};

use crate::fields::sanitize::free_text::{free_text, may_hold_secret};
use crate::fields::sanitize::written::put_clean;

/// A field's value.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Str(&'a str),
    I64(i64),
    U64(u64),
    F64(f64),
    Bool(bool),
    Display(&'a dyn fmt::Debug),
}

impl Value<'_> {
    /// Appends the value as JSON. Text loses the secrets that are found in it.
    #[inline]
    pub(crate) fn put(self, out: &mut Buffer, place: Section, keep_query: bool) -> Written {
        let annotation = place == Section::Annotation;
        match self {
            Self::Str(text) if may_hold_secret(text.as_bytes()) => {
                return Value::Str(&free_text(text, keep_query)).put_text(out, annotation);
            }
            Self::Str(_) => return self.put_text(out, annotation),
            Self::I64(value) => out.put_int(value),
            Self::U64(value) => out.put_int(value),
            Self::Bool(value) => out.put_bool(value),
            Self::F64(value) if !out.put_float(value) => return Written::Nothing,
            Self::F64(_) => {}
            Self::Display(value) => {
                // A string has at least as many bytes as characters, so the bound holds in both.
                let max = if annotation { MAX_ANNOTATION_VALUE } else { MAX_VALUE };
                return Written::cut_if(put_clean(out, format_args!("{value:?}"), max, keep_query));
            }
        }
        Written::Whole
    }

    #[inline]
    fn put_text(self, out: &mut Buffer, annotation: bool) -> Written {
        let Self::Str(text) = self else { return Written::Nothing };
        if annotation {
            return Written::cut_if(out.put_string_within(text, MAX_ANNOTATION_VALUE));
        }
        if text.len() > MAX_VALUE / 6 {
            return Written::cut_if(out.put_display_within(text, MAX_VALUE));
        }
        out.put_string(text);
        Written::Whole
    }

    /// Passes the value as a string. Only values that are not strings allocate.
    pub(crate) fn with_text<R>(self, look: impl FnOnce(&str) -> R) -> R {
        match self {
            Self::Str(text) => look(text),
            _ => {
                // Most values are shorter, and take one allocation.
                let mut text = String::with_capacity(64);
                BoundedText::after(&mut text).write_value(self);
                look(&text)
            }
        }
    }

    pub(crate) fn as_u64(self) -> Option<u64> {
        match self {
            Self::U64(value) => Some(value),
            Self::I64(value) => value.try_into().ok(),
            Self::F64(value) if value >= 0.0 && value.fract() == 0.0 => Some(value as u64),
            Self::F64(_) | Self::Bool(_) => None,
            // `404 Not Found` is a status too.
            Self::Str(_) | Self::Display(_) => self.with_text(|text| {
                let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
                text[..end].parse().ok()
            }),
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(value) => f.write_str(value),
            Self::I64(value) => value.fmt(f),
            Self::U64(value) => value.fmt(f),
            Self::F64(value) => value.fmt(f),
            Self::Bool(value) => value.fmt(f),
            // `tracing` passes `%value` and `?value` in this form.
            Self::Display(value) => write!(f, "{value:?}"),
        }
    }
}

/// Appends to a string and silently stops at [`MAX_VALUE`].
pub(crate) struct BoundedText<'a> {
    string: &'a mut String,
    until: usize,
}

impl<'a> BoundedText<'a> {
    pub(crate) fn after(string: &'a mut String) -> Self {
        let until = string.len() + MAX_VALUE;
        Self { string, until }
    }
}

impl BoundedText<'_> {
    /// Writes what a value displays, as far as there is room. A value that panics, or unwraps the end of its room, ends
    /// there.
    pub(crate) fn write_value(mut self, value: Value<'_>) {
        let written = catch_unwind(AssertUnwindSafe(|| write!(self, "{value}")));
        if written.is_err() && self.string.len() + PANICKED.len() <= self.until {
            self.string.push_str(PANICKED);
        }
    }
}

/// The end of a string that a panic ended.
const PANICKED: &str = "…";

impl Write for BoundedText<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.until.saturating_sub(self.string.len());
        let fits = text.floor_char_boundary(room);
        self.string.push_str(&text[..fits]);
        // What follows would be formatted for nothing.
        if fits < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

pub(crate) struct DebugAsDisplay<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Debug for DebugAsDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Implements the methods of a visitor that treats every type alike.
macro_rules! visit {
    ($($method:ident: $type:ty => $variant:ident),*) => {$(
        #[inline]
        fn $method(&mut self, field: &Field, value: $type) {
            self.put(field, Value::$variant(value));
        }
    )*};
}

pub(crate) use visit;
