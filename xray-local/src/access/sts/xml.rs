//! The XML of answers and errors.
//!
//! Everything that comes from a request or the store is escaped on its way in.

use std::fmt::Write as _;

use crate::access::identity::AccessKey;
use crate::access::instant;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// An answer: the result's members, and the request's id.
pub(super) fn answer(operation: &str, result: &str, request: &str) -> String {
    format!(
        "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata></{operation}Response>"
    )
}

/// An error.
pub(super) fn error(is_senders: bool, code: &str, message: &str, request: &str) -> String {
    let kind = if is_senders { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request}</RequestId></ErrorResponse>",
        escape(code),
        escape(message)
    )
}

/// `<name>value</name>`, escaped.
pub(super) fn member(name: &str, value: &str) -> String {
    format!("<{name}>{}</{name}>", escape(value))
}

/// The credentials of a session.
pub(super) fn credentials(key: &AccessKey) -> String {
    let expires = key.expires.map(instant::iso).unwrap_or_default();
    let mut members = String::new();
    let _ = write!(
        members,
        "<Credentials>{}{}{}{}</Credentials>",
        member("AccessKeyId", &key.id),
        member("SecretAccessKey", &key.secret),
        member("SessionToken", key.token.as_deref().unwrap_or_default()),
        member("Expiration", &expires)
    );
    members
}

fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no form for other control characters.
            c if c.is_control() && !matches!(c, '\n' | '\t' | '\r') => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}
