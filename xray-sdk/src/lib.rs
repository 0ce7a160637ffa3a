//! AWS X-Ray's protocol and policy, without `tracing`: ids, trace header, documents, sampling, daemon client.
//!
//! Programs that use `tracing` add the crate `xray-tracing-layer`, which is built on this one. Used alone, this crate
//! makes segments by hand:
//!
//! ```no_run
//! use xray_sdk::document::{Http, Namespace, Segment, Subsegment};
//! use xray_sdk::{DaemonAddress, TraceId, UdpEmitter};
//!
//! # fn main() -> Result<(), xray_sdk::EmitError> {
//! let emitter = UdpEmitter::new(&DaemonAddress::default()); // 127.0.0.1:2000
//!
//! let mut segment = Segment::begin("gateway", TraceId::new());
//! segment.annotate("tenant", "blue");
//! let mut call = Subsegment::begin("billing").with_namespace(Namespace::Remote);
//! let _header = segment.trace_header_for(&call).to_string(); // goes out as `TraceHeader::NAME`
//! call.set_http(&Http::request("POST", "http://billing.example/invoices").status(201));
//! segment.attach(call);
//! segment.emit(&emitter)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! | module | holds |
//! |---|---|
//! | [`id`], [`header`] | what travels between services: [`TraceId`], [`SegmentId`], [`TraceHeader`] |
//! | [`document`] | what X-Ray stores: segments and subsegments by hand |
//! | [`daemon`] | where documents go: [`DaemonAddress`], [`Emitter`], [`UdpEmitter`], `QueuedEmitter` |
//! | [`sampling`] | which traces are recorded |
//! | [`origin`] | where the process runs: EC2, ECS, EKS, Elastic Beanstalk, Lambda |
//! | [`sqs`] | a trace through SQS messages |
//! | `receive` | the daemon's end of the wire: datagrams taken apart |
//! | `local` | a stand-in for the daemon, on a socket: receive, check and draw traces |
//! | `testing` | an emitter that keeps documents in memory, for tests |
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | adds |
//! |---|---|
//! | `receive` | `receive`: what a program needs that takes datagrams as the daemon does |
//! | `local` | `local::Collector` and `local::Waterfall`: receive, check and draw traces |
//! | `testing` | `testing::MemoryEmitter`: assertions on traces without a socket |
//! | `serde` | ids and trace headers as strings in other documents |
//! | `central-sampling` | `sampling::CentralSampler`: the sampling rules of the AWS account |
//! | `plugins`, `plugin-*` | the places that `origin` detects, all or one by one |
//! | `queued-emitter` | `QueuedEmitter`: a thread that sends, many documents in one system call |
//!
//! Rust 1.91 suffices. Before 1.0, a raised Rust version comes with a minor version.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod text;

pub mod id;

mod json;

pub mod header;

pub mod document {
    //! Segment and subsegment documents, which X-Ray stores.
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

    #[doc(hidden)]
    pub mod keys;
    mod limits;
    mod name_chars;
    mod section;
    mod segment_members;
    mod truncation;

    mod annotation;
    mod name;
    mod opening;
    mod operation;
    mod timestamp;

    mod absorb;
    mod body;
    mod body_writer;
    mod cause_writer;
    mod edit;
    mod entry;
    mod flags;
    mod index;
    mod marks;
    mod pieces;
    mod serialize;
    mod template;
    mod trim;
    mod usual;

    mod children;
    mod exception;
    mod frame;
    mod plain;
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
        //! The types that the tracing layer writes documents with. Exempt from semantic versioning: a minor version
        //! may change any of them.

        pub use super::body::Body;
        pub use super::children::Children;
        pub use super::exception::Stack;
        pub use super::frame::{Frame, Kind, insert_independent_head};
        pub use super::keys::{self, Key, OwnedKey};
        pub use super::name::put_name;
        pub use super::opening::{Opening, ReadyPlace, SegmentOpening};
        pub use super::operation::Operation;
        pub use super::plain::PlainKey;
        pub use super::preamble::Preamble;
        pub use super::section::{Piece, Section};
        pub use super::truncation::{Truncation, Written};
        pub use crate::json::{Buffer, all_words, end_of_host, is_plain_path, is_plain_path_or_port};
    }
}

pub mod daemon;

mod segment;

pub mod sampling;

#[cfg(any(feature = "central-sampling", feature = "plugin-ec2", feature = "plugin-ecs"))]
mod http_client;

pub mod origin;

pub mod sqs;

#[cfg(feature = "receive")]
pub mod receive;

#[cfg(feature = "local")]
pub mod local;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[doc(inline)]
pub use daemon::{DaemonAddress, EmitError, Emitter, EmitterProblem, EmitterStats, Packet, UdpEmitter};
#[cfg(feature = "queued-emitter")]
#[doc(inline)]
pub use daemon::{QueueBuilder, QueueGuard, QueuedEmitter};
#[doc(inline)]
pub use header::{SamplingDecision, TraceHeader};
#[doc(inline)]
pub use id::{SegmentId, TraceId};
