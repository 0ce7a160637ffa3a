//! Rules of acceptance: the documents that the service takes, and the codes of those that it refuses.
//!
//! The checks are cheap, and every document passes them. The codes `MissingId`, `MissingTraceId`, `MissingParentId`,
//! `MissingEndTime`, `InvalidName`, `InvalidTraceId` and `InvalidSegment` were seen in answers of the service; the
//! others are formed after them. Unknown members and members of a wrong type are no reason to refuse.

use xray_sdk::TraceId;

use super::document::{Parsed, Span, id_bits};
use crate::model::{Refused, Time, limits};

/// Facts of a document that the store needs before it compiles the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its trace.
    pub trace: TraceId,
    /// Start.
    pub start: Time,
}

/// Accepts or refuses one document.
///
/// # Errors
/// The service's code and message.
pub fn accept(document: &[u8]) -> Result<Accepted, Refused> {
    accept_parsed(document).map(|(accepted, _)| accepted)
}

/// Accepts or refuses one document, and returns its members with its facts.
///
/// # Errors
/// The service's code and message.
pub fn accept_parsed(document: &[u8]) -> Result<(Accepted, Parsed<'_>), Refused> {
    if document.len() > limits::DOCUMENT_BYTES {
        let message = format!(
            "Invalid segment. ErrorCode: InvalidSegment, Cause: the document has {} bytes, {} are accepted",
            document.len(),
            limits::DOCUMENT_BYTES
        );
        return Err(Refused { id: None, code: "InvalidSegment", message });
    }
    let span = match Span::read(document) {
        Ok(Some(span)) => span,
        // An array was answered with `MissingId`, so other values without members are as well.
        Ok(None) => return Err(refuse(None, false, "MissingId")),
        Err(err) => return Err(unreadable(document, &err)),
    };
    // Values that are not looked at here may be deeper than can be returned.
    if let Some(depth) = excessive_depth(document) {
        let message = format!(
            "Invalid segment. ErrorCode: InvalidSegment, Cause: the document has {depth} levels, {} are accepted",
            limits::DOCUMENT_DEPTH
        );
        return Err(Refused { id: span.id.as_deref().map(str::to_owned), code: "InvalidSegment", message });
    }
    let independent = span.is_independent();
    match judge(&span) {
        Ok(accepted) => Ok((accepted, Parsed(span))),
        Err(code) => Err(refuse(span.id.as_deref(), independent, code)),
    }
}

fn judge(span: &Span<'_>) -> Result<Accepted, &'static str> {
    let id = span.id.as_deref().ok_or("MissingId")?;
    id_bits(id).ok_or("InvalidId")?;
    let trace = span.trace_id.as_deref().ok_or("MissingTraceId")?;
    let trace: TraceId = trace.parse().map_err(|_| "InvalidTraceId")?;
    let name = span.name.as_deref().filter(|name| !name.is_empty()).ok_or("MissingName")?;
    let independent = span.is_independent();
    if name.chars().count() > NAME_CHARACTERS || !(independent || name.chars().all(is_name_character)) {
        return Err("InvalidName");
    }
    match span.parent_id.as_deref() {
        None if independent => return Err("MissingParentId"),
        Some(parent) if id_bits(parent).is_none() => return Err("InvalidParentId"),
        _ => {}
    }
    let start = span.start.ok_or("MissingStartTime")?;
    if !is_time(start) {
        return Err("InvalidStartTime");
    }
    match span.end {
        None if !span.in_progress => return Err("MissingEndTime"),
        Some(end) if !is_time(end) => return Err("InvalidEndTime"),
        _ => {}
    }
    Ok(Accepted { trace, start: Time::from_seconds(start) })
}

/// Levels of objects and arrays of a document that is JSON, if these are more than are accepted.
fn excessive_depth(document: &[u8]) -> Option<usize> {
    // A document can't be deeper than its number of brackets, which is quick to count and mostly small.
    if document.iter().filter(|&&byte| byte == b'{' || byte == b'[').count() <= limits::DOCUMENT_DEPTH {
        return None;
    }
    let (mut level, mut deepest, mut in_string, mut is_escaped) = (0_usize, 0, false, false);
    for &byte in document {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' if !in_string => level = level.saturating_sub(1),
            _ => {}
        }
    }
    (deepest > limits::DOCUMENT_DEPTH).then_some(deepest)
}

/// Letters, numbers and whitespace of Unicode, and `_ . : / % & # = + \ - @` (developer guide, "segment documents").
fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "_.:/%&#=+\\-@".contains(character)
}

/// Seconds since 1970 that a trace id's 32 bits can state.
fn is_time(seconds: f64) -> bool {
    (0.0..=f64::from(u32::MAX)).contains(&seconds)
}

fn unreadable(document: &[u8], err: &serde_json::Error) -> Refused {
    let cause = if document.starts_with(b"T1S") || document.starts_with(b"T1U") {
        "an OpenTelemetry batch (T1S, T1U), which only X-Ray itself can read".to_owned()
    } else if err.to_string().starts_with("trailing characters") {
        format!("more than one document, or characters after it: {err}")
    } else {
        format!("not a JSON document: {err}")
    };
    let message = format!("Invalid segment. ErrorCode: InvalidSegment, Cause: {cause}");
    Refused { id: None, code: "InvalidSegment", message }
}

fn refuse(id: Option<&str>, independent: bool, code: &'static str) -> Refused {
    let message = if independent {
        format!("Invalid subsegment. ErrorCode: {code}, Cause: null")
    } else {
        format!("Invalid segment. ErrorCode: {code}")
    };
    Refused { id: id.map(str::to_owned), code, message }
}

