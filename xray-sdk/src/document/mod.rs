//! What X-Ray stores: segment and subsegment documents.
//!
//! One grammar, in two storeys. Below, [`Buffer`] appends JSON tokens, [`Body`] collects what is known about
//! a piece of work in the form it will be sent in, and [`Frame`] puts ids, name, times, body and finished
//! children together. On top, [`Segment`] and [`Subsegment`] are for people who make documents by hand.
//! The tracing layer stands on the lower storey, so both speak the same dialect.
//!
//! ```text
//!  {"id":…,"trace_id":…,"name":…,"start_time":…,"end_time":…   Frame: who and when
//!   ,"error":true,"http":{…},"aws":{…},"sql":{…}              Body: what happened
//!   ,"cause":{…},"annotations":{…},"metadata":{…}
//!   ,"subsegments":[…]}                                        finished children, as bytes
//! ```

mod limits;
mod name_class;

mod buffer;
mod name;
mod time;
mod value;

mod body;
mod children;
mod exception;
mod flags;
mod frame;
mod members;
mod place;
mod preamble;
mod room;
mod serialize;

mod blocks;
mod links;
mod segment;

pub use blocks::{Http, Sql};
pub use body::{Body, Losses, Wrote};
pub use buffer::Buffer;
pub use children::Children;
pub use exception::{Exception, Stack, StackFrame};
pub use frame::{Frame, Kind, insert_independent_head};
pub use limits::{
    MAX_ANNOTATION_VALUE, MAX_ANNOTATIONS, MAX_BODY, MAX_EXCEPTIONS, MAX_NAME, MAX_STRING, MAX_VALUE,
};
pub use links::Links;
pub use name::{metadata_key, put_annotation_key, put_name};
pub(crate) use name_class::is_name_char;
pub use place::{Namespace, Place};
pub use preamble::Preamble;
pub use segment::{Segment, Subsegment};
pub use time::Timestamp;
pub use value::AnnotationValue;
