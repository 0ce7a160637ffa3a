//! Commands of stores that speak no SQL: the command's word and a `?` for each argument, or JSON's keys.
//!
//! Argument and value are the user's, whatever they look like; only the first word is the store's. JSON keeps
//! its keys, as far as they look like names. JSON that can't be read is left out.

use std::fmt::{self, Write};

use serde_json::Value;

/// Writes a command without its arguments. Writes nothing if its form is not understood.
pub(crate) fn write_command(text: &str, out: &mut impl Write) -> fmt::Result {
    let text = text.trim_ascii();
    if text.starts_with(['{', '[']) {
        let read = (text.len() <= MAX_JSON).then(|| serde_json::from_str(text));
        return match read {
            Some(Ok(value)) => write_json(&value, out),
            _ => Ok(()),
        };
    }
    let mut words = text.split_ascii_whitespace();
    let Some(command) = words.next().filter(|word| is_command(word)) else { return Ok(()) };
    out.write_str(command)?;
    for (count, _) in words.enumerate() {
        if count == MAX_ARGUMENTS {
            return out.write_str(" …");
        }
        out.write_str(" ?")?;
    }
    Ok(())
}

fn write_json(value: &Value, out: &mut impl Write) -> fmt::Result {
    match value {
        Value::Object(members) => {
            out.write_char('{')?;
            let mut separator = "";
            for (key, value) in members {
                let key = if is_key(key) { key } else { "?" };
                write!(out, "{separator}\"{key}\":")?;
                write_json(value, out)?;
                separator = ",";
            }
            out.write_char('}')
        }
        Value::Array(items) => {
            out.write_char('[')?;
            let mut separator = "";
            for item in items {
                out.write_str(separator)?;
                write_json(item, out)?;
                separator = ",";
            }
            out.write_char(']')
        }
        _ => out.write_char('?'),
    }
}

/// Returns whether a word is one that commands have: `GET`, `CONFIG`, `FT.SEARCH`, `find`, `listDatabases`.
fn is_command(word: &str) -> bool {
    word.len() <= 32
        && word.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Returns whether a key is a name or an operator (`$set`, `user.address`), and not data.
fn is_key(key: &str) -> bool {
    key.len() <= 64
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'$'))
}

/// Arguments that are counted.
const MAX_ARGUMENTS: usize = 16;

/// Longest JSON that is read, in bytes.
const MAX_JSON: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_keeps_its_word_and_json_its_keys() {
        for (text, expected) in [
            ("SET user:17 hunter2", "SET ? ?"),
            ("AUTH hunter2", "AUTH ?"),
            ("get  hunter2\r\n", "get ?"),
            ("CONFIG SET requirepass hunter2", "CONFIG ? ? ?"),
            ("FT.SEARCH idx \"a b\"", "FT.SEARCH ? ? ?"),
            ("PING", "PING"),
            ("hunter2", ""),
            ("hunter2 x", ""),
            ("", ""),
            (r#"{"find":"users"}"#, r#"{"find":?}"#),
            (r#"{"filter":{"$or":[{"n1":1},null]}}"#, r#"{"filter":{"$or":[{"n1":?},?]}}"#),
            (r#"{"a@b":1}"#, r#"{"?":?}"#),
            (r#"{"find":"users""#, ""),
            (r#"[1,"x"]"#, "[?,?]"),
        ] {
            let mut written = String::new();
            write_command(text, &mut written).unwrap();
            assert_eq!(written, expected, "{text}");
        }
        let mut many = String::new();
        write_command(&format!("DEL{}", " k".repeat(100)), &mut many).unwrap();
        assert_eq!(many, format!("DEL{} …", " ?".repeat(MAX_ARGUMENTS)));
    }
}
