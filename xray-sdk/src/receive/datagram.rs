//! A datagram into its header line and its document, exactly as the daemon does it (version 3.6.6, and the
//! OpenTelemetry collector's receiver after it).
//!
//! A pure function over bytes: no socket, no log. The document is not looked into: the daemon forwards whatever
//! follows the first line feed, broken or not.

use std::fmt;

use serde_core::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// Returns the document of a datagram: all that follows the first line feed, unchanged.
///
/// The line before it has to be a JSON object whose `format` is `json` in any case and whose `version` is the
/// integer 1. Names of keys match in any case, other keys are ignored, and so are blanks around the object.
///
/// ```
/// use xray_sdk::receive::{InvalidDatagram, document};
///
/// assert_eq!(document(b"{\"format\":\"json\",\"version\":1}\n{}"), Ok(&b"{}"[..]));
/// assert_eq!(document(b"{\"format\":\"json\",\"version\":2}\n{}"), Err(InvalidDatagram::BadVersion));
/// ```
///
/// # Errors
/// [`InvalidDatagram`] when the daemon would log the datagram and drop it; the sender is at fault.
pub fn document(datagram: &[u8]) -> Result<&[u8], InvalidDatagram> {
    if let Some(document) = usual(datagram) {
        return Ok(document);
    }
    let line_feed = datagram.iter().position(|&byte| byte == b'\n').ok_or(InvalidDatagram::NoHeader)?;
    let (header, document) = (&datagram[..line_feed], &datagram[line_feed + 1..]);
    if document.is_empty() {
        return Err(InvalidDatagram::NoDocument);
    }
    // The daemon's JSON reader takes bad bytes inside strings for replacement characters.
    let header: Header =
        serde_json::from_str(&String::from_utf8_lossy(header)).map_err(|_| InvalidDatagram::BadHeader)?;
    if !header.format.is_some_and(|format| format.eq_ignore_ascii_case("json")) {
        return Err(InvalidDatagram::BadFormat);
    }
    if header.version != Some(1) {
        return Err(InvalidDatagram::BadVersion);
    }
    Ok(document)
}

/// The reason why the daemon drops a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvalidDatagram {
    /// There is no line feed, so nothing separates a header from a document.
    NoHeader,
    /// Nothing follows the first line feed.
    NoDocument,
    /// The first line is not one JSON object.
    BadHeader,
    /// The header's `format` is absent or not `json`.
    BadFormat,
    /// The header's `version` is absent or not the integer 1.
    BadVersion,
}

impl fmt::Display for InvalidDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHeader => "no line feed between header and document",
            Self::NoDocument => "no document after the header line",
            Self::BadHeader => "the header line is not a JSON object",
            Self::BadFormat => "the header's `format` is not \"json\"",
            Self::BadVersion => "the header's `version` is not the integer 1",
        })
    }
}

impl std::error::Error for InvalidDatagram {}

/// The document behind a header line as SDKs write it, byte for byte, without a JSON reader.
fn usual(datagram: &[u8]) -> Option<&[u8]> {
    let document = USUAL.iter().find_map(|header| datagram.strip_prefix(*header))?;
    (!document.is_empty()).then_some(document)
}

/// Header lines of the official SDKs and ours, with and without blanks.
const USUAL: [&[u8]; 2] =
    [b"{\"format\":\"json\",\"version\":1}\n", b"{\"format\": \"json\", \"version\": 1}\n"];

/// The header line. A value of the wrong type leaves its field as it was, as in the daemon, where such errors go
/// unread: of two `version` keys the last well-typed one wins.
#[derive(Default)]
struct Header {
    format: Option<String>,
    version: Option<i64>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lenient;

        impl<'de> Visitor<'de> for Lenient {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the header object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header::default();
                while let Some(key) = map.next_key::<String>()? {
                    if key.eq_ignore_ascii_case("format") {
                        if let Value::String(format) = map.next_value()? {
                            header.format = Some(format);
                        }
                    } else if key.eq_ignore_ascii_case("version") {
                        // 1.0 and 1e0 are numbers, but no integers: both leave the field unset.
                        if let Some(version) = map.next_value::<Value>()?.as_i64() {
                            header.version = Some(version);
                        }
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(header)
            }
        }

