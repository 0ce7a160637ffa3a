//! Values that serialize, within the bounds of a member: `serde`'s side of a body.

use std::borrow::Cow;

use serde_json::Value;

use super::limits::{MAX_DEPTH, MAX_VALUE};
use super::truncation::Written;
use crate::json::{Buffer, string_token_len};

/// Returns how deep a JSON value nests.
fn depth_of(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0_usize, 0, 0);
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => at += string_token_len(&json[at..]) - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
        at += 1;
    }
    deepest
}

/// Serializes a value, and stops as soon as it is larger than [`MAX_VALUE`].
pub(super) fn put_serialized(out: &mut Buffer, value: &(impl serde_core::Serialize + ?Sized)) -> Written {
    struct Bounded<'a> {
        out: &'a mut Vec<u8>,
        until: usize,
    }
    impl std::io::Write for Bounded<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.out.len() + bytes.len() > self.until {
                return Err(std::io::ErrorKind::FileTooLarge.into());
            }
            self.out.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let until = out.len() + MAX_VALUE;
    let start = out.len();
    match serde_json::to_writer(Bounded { out: out.bytes_mut(), until }, value) {
        Ok(()) if depth_of(&out.as_bytes()[start..]) <= MAX_DEPTH => Written::Whole,
        _ => Written::Nothing,
    }
}

type Look<'l> = dyn for<'a> Fn(&str, &'a str) -> Cow<'a, str> + 'l;

/// Serializes a value, after passing each scalar in it to `look`.
pub(super) fn put_looked_at(
    out: &mut Buffer,
    key: &str,
    value: &(impl serde_core::Serialize + ?Sized),
    look: &Look<'_>,
) -> Written {
    let start = out.len();
    if put_serialized(out, value) == Written::Nothing {
        return Written::Nothing;
    }
    let Ok(mut value) = serde_json::from_slice(&out.as_bytes()[start..]) else { return Written::Nothing };
    if replace(&mut value, key, look) {
        out.truncate(start);
        return put_serialized(out, &value);
    }
    Written::Whole
}

/// Replaces values by what `look` returns. Returns whether any changed. Nests no deeper than [`MAX_DEPTH`].
fn replace(value: &mut Value, key: &str, look: &Look<'_>) -> bool {
    match value {
        Value::Array(items) => items.iter_mut().fold(false, |new, item| replace(item, key, look) | new),
        Value::Object(members) => {
            members.iter_mut().fold(false, |new, (key, member)| replace(member, key, look) | new)
        }
        Value::Null => false,
        Value::String(text) => match look(key, text) {
            same if same == *text => false,
            other => {
                *text = other.into_owned();
                true
            }
        },
        Value::Bool(_) | Value::Number(_) => {
            let text = value.to_string();
            match look(key, &text) {
                same if same == text => false,
                other => {
                    *value = Value::String(other.into_owned());
                    true
                }
            }
        }
    }
}

/// Appends a string of at most [`MAX_VALUE`] encoded bytes.
#[inline]
pub(super) fn put_text_value(out: &mut Buffer, value: &str) -> Written {
    // No byte takes more than six once it is escaped.
    if value.len() <= MAX_VALUE / 6 {
        out.put_string(value);
        return Written::Whole;
    }
    Written::cut_if(out.put_display_within(value, MAX_VALUE))
}
