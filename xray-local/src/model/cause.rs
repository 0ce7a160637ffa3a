//! Root causes: paths from the outermost service to the entity that is at fault, or takes the time.

use std::borrow::Cow;

/// Kind of a root cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CauseKind {
    /// `FaultRootCauses`, `rootcause.fault`.
    Fault = 0,
    /// `ErrorRootCauses`, `rootcause.error`.
    Error = 1,
    /// `ResponseTimeRootCauses`, `rootcause.responsetime`.
    ResponseTime = 2,
}

/// One root cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause<'a> {
    /// Its kind.
    pub kind: CauseKind,
    /// The services of the path, outermost first.
    pub services: Vec<CauseService<'a>>,
}

/// One service of a path.
#[derive(Clone, Debug, PartialEq)]
pub struct CauseService<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type, if its segment has an origin.
    pub kind: Option<Cow<'a, str>>,
    /// Its account, if known.
    pub account: Option<&'a str>,
    /// True if its segment is inferred.
    pub inferred: bool,
    /// True if its segment has no parent.
    pub root: bool,
    /// The segment itself, then the subsegments on the path.
    pub entities: Vec<CauseEntity<'a>>,
}

/// One segment or subsegment of a path.
#[derive(Clone, Debug, PartialEq)]
pub struct CauseEntity<'a> {
    /// Its name.
    pub name: &'a str,
    /// True if it is a subsegment that calls another service.
    pub remote: bool,
    /// Its share of the root's time, 0 to 1; only for response times.
    pub coverage: Option<f64>,
    /// Its exceptions, outermost first; only for faults and errors.
    pub exceptions: Vec<CauseException<'a>>,
}

/// One exception of an entity.
#[derive(Clone, Debug, PartialEq)]
pub struct CauseException<'a> {
    /// Its type.
    pub name: &'a str,
    /// Its message.
    pub message: &'a str,
}
