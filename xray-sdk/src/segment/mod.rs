//! Documents made by hand, for code that does not use `tracing`. These stand above `document`, which writes them, and
//! `daemon`, which takes them. Their public names are in [`document`](crate::document).

mod links;
mod strings;

mod http;
mod sql;

mod common;
mod work;

mod subsegment;

#[expect(clippy::module_inception, reason = "the file of the room's first noun")]
mod segment;

pub use http::Http;
pub use links::Links;
pub use segment::Segment;
pub use sql::Sql;
pub use subsegment::Subsegment;
