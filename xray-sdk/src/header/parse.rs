//! Parsing of [`TraceHeader`]. The input may come from anyone on the internet: parsing takes bounded time, at most one
//! small allocation, and ends in a header or an error. Called through `FromStr`.

use std::fmt;
use std::str::FromStr;

use super::decision::SamplingDecision;
use super::trace_header::{Extras, MAX_EXTRAS, TraceHeader};
use crate::id::{SegmentId, TraceId};
use crate::text::text_form;

impl FromStr for TraceHeader {
    type Err = ParseHeaderError;

    /// Uses the first valid one of repeated parts, and ignores an invalid `Parent` or `Sampled`.
    ///
    /// A `Root` of all zeros is how the Go and Python SDKs say "not recorded", so it is valid beside `Sampled=0`
    /// and nowhere else.
    fn from_str(text: &str) -> Result<Self, ParseHeaderError> {
        if let Some(header) = usual(text) {
            return Ok(header);
        }
        let (mut root, mut parent, mut sampled) =
            (None::<TraceId>, None::<SegmentId>, None::<SamplingDecision>);
        let mut extras = String::new();
        for part in bounded(text).split(';') {
            // The equals sign is near: walking there takes a third of what `split_once` takes.
            let Some(equals) = part.bytes().position(|byte| byte == b'=') else { continue };
            let (key, value) = (part[..equals].trim_ascii(), part[equals + 1..].trim_ascii());
            if key.eq_ignore_ascii_case("Root") {
                root = root.or_else(|| value.parse().ok());
            } else if key.eq_ignore_ascii_case("Parent") {
                parent = parent.or_else(|| value.parse().ok().filter(|id: &SegmentId| !id.is_zero()));
            } else if key.eq_ignore_ascii_case("Sampled") {
                sampled = sampled.or_else(|| value.parse().ok());
            } else if !key.eq_ignore_ascii_case("Self") {
                keep(&mut extras, key, value);
            }
        }
        let sampled = sampled.unwrap_or_default();
        let root = root
            .filter(|root| !root.is_zero() || sampled == SamplingDecision::NotSampled)
            .ok_or(ParseHeaderError::NoRoot)?;
        let extras = (!extras.is_empty()).then(|| Extras(extras.into()));
        let header = Self::new(root).with_sampled(sampled).with_extras(extras);
        Ok(match parent {
            Some(parent) => header.with_parent(parent),
            None => header,
        })
    }
}

/// Reads a header as most are written; `None` for any other.
///
/// Load balancers write a root alone, SDKs root, parent and decision.
fn usual(text: &str) -> Option<TraceHeader> {
    let (root, rest) = text.strip_prefix("Root=")?.split_at_checked(TraceId::LEN)?;
    let header = TraceHeader::new(root.parse().ok().filter(|root: &TraceId| !root.is_zero())?);
    if rest.is_empty() {
        return Some(header);
    }
    let (parent, rest) = rest.strip_prefix(";Parent=")?.split_at_checked(SegmentId::LEN)?;
    let header = header.with_parent(parent.parse().ok().filter(|id: &SegmentId| !id.is_zero())?);
    Some(header.with_sampled(rest.strip_prefix(";Sampled=")?.parse().ok()?))
}

/// The reason why a string is not a trace header. The sender is at fault; begin a new trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseHeaderError {
    /// No `Root` part holds a trace id.
    NoRoot,
}

impl fmt::Display for ParseHeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoot => "trace header has no valid `Root`, expected `Root=1-<8 hex>-<24 hex>`",
        })
    }
}

impl std::error::Error for ParseHeaderError {}

/// The whole parts within the first [`MAX_TEXT`] bytes.
fn bounded(text: &str) -> &str {
    match text.as_bytes().get(..=MAX_TEXT) {
        None => text,
        // A semicolon is one byte and no part of another character, so the cut is at a boundary.
        Some(head) => head.iter().rposition(|byte| *byte == b';').map_or("", |end| &text[..end]),
    }
}

