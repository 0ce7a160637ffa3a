//! Datagrams as a daemon receives them: header line, document, and the checker that looks into the document.

use serde_json::Value;
use xray_sdk::local::check as problems;
use xray_sdk::receive::document;

use super::{Target, ensure};

pub(super) const TARGET: Target = Target { name: "datagram", seeds: SEEDS, words: WORDS, check };

const SEEDS: &[&str] = &[
    concat!(
        "{\"format\":\"json\",\"version\":1}\n",
        "{\"name\":\"shop\",\"id\":\"70de5b6f19ff9a0a\",\"trace_id\":\"1-66f1a2b3-0123456789abcdef01234567\",",
        "\"start_time\":1727112883.125,\"end_time\":1727112883.25,\"http\":{\"response\":{\"status\":200}},",
        "\"annotations\":{\"a\":1},\"subsegments\":[{\"name\":\"b\",\"id\":\"70de5b6f19ff9a0b\",\"start_time\":1,\"end_time\":2}]}",
    ),
    "{\"format\": \"JSON\", \"version\": 1, \"more\": [true, null]}\n{}",
    "{\"version\":1,\"format\":\"json\"}\n{\"id\":\"x\",\"cause\":{\"exceptions\":[{\"id\":\"1\",\"message\":\"m\"}]}}",
    "{\"format\":\"json\",\"version\":2}\n{}",
    "no header",
];

const WORDS: &[&str] = &[
    "{\"format\":\"json\",\"version\":1}\n",
    "\n",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "null",
    "1e999",
    "-0",
    "\\u0000",
    "\\ud800",
    "\"subsegments\":[",
    "\"trace_id\":",
    "\"in_progress\":true",
    "\"parent_id\":",
    "[[[[[[[[",
    "\u{feff}",
];

fn check(input: &[u8]) -> Result<(), String> {
    let taken = match document(input) {
        Ok(taken) => taken,
        Err(err) => return ensure(!err.to_string().is_empty(), || "an error without a text".to_owned()),
    };
    ensure(!taken.is_empty() && input.ends_with(taken), || {
        "the document is not the datagram's end".to_owned()
    })?;
    let header = &input[..input.len() - taken.len()];
    ensure(header.iter().filter(|byte| **byte == b'\n').count() == 1, || "the header is no line".to_owned())?;
    // Whatever is no JSON object is a problem; of the others, the checker may think as it likes.
    let is_object = serde_json::from_slice::<Value>(taken).is_ok_and(|value| value.is_object());
    ensure(is_object || !problems(taken).is_empty(), || "a broken document has no problem".to_owned())
}
