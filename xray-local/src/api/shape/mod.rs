//! Members of requests, their types and bounds, as X-Ray's public model states them.
//!
//! The table of operations is made of these types, and each body is checked against its row before the operation sees it.

mod check;
mod kind;

pub use check::{ShapeError, check};
pub use kind::{Form, Kind, Member, describe};