/// Appends a part that is to be passed on, if it may be and there is room.
fn keep(extras: &mut String, key: &str, value: &str) {
    let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let separator = usize::from(!extras.is_empty());
    let room = MAX_EXTRAS - extras.len();
    if key.is_empty() || separator + key.len() + 1 + value.len() > room || !visible(key) || !visible(value) {
        return;
    }
    if separator == 1 {
        extras.push(';');
    }
    extras.push_str(key);
    extras.push('=');
    extras.push_str(value);
}

/// Bytes of a header that are parsed. An honest one has some hundred; load balancers rewrite requests
/// whose headers exceed 7 KB in total.
const MAX_TEXT: usize = 4096;

text_form!(TraceHeader, ParseHeaderError, "a trace header: Root=…;Parent=…;Sampled=…");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOT: &str = "Root=1-66f1a2b3-0123456789abcdef01234567";

    /// What comes out when the header is written again.
    fn reread(text: &str) -> String {
        text.parse::<TraceHeader>().map_or_else(|err| err.to_string(), |header| header.to_string())
    }

    #[test]
    fn headers_are_read_as_the_official_sdks_together_would() {
        let no_root = "trace header has no valid `Root`, expected `Root=1-<8 hex>-<24 hex>`";
        for (text, expected) in [
            // All of it, and each part's absence.
            (
                format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1"),
                format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1"),
            ),
            (ROOT.to_owned(), ROOT.to_owned()),
            (format!("Sampled=0;{ROOT}"), format!("{ROOT};Sampled=0")),
            // Blanks, case, order.
            (format!(" {ROOT} ; Sampled=? "), format!("{ROOT};Sampled=?")),
            (
                format!("{ROOT};\tPARENT = 53995C3F42CD8AD8 ;sampled= 0\r\n"),
                format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=0"),
            ),
            // What load balancers, Java and Go leave behind.
            (format!("Self=1-66f1a2b4-aaaaaaaaaaaaaaaaaaaaaaaa;{ROOT}"), ROOT.to_owned()),
            (format!("{ROOT};;junk;Sampled=0;"), format!("{ROOT};Sampled=0")),
            (format!("{ROOT};"), ROOT.to_owned()),
            (format!("{ROOT};Sampled="), ROOT.to_owned()),
            // Invalid parts.
            (format!("{ROOT};Parent=53995c3f;Sampled=yes"), ROOT.to_owned()),
            (format!("{ROOT};Parent=0000000000000000"), ROOT.to_owned()),
            ("Root=1-66f1a2b3;Sampled=1".to_owned(), no_root.to_owned()),
            ("Sampled=1".to_owned(), no_root.to_owned()),
            (String::new(), no_root.to_owned()),
            // Repeated parts: the first valid one.
            (format!("Root=1;{ROOT};Root=1-00000001-aaaaaaaaaaaaaaaaaaaaaaaa"), ROOT.to_owned()),
            (format!("{ROOT};Sampled=x;Sampled=1;Sampled=0"), format!("{ROOT};Sampled=1")),
            // Zeros for "not recorded".
            (
                "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0".to_owned(),
                "Root=1-00000000-000000000000000000000000;Sampled=0".to_owned(),
            ),
            ("Root=1-00000000-000000000000000000000000;Sampled=1".to_owned(), no_root.to_owned()),
            ("Root=1-00000000-000000000000000000000000".to_owned(), no_root.to_owned()),
        ] {
            assert_eq!(reread(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn unknown_parts_are_passed_on_byte_for_byte() {
        for (parts, kept) in [
            ("Lineage=a87bd80c:1|68fd508a:5", "Lineage=a87bd80c:1|68fd508a:5"),
            ("CalledFrom=app;Sampled=1;Lineage=10:1234abcd:3", "CalledFrom=app;Lineage=10:1234abcd:3"),
            (" k = v=w== ;K=2;k=", "k=v=w==;K=2;k="),
            ("=v; =;Self=x;SELF=y", ""),
            ("a=b c;d=\u{e9};e=\r\nX-Evil: 1;f\0=1;g=\u{7f};h=ok", "h=ok"),
        ] {
            let header: TraceHeader = format!("{ROOT};{parts}").parse().unwrap();
            assert_eq!(header.extras(), kept, "{parts:?}");
        }
    }

    #[test]
    fn extras_are_whole_parts_within_their_bound() {
        let part = |len: usize| format!("k={}", "v".repeat(len - 2));
        for (parts, kept) in [
            (part(256), part(256)),
            (part(257), String::new()),
            (format!("{};{}", part(200), part(55)), format!("{};{}", part(200), part(55))),
            (format!("{};{}", part(200), part(56)), part(200)),
            // One that doesn't fit makes room for a later one that does.
            (format!("{};Lineage=a:1", part(300)), "Lineage=a:1".to_owned()),
        ] {
            let header: TraceHeader = format!("{ROOT};{parts}").parse().unwrap();
            assert_eq!(header.extras(), kept);
        }
    }

    #[test]
    fn only_a_bounded_prefix_is_looked_at() {
        let filler = |len: usize| format!("Self={}", "x".repeat(len - "Self=".len()));
        let at = |offset: usize| format!("{};{ROOT}", filler(offset - 1));
        assert!(at(MAX_TEXT - ROOT.len()).parse::<TraceHeader>().is_ok());
        assert!(format!("{};", at(MAX_TEXT - ROOT.len())).parse::<TraceHeader>().is_ok());
        // Half a part is no part: a cut id must not pass for a whole one.
        assert!(at(MAX_TEXT - ROOT.len() + 1).parse::<TraceHeader>().is_err());
        assert!("é".repeat(MAX_TEXT).parse::<TraceHeader>().is_err());
        assert_eq!(reread(&format!("{ROOT};{}", "é;".repeat(MAX_TEXT))), ROOT);
    }

    prop_compose! {
        fn any_header()(
            root in 1_u128.., parent in proptest::option::of(1_u64..), sampled in 0..4_usize,
            extras in prop::collection::vec("X[a-z]{0,5}=[!-:<-~]{0,40}", 0..5),
        ) -> TraceHeader {
            let sampled = ["", ";Sampled=1", ";Sampled=0", ";Sampled=?"][sampled];
            let header = TraceHeader::new(TraceId::from(root));
            let header = match parent { Some(id) => header.with_parent(SegmentId::from(id)), None => header };
            format!("{header}{sampled};{}", extras.join(";")).parse().unwrap()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_header_of_the_usual_form_is_read_as_any_other(
            root in "1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}|1-0{8}-0{24}|.{34,36}",
            parent in ";Parent=[0-9a-f]{16}|;Parent=0{16}|;Parent=[0-9A-F]{15,17}|;Parent=.{16}|",
            sampled in ";Sampled=[01?]|;Sampled=.{0,2}|;.{0,9}|",
        ) {
            let text = format!("Root={root}{parent}{sampled}");
            // No header of the usual form begins with a blank.
            prop_assert_eq!(text.parse::<TraceHeader>(), format!(" {text}").parse(), "{:?}", text);
        }
    }

    proptest! {
        #[test]
        fn headers_read_back_as_they_were_written(header in any_header()) {
            prop_assert_eq!(header.to_string().parse(), Ok(header));
        }

        #[test]
        fn whatever_comes_in_only_clean_text_goes_out(text in any::<String>(), parts in "[ -~;=\r\n\t\0é]{0,80}") {
            let text = format!("{text};{ROOT};{parts}");
            let header: TraceHeader = text.parse().unwrap();
            prop_assert!(header.extras().len() <= MAX_EXTRAS);
            prop_assert!(header.to_string().bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(header.to_string().parse(), Ok(header));
        }
    }
}
