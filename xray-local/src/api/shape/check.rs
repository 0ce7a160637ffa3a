//! A body held against the members that its operation knows.
//!
//! A member of a wrong type is a `SerializationException`, a missing one or one out of bounds an
//! `InvalidRequestException`. Unknown members are ignored, and `null` counts as absent, as in AWS's own protocols.

use serde_json::Value;

use super::{Kind, Member};

/// Reason for which a body is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShapeError {
    /// A value of another type than the model's.
    Type(String),
    /// A bound that is not kept.
    Bound(String),
}

/// Checks a body.
///
/// # Errors
/// The first member that is missing, of a wrong type, or out of bounds.
pub fn check(members: &[Member], body: &Value) -> Result<(), ShapeError> {
    structure(members, body, "")
}

fn structure(members: &[Member], value: &Value, path: &str) -> Result<(), ShapeError> {
    let Value::Object(object) = value else {
        return Err(wrong_type(path, "an object", value));
    };
    for member in members {
        let own = camel(member.name);
        let path = if path.is_empty() { own } else { format!("{path}.{own}") };
        match object.get(member.name) {
            None | Some(Value::Null) if member.required => {
                return Err(bound(&Value::Null, &path, "Member must not be null"));
            }
            None | Some(Value::Null) => {}
            Some(value) => of_kind(&member.kind, value, &path)?,
        }
    }
    Ok(())
}

fn of_kind(kind: &Kind, value: &Value, path: &str) -> Result<(), ShapeError> {
    match *kind {
        Kind::Text(min, max, form) => {
            let string = value.as_str().ok_or_else(|| wrong_type(path, "a string", value))?;
            length(string.chars().count(), min, max, value, path)?;
            match form.broken_by(string) {
                Some(pattern) => Err(bound(
                    value,
                    path,
                    &format!("Member must satisfy regular expression pattern: {pattern}"),
                )),
                None => Ok(()),
            }
        }
        Kind::OneOf(values) => {
            let string = value.as_str().ok_or_else(|| wrong_type(path, "a string", value))?;
            if values.contains(&string) {
                return Ok(());
            }
            Err(bound(value, path, &format!("Member must satisfy enum value set: [{}]", values.join(", "))))
        }
        Kind::Integer(min, max) => {
            let number = value.as_i64().ok_or_else(|| wrong_type(path, "a whole number", value))?;
            range(number as f64, min, max, value, path)
        }
        Kind::Double(min, max) => {
            let number = value.as_f64().ok_or_else(|| wrong_type(path, "a number", value))?;
            range(number, min, max, value, path)
        }
        Kind::Boolean if value.is_boolean() => Ok(()),
        Kind::Boolean => Err(wrong_type(path, "true or false", value)),
        Kind::Time if value.is_number() => Ok(()),
        Kind::Time => Err(wrong_type(path, "a number of seconds since 1970", value)),
        Kind::List(of, min, max) => {
            let items = value.as_array().ok_or_else(|| wrong_type(path, "a list", value))?;
            length(items.len(), min, max, value, path)?;
            items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| of_kind(of, item, &format!("{path}.{}.member", index + 1)))
        }
        Kind::Strings(min, max, count) => {
            let object = value.as_object().ok_or_else(|| wrong_type(path, "an object", value))?;
            length(object.len(), None, count, value, path)?;
            object.iter().try_for_each(|(key, value)| {
                length(key.chars().count(), min, max, &Value::from(key.as_str()), path)?;
                of_kind(&Kind::Text(min, max, super::Form::Any), value, &format!("{path}.{key}"))
            })
        }
        Kind::Structure(members) => structure(members, value, path),
    }
}

fn length(
    count: usize,
    min: Option<u64>,
    max: Option<u64>,
    value: &Value,
    path: &str,
) -> Result<(), ShapeError> {
    let count = count as u64;
    if let Some(min) = min.filter(|min| count < *min) {
        return Err(bound(value, path, &format!("Member must have length greater than or equal to {min}")));
    }
    match max.filter(|max| count > *max) {
        Some(max) => Err(bound(value, path, &format!("Member must have length less than or equal to {max}"))),
        None => Ok(()),
    }
}

fn range(
    number: f64,
    min: Option<i64>,
    max: Option<i64>,
    value: &Value,
    path: &str,
) -> Result<(), ShapeError> {
    if let Some(min) = min.filter(|min| number < *min as f64) {
        return Err(bound(value, path, &format!("Member must have value greater than or equal to {min}")));
    }
    match max.filter(|max| number > *max as f64) {
        Some(max) => Err(bound(value, path, &format!("Member must have value less than or equal to {max}"))),
        None => Ok(()),
    }
}

fn bound(value: &Value, path: &str, constraint: &str) -> ShapeError {
    let shown = match value {
        Value::Null => "Value null".to_owned(),
        Value::String(string) => format!("Value '{}'", cut(string)),
        other => format!("Value '{}'", cut(&other.to_string())),
    };
    ShapeError::Bound(format!(
        "1 validation error detected: {shown} at '{path}' failed to satisfy constraint: {constraint}"
    ))
}

fn wrong_type(path: &str, expected: &str, value: &Value) -> ShapeError {
    let place = if path.is_empty() { "the body".to_owned() } else { format!("'{path}'") };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    ShapeError::Type(format!("{place} must be {expected}, but is {found}"))
}

/// The first characters of a value: messages need not repeat a whole document.
fn cut(value: &str) -> String {
    match value.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// `GroupName` → `groupName`, as AWS's messages write members.
fn camel(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
