//! gRPC's status codes in one table: their names, and the X-Ray flag that each sets.
//!
//! Source: grpc/grpc, `doc/statuscodes.md`. The division into caller's and service's mistakes is that of the
//! official X-Ray SDKs.

/// The flag that a status sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    None,
    /// The caller's mistake.
    Client,
    /// Too many requests.
    Throttle,
    /// The service's mistake.
    Server,
}

/// Codes by their number.
const CODES: [(&str, Blame); 17] = [
    ("OK", Blame::None),
    ("CANCELLED", Blame::Client),
    ("UNKNOWN", Blame::Server),
    ("INVALID_ARGUMENT", Blame::Client),
    ("DEADLINE_EXCEEDED", Blame::Server),
    ("NOT_FOUND", Blame::Client),
    ("ALREADY_EXISTS", Blame::Client),
    ("PERMISSION_DENIED", Blame::Client),
    ("RESOURCE_EXHAUSTED", Blame::Throttle),
    ("FAILED_PRECONDITION", Blame::Client),
    ("ABORTED", Blame::Client),
    ("OUT_OF_RANGE", Blame::Client),
    ("UNIMPLEMENTED", Blame::Server),
    ("INTERNAL", Blame::Server),
    ("UNAVAILABLE", Blame::Server),
    ("DATA_LOSS", Blame::Server),
    ("UNAUTHENTICATED", Blame::Client),
];

/// The code for a status that is not a number, or is not in the specification.
#[cfg(any(feature = "tower-server", feature = "tower-client", feature = "reqwest-middleware"))]
pub(crate) const UNKNOWN: u32 = 2;

/// Returns the code's name, in the spelling of the specification.
#[cfg(any(feature = "tower-server", feature = "tower-client", feature = "reqwest-middleware"))]
pub(crate) fn name_of(code: u32) -> &'static str {
    CODES.get(code as usize).unwrap_or(&CODES[UNKNOWN as usize]).0
}

/// Returns the flag that a code's name sets. `None` if no code has that name.
///
/// Case and `_` make no difference: `tonic` has `NotFound` in its `Debug` form.
pub(crate) fn blame_of_name(name: &str) -> Option<Blame> {
    let is_name = |known: &str| letters(known).eq(letters(name.trim_ascii()));
    CODES.iter().find(|(known, _)| is_name(known)).map(|(_, blame)| *blame)
}

fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase())
}

/// Returns the flag that a code sets. An unknown code is a fault.
pub(crate) fn blame_of(code: u64) -> Blame {
    let known = usize::try_from(code).ok().and_then(|code| CODES.get(code));
    known.map_or(Blame::Server, |(_, blame)| *blame)
}
