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
//! | `local` | a stand-in for the daemon, for tests and laptops |
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | adds |
//! |---|---|
//! | `local` | `local::Collector` and `local::Waterfall`: receive, check and draw traces |
//! | `central-sampling` | `sampling::CentralSampler`: the sampling rules of the AWS account |
//! | `plugins`, `plugin-*` | the places that `origin` detects, all or one by one |
//! | `queued-emitter` | `QueuedEmitter`: a thread that sends, many documents in one system call |
//!
//! Rust 1.91 suffices. Before 1.0, a raised Rust version comes with a minor version.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub mod id;

pub mod header;

pub mod document;

pub mod daemon;

pub mod sampling;

#[cfg(any(feature = "central-sampling", feature = "plugin-ec2", feature = "plugin-ecs"))]
mod http;

#[cfg(all(test, any(feature = "central-sampling", feature = "plugin-ec2", feature = "plugin-ecs")))]
#[path = "../tests/support/server.rs"]
mod server;

pub mod origin;

pub mod queue;

#[cfg(feature = "local")]
pub mod local;

pub use daemon::{DaemonAddress, EmitError, Emitter, EmitterStats, Packet, UdpEmitter};
#[cfg(feature = "queue")]
pub use daemon::{QueueBuilder, QueueGuard, QueuedEmitter};
pub use header::{SamplingDecision, TraceHeader};
pub use id::{SegmentId, TraceId};
