//! AWS X-Ray's protocol and policy, without `tracing`.
//!
//! Read the modules in this order: [`id`] and [`header`] are what travels between services,
//! [`document`] is what X-Ray stores, [`daemon`] is where documents go, [`sampling`] decides which of
//! them are made at all, [`origin`] finds out where this process runs, [`sqs`] takes a trace through SQS,
//! `receive` (a feature) is the daemon's end of the wire, and [`local`] stands in for the daemon on a developer's
//! machine.

#![forbid(unsafe_code)]

pub mod id;

mod json;

pub mod header;

pub mod document {
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
    mod name_chars;
    mod section;
    mod truncation;

    mod annotation;
    mod name;
    mod timestamp;

    mod body;
    mod body_writer;
    mod entry;
    mod flags;
    mod serialize;
    mod template;
    mod trim;

    mod children;
    mod exception;
    mod frame;
    mod preamble;

    pub use annotation::AnnotationValue;
    pub use body::Body;
    pub use children::Children;
    pub use exception::{Exception, Stack, StackFrame};
    pub use frame::{Frame, Kind, insert_independent_head};
    pub use limits::{
        MAX_ANNOTATION_VALUE, MAX_ANNOTATIONS, MAX_BODY, MAX_DOCUMENT, MAX_EXCEPTIONS, MAX_NAME, MAX_STRING,
        MAX_VALUE,
    };
    pub use name::{metadata_key, put_annotation_key, put_name};
    pub(crate) use name_chars::is_name_char;
    pub use preamble::Preamble;
    pub use section::{Namespace, Section};
    pub use timestamp::Timestamp;
    pub use truncation::{Truncation, Written};

    pub use crate::json::Buffer;
    pub use crate::segment::{Http, Links, Segment, Sql, Subsegment};
}

pub mod daemon;

mod segment;

pub mod sampling;

#[cfg(any(feature = "central-sampling", feature = "plugin-ec2", feature = "plugin-ecs"))]
mod http_client;

#[cfg(all(test, any(feature = "central-sampling", feature = "plugin-ec2", feature = "plugin-ecs")))]
#[path = "../tests/support/server.rs"]
mod server;

pub mod origin;

pub mod sqs;

#[cfg(feature = "receive")]
pub mod receive;

#[cfg(feature = "local")]
pub mod local;

pub use daemon::{DaemonAddress, EmitError, Emitter, EmitterStats, Packet, UdpEmitter};
#[cfg(feature = "queued-emitter")]
pub use daemon::{QueueBuilder, QueueGuard, QueuedEmitter};
pub use header::{SamplingDecision, TraceHeader};
pub use id::{SegmentId, TraceId};