        deserializer.deserialize_map(Lenient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: &str = r#"{"name":"shop"}"#;

    #[test]
    fn datagrams_the_daemon_takes_yield_their_document() {
        for header in [
            r#"{"format":"json","version":1}"#,
            r#"{"format": "json", "version": 1}"#,
            r#"{ "format" : "json" , "version" : 1 }"#,
            r#"{"version":1,"format":"json"}"#,
            r#"{"format":"json","version":1,"extra":[{"a":null}],"huge":1e999}"#,
            r#"{"FORMAT":"json","Version":1}"#,
            r#"{"format":"JSON","version":1}"#,
            " \t{\"format\":\"json\",\"version\":1} \t",
            "{\"format\":\"json\",\"version\":1}\r",
            r#"{"format":"json","version":2,"version":1}"#,
            r#"{"format":"json","version":1,"version":"x"}"#,
            r#"{"format":"json","version":1,"version":1.0,"version":null}"#,
            r#"{"format":7,"format":"json","format":null,"version":1}"#,
        ] {
            let datagram = format!("{header}\n{SEGMENT}");
            assert_eq!(document(datagram.as_bytes()), Ok(SEGMENT.as_bytes()), "{header}");
        }
    }

    #[test]
    fn a_header_with_bad_bytes_in_a_string_is_read_as_the_daemon_reads_it() {
        assert_eq!(document(b"{\"format\":\"json\",\"version\":1,\"x\":\"\xff\"}\n{}"), Ok(&b"{}"[..]));
    }

    #[test]
    fn the_document_is_everything_after_the_first_line_feed_untouched() {
        for body in ["\n{}", "{}\n", " ", "{}\n{}", "[{},{}]", "plain", "{}{}", "\0\x01", "\r\n"] {
            let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{body}");
            assert_eq!(document(datagram.as_bytes()), Ok(body.as_bytes()), "{body:?}");
        }
    }

    #[test]
    fn datagrams_the_daemon_drops_say_why() {
        use InvalidDatagram::*;
        for (datagram, why) in [
            ("", NoHeader),
            (r#"{"format":"json","version":1}"#, NoHeader),
            (SEGMENT, NoHeader),
            (r#"{"format":"json","version":1}{"name":"shop"}"#, NoHeader),
            ("{\"format\":\"json\",\"version\":1}\r{\"name\":\"shop\"}", NoHeader),
            ("{\"format\":\"json\",\"version\":1}\n", NoDocument),
            ("{\"format\": \"json\", \"version\": 1}\n", NoDocument),
            ("\n", NoDocument),
            ("\n{\"format\":\"json\",\"version\":1}\n{}", BadHeader),
            ("{\n\"name\":\"shop\"}", BadHeader),
            ("\u{feff}{\"format\":\"json\",\"version\":1}\n{}", BadHeader),
            ("[\"json\",1]\n{}", BadHeader),
            ("{\"format\":\"json\",\"version\":1} x\n{}", BadHeader),
            ("{\"format\":\"xml\",\"version\":1}\n{}", BadFormat),
            ("{\"version\":1}\n{}", BadFormat),
            ("{\"format\":null,\"version\":1}\n{}", BadFormat),
            ("{\"format\":\"json\",\"version\":2}\n{}", BadVersion),
            ("{\"format\":\"json\"}\n{}", BadVersion),
            ("{\"format\":\"json\",\"version\":\"1\"}\n{}", BadVersion),
            ("{\"format\":\"json\",\"version\":1.0}\n{}", BadVersion),
            ("{\"format\":\"json\",\"version\":1e0}\n{}", BadVersion),
            ("{\"format\":\"json\",\"version\":1,\"version\":2}\n{}", BadVersion),
        ] {
            assert_eq!(document(datagram.as_bytes()), Err(why), "{datagram:?}");
        }
    }
}
