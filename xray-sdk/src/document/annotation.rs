//! [`AnnotationValue`]: X-Ray indexes strings, numbers and booleans, nothing nested.

use std::borrow::Cow;

use super::limits::MAX_ANNOTATION_VALUE;
use super::truncation::Written;
use crate::json::Buffer;

/// A value that X-Ray indexes. Every scalar type converts into it.
///
/// ```
/// use xray_sdk::document::AnnotationValue;
///
/// assert_eq!(AnnotationValue::from(7), AnnotationValue::I64(7));
/// assert_eq!(AnnotationValue::from("blue"), AnnotationValue::Str("blue".into()));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnnotationValue<'a> {
    /// A string; at most [`MAX_ANNOTATION_VALUE`](super::MAX_ANNOTATION_VALUE) characters are kept.
    Str(Cow<'a, str>),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    I64(i64),
    /// A whole number that may be above `i64::MAX`.
    U64(u64),
    /// A number. NaN and the infinities have no JSON form and are left out.
    F64(f64),
}

impl AnnotationValue<'_> {
    pub(super) fn put(&self, out: &mut Buffer) -> Written {
        match self {
            Self::Str(text) => return Written::cut_if(out.put_string_within(text, MAX_ANNOTATION_VALUE)),
            Self::Bool(value) => out.put_bool(*value),
            Self::I64(value) => out.put_int(*value),
            Self::U64(value) => out.put_int(*value),
            Self::F64(value) if !out.put_float(*value) => return Written::Nothing,
            Self::F64(_) => {}
        }
        Written::Whole
    }
}

macro_rules! convert {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for AnnotationValue<'_> {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

convert! {
    bool => Bool,
    i8 => I64, i16 => I64, i32 => I64, i64 => I64,
    u8 => U64, u16 => U64, u32 => U64, u64 => U64,
    f32 => F64, f64 => F64,
    String => Str,
}

impl From<isize> for AnnotationValue<'_> {
    fn from(value: isize) -> Self {
        Self::I64(value as i64)
    }
}

impl From<usize> for AnnotationValue<'_> {
    fn from(value: usize) -> Self {
        Self::U64(value as u64)
    }
}

impl<'a> From<&'a str> for AnnotationValue<'a> {
    fn from(value: &'a str) -> Self {
        Self::Str(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a String> for AnnotationValue<'a> {
    fn from(value: &'a String) -> Self {
        Self::Str(Cow::Borrowed(value))
    }
}

impl<'a> From<Cow<'a, str>> for AnnotationValue<'a> {
    fn from(value: Cow<'a, str>) -> Self {
        Self::Str(value)
    }
}
