//! Nouns that all rooms share: ids and keys, times, the facts of a compiled trace, limits.
//!
//! Values only. Nothing here reads a socket, a file or a database; only `clock` asks the system for the time.

mod cause;
mod clock;
mod door;
mod facts;
mod home;
mod key;
pub mod limits;
mod node;
mod refused;
mod shown;
mod time;

pub use cause::{Cause, CauseEntity, CauseException, CauseKind, CauseService};
pub use clock::now;
pub use door::Door;
pub use facts::{
    Annotation, Call, Compiled, EdgeKind, Flags, Http, Link, Place, PlaceKind, Scalar, Segment, Trace, User,
};
pub use home::Home;
pub use key::{TraceKey, parse_trace_id};
pub use node::{NodeName, NodeRef};
pub use refused::Refused;
pub use shown::{counted, in_order, noun};
pub use time::{Length, Time};
