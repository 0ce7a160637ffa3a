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
    //! [`Segment`] and [`Subsegment`] build documents by hand. The tracing layer writes its documents with the same
    //! code below them: a buffer of JSON tokens, a body of members, and a frame that puts the parts together.
    //!
    //! ```text
    //!  {"id":…,"trace_id":…,"name":…,"start_time":…,"end_time":…   frame: who and when
    //!   ,"error":true,"http":{…},"aws":{…},"sql":{…}              body: what happened
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
    pub use exception::{Exception, StackFrame};
    pub use limits::{
        MAX_ANNOTATION_VALUE, MAX_ANNOTATIONS, MAX_BODY, MAX_DOCUMENT, MAX_EXCEPTIONS, MAX_NAME, MAX_STRING,
        MAX_VALUE,
    };
    #[cfg(feature = "local")]
    pub(crate) use name_chars::is_name_char;
    pub use section::Namespace;
    pub use timestamp::Timestamp;

    pub use crate::segment::{Http, Links, Segment, Sql, Subsegment};

    #[doc(hidden)]
    pub mod internal {
        //! What the tracing layer writes documents with. Exempt from semantic versioning: a minor version may
        //! change any of it.

        pub use super::body::Body;
        pub use super::children::Children;
        pub use super::exception::Stack;
        pub use super::frame::{Frame, Kind, insert_independent_head};
        pub use super::name::{metadata_key, put_annotation_key, put_name};
        pub use super::preamble::Preamble;
        pub use super::section::Section;
        pub use super::truncation::{Truncation, Written};
        pub use crate::json::Buffer;
    }
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
