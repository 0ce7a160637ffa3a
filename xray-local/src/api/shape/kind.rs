//! Types of members, in a form that a table can be written in.
//!
//! A type can also be written out in one line, by which tests compare the table with the public model.

use std::fmt::Write as _;

/// A member of a request.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The name.
    pub name: &'static str,
    /// True if it has to be there.
    pub required: bool,
    /// Type of the value.
    pub kind: Kind,
}

/// Type of a member's value. Bounds are those of the model, `None` without.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A string with bounds of its length, in characters.
    Text(Option<u64>, Option<u64>, Form),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A whole number.
    Integer(Option<i64>, Option<i64>),
    /// A number.
    Double(Option<i64>, Option<i64>),
    /// `true` or `false`.
    Boolean,
    /// Seconds since 1970, with a fraction.
    Time,
    /// A list with bounds of its length.
    List(&'static Self, Option<u64>, Option<u64>),
    /// Strings by string, with bounds of both and of their number.
    Strings(Option<u64>, Option<u64>, Option<u64>),
    /// An object.
    Structure(&'static [Member]),
}

/// Patterns that strings of the model have to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any characters.
    Any,
    /// Letters, digits and `_+=,.@-`.
    PolicyName,
    /// A UUID.
    Uuid,
}

impl Form {
    fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::PolicyName => Some("[\\w+=,.@-]+"),
            Self::Uuid => Some(
                "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}",
            ),
        }
    }

    /// The pattern, if the string does not match it.
    pub(super) fn broken_by(self, string: &str) -> Option<&'static str> {
        let is_match = match self {
            Self::Any => true,
            Self::PolicyName => {
                !string.is_empty()
                    && string.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
            }
            Self::Uuid => is_uuid(string.as_bytes()),
        };
        if is_match { None } else { self.pattern() }
    }
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => (b'1'..=b'5').contains(byte),
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b' | b'A' | b'B'),
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Members in one line, in the form of `tests/it/model.txt`.
pub fn describe(members: &[Member]) -> String {
    let mut sorted: Vec<&Member> = members.iter().collect();
    sorted.sort_by_key(|member| member.name);
    let parts: Vec<String> = sorted
        .into_iter()
        .map(|member| {
            format!("{}{}:{}", member.name, if member.required { "*" } else { "" }, of_kind(&member.kind))
        })
        .collect();
    format!("{{{}}}", parts.join(", "))
}

fn of_kind(kind: &Kind) -> String {
    match *kind {
        Kind::Text(min, max, form) => {
            let mut text = format!("string{}", bounds(min, max));
            if let Some(pattern) = form.pattern() {
                let _ = write!(text, " pattern={pattern}");
            }
            text
        }
        Kind::OneOf(values) => format!("string {}", values.join("|")),
        Kind::Integer(min, max) => format!("integer{}", bounds(min, max)),
        Kind::Double(min, max) => format!("double{}", bounds(min, max)),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Time => "timestamp".to_owned(),
        Kind::List(of, min, max) => format!("[{}]{}", of_kind(of), bounds(min, max)),
        Kind::Strings(min, max, count) => {
            format!("<string{}>{}", bounds(min, max), bounds(None::<u64>, count))
        }
        Kind::Structure(members) => describe(members),
    }
}

fn bounds<T: std::fmt::Display>(min: Option<T>, max: Option<T>) -> String {
    let part =
        |name: &str, value: Option<T>| value.map(|value| format!(" {name}={value}")).unwrap_or_default();
    format!("{}{}", part("min", min), part("max", max))
}
