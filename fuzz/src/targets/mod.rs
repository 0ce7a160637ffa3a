//! The targets: where input of other people's gets in, and what has to hold whatever it is. Each is a function of bytes.
//! Private parsers are reached as a program reaches them: SQL and URLs by a field of a span, wildcards by a sampling rule.

mod address;
mod datagram;
mod document;
mod header;
mod recorded;
mod sql;
mod url;
mod wildcard;

/// Something that reads input.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Inputs as they should be, to begin with.
    pub(crate) seeds: &'static [&'static str],
    /// Pieces that mean something to the reader.
    pub(crate) words: &'static [&'static str],
    /// What does not hold of an input.
    pub(crate) check: fn(&[u8]) -> Result<(), String>,
}

pub(crate) const TARGETS: &[Target] = &[
    header::TARGET,
    address::TARGET,
    sql::TARGET,
    url::TARGET,
    wildcard::TARGET,
    datagram::TARGET,
    document::TARGET,
];

/// The input as text. Most readers get a `&str`.
fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}
