//! What a request may hold: members, types and bounds, as X-Ray's public model states them.

mod check;
mod kind;

pub use check::{ShapeError, check};
pub use kind::{Form, Kind, Member, describe};
