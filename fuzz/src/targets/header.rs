//! Trace headers, X-Ray's and W3C's. A header that is read is written in a form that reads back as the same.

use xray_sdk::TraceHeader;

use super::{Target, ensure, text};

pub(super) const TARGET: Target = Target { name: "header", seeds: SEEDS, words: WORDS, check };

const SEEDS: &[&str] = &[
    "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1",
    "Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678;Sampled=?",
    "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=3995c3f42cd8ad81;Sampled=0;Lineage=a:1|b:2;Key=value",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
    "",
];

const WORDS: &[&str] = &[
    "Root=", "Parent=", "Sampled=", "Self=", "Lineage=", ";", "=", "1-", "-", "?", " ", "00-", "ffffffff",
    "\"", "\n", "root=",
];

/// Bytes of which the parser looks at all, with and without a blank.
const BOUND: usize = 4096;

fn check(input: &[u8]) -> Result<(), String> {
    let text = text(input);
    // No header of the usual form begins with a blank, so that another parser reads it.
    let by_parts = format!(" {text}").parse::<TraceHeader>();
    ensure(text.len() >= BOUND || text.parse() == by_parts, || {
        format!("read as {by_parts:?} behind a blank")
    })?;
    if let Ok(header) = text.parse::<TraceHeader>() {
        let written = header.to_string();
        let again = written.parse::<TraceHeader>();
        ensure(again.as_ref() == Ok(&header), || {
            format!("{written:?} reads as {again:?}, not as {header:?}")
        })?;
        ensure(written.bytes().all(|byte| (b' '..=b'~').contains(&byte)), || {
            format!("{written:?} is no HTTP value")
        })?;
        ensure(written.len() <= text.len() + 200, || format!("{} bytes written", written.len()))?;
    }
    if let Ok(header) = TraceHeader::from_traceparent(&text) {
        let written = header.traceparent().ok_or("a traceparent without a parent was read")?;
        let again = TraceHeader::from_traceparent(written.as_str());
        ensure(again.as_ref() == Ok(&header), || format!("{:?} reads as {again:?}", written.as_str()))?;
    }
    Ok(())
}