/// Characters of a name (developer guide, "segment documents").
const NAME_CHARACTERS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &str = r#"{"name":"shop","id":"70de5b6f19ff9a0a","trace_id":"1-66f1a2b3-0123456789abcdef01234567","start_time":1727112883.125,"end_time":1727112883.25}"#;

    #[test]
    fn a_document_with_the_required_members_is_accepted() {
        let accepted = accept(OK.as_bytes()).unwrap();
        assert_eq!(accepted.trace.to_string(), "1-66f1a2b3-0123456789abcdef01234567");
        assert_eq!(accepted.start, Time(1_727_112_883_125_000));
        for change in [
            (r#""end_time":1727112883.25"#, r#""in_progress":true"#),
            (r#""name":"#, r#""http":7,"unknown":[{"a":{}}],"aws":{"ec2":[]},"name":"#),
            (r#""name":"shop""#, r#""name":"first","name":"shop""#),
            (r#""name":"shop""#, r#""name":"Ж shop_.:/%&#=+\\-@1""#),
            (r#""name":"shop""#, r#""type":"subsegment","parent_id":"0123456789abcdef","name":"a < b""#),
        ] {
            let document = OK.replace(change.0, change.1);
            assert!(accept(document.as_bytes()).is_ok(), "{document}");
        }
    }

    #[test]
    fn a_document_has_at_most_65_536_bytes() {
        let padded = |bytes: usize| {
            let more = |letters: usize| {
                OK.replace(r#""name""#, &format!(r#""metadata":{{"m":"{}"}},"name""#, "x".repeat(letters)))
            };
            more(bytes - more(0).len())
        };
        assert!(accept(padded(65_536).as_bytes()).is_ok());
        let refused = accept(padded(65_537).as_bytes()).unwrap_err();
        assert!(refused.message.contains("has 65537 bytes, 65536 are accepted"), "{}", refused.message);
    }

    #[test]
    fn each_refusal_has_its_code() {
        let long = format!(r#""name":"{}""#, "n".repeat(201));
        for (old, new, code) in [
            (OK, "[]", "MissingId"),
            (OK, "7", "MissingId"),
            (OK, "{}", "MissingId"),
            (OK, "{", "InvalidSegment"),
            (OK, "plain text", "InvalidSegment"),
            (OK, "T1SAAAA", "InvalidSegment"),
            (r#""id":"70de5b6f19ff9a0a""#, r#""id":7"#, "MissingId"),
            ("70de5b6f19ff9a0a", "70de5b6f19ff9a0", "InvalidId"),
            ("70de5b6f19ff9a0a", "+0de5b6f19ff9a0a", "InvalidId"),
            ("trace_id", "traceid", "MissingTraceId"),
            ("1-66f1a2b3-", "66f1a2b3", "InvalidTraceId"),
            (r#""name":"shop","#, "", "MissingName"),
            (r#""name":"shop""#, r#""name":"""#, "MissingName"),
            (r#""name":"shop""#, r#""name":"shop?""#, "InvalidName"),
            (r#""name":"shop""#, &long, "InvalidName"),
            (r#""name""#, r#""type":"subsegment","name""#, "MissingParentId"),
            (r#""name""#, r#""parent_id":"x","name""#, "InvalidParentId"),
            (r#""start_time":1727112883.125"#, r#""start_time":"1727112883""#, "MissingStartTime"),
            (r#""start_time":1727112883.125"#, r#""start_time":-1"#, "InvalidStartTime"),
            (r#","end_time":1727112883.25"#, "", "MissingEndTime"),
            (r#""end_time":1727112883.25"#, r#""end_time":1e300"#, "InvalidEndTime"),
        ] {
            let document = OK.replace(old, new);
            let refused = accept(document.as_bytes()).expect_err(&document);
            assert_eq!(refused.code, code, "{document}");
            assert!(refused.message.contains(code), "{}", refused.message);
        }
        let twice = format!("{OK}\n{OK}");
        assert!(accept(twice.as_bytes()).unwrap_err().message.contains("more than one document"));
        let large = OK.replace("shop", &"s".repeat(limits::DOCUMENT_BYTES));
        assert_eq!(accept(large.as_bytes()).unwrap_err().code, "InvalidSegment");
        assert_eq!(
            accept(OK.replace("shop", "s?").as_bytes()).unwrap_err().id.as_deref(),
            Some("70de5b6f19ff9a0a")
        );
        assert_eq!(accept(b"{\"id\":\"\xff\"}").unwrap_err().code, "InvalidSegment");
    }

    #[test]
    fn a_document_that_is_too_deep_to_be_returned_is_refused() {
        let nested = |levels: usize| {
            let metadata = format!(r#""metadata":{}1{},"name""#, "[".repeat(levels), "]".repeat(levels));
            OK.replace(r#""name""#, &metadata)
        };
        let deepest = nested(limits::DOCUMENT_DEPTH - 1);
        assert!(accept(deepest.as_bytes()).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(&deepest).is_ok());
        for levels in [limits::DOCUMENT_DEPTH, 5_000] {
            let refused = accept(nested(levels).as_bytes()).unwrap_err();
            assert_eq!((refused.code, refused.id.as_deref()), ("InvalidSegment", Some("70de5b6f19ff9a0a")));
            assert!(refused.message.contains(&format!("{} levels", levels + 1)), "{}", refused.message);
        }
        let brackets = format!(r#""user":"\\\"{}","name""#, "{[".repeat(500));
        assert!(accept(OK.replace(r#""name""#, &brackets).as_bytes()).is_ok());
    }

    #[test]
    fn the_message_of_a_subsegment_is_the_services() {
        let document = OK.replace(r#""name":"shop""#, r#""name":"","type":"subsegment""#);
        assert_eq!(
            accept(document.as_bytes()).unwrap_err().message,
            "Invalid subsegment. ErrorCode: MissingName, Cause: null"
        );
    }
}
