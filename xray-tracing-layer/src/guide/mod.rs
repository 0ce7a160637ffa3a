//! The guide: how to use the layer, a chapter for each topic.
//!
//! | chapter | answers |
//! |---|---|
//! | [`fields`] | Which field of a span goes where in X-Ray? |
//! | [`configuration`] | Which settings are there, in code and in the environment? What does each feature cost? |
//! | [`http`] | How do served requests, outgoing calls and GraphQL operations get into a trace? |
//! | [`aws`] | How do calls of the AWS SDK, and messages of SQS and Kafka, get into a trace? |
//! | [`databases`] | How do queries get into a trace, and what is left out of them? |
//! | [`lambda`] | How does a Lambda function get its spans into a trace? |
//! | [`threads`] | How do spans stay in their trace across tasks, threads and rayon? |
//! | [`sampling`] | Which traces are recorded, and who decides? |
//! | [`logs`] | How do log lines carry the trace id? |
//! | [`testing`] | How does a program assert on its own traces, and see them on a laptop? |
//! | [`deployment`] | Where does the daemon run, and which permissions does it need? |
//! | [`troubleshooting`] | Why is a trace or a span missing? |
//! | [`performance`] | What does a span cost? |
//!
//! The chapters exist in the documentation only. Complete programs are in the repository's `examples` folder.

#[doc = include_str!("fields.md")]
pub mod fields {}

#[doc = include_str!("configuration.md")]
pub mod configuration {}

#[doc = include_str!("http.md")]
pub mod http {}

#[doc = include_str!("aws.md")]
pub mod aws {}

#[doc = include_str!("databases.md")]
pub mod databases {}

#[doc = include_str!("lambda.md")]
pub mod lambda {}

#[doc = include_str!("threads.md")]
pub mod threads {}

#[doc = include_str!("sampling.md")]
pub mod sampling {}

#[doc = include_str!("logs.md")]
pub mod logs {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("deployment.md")]
pub mod deployment {}

#[doc = include_str!("troubleshooting.md")]
pub mod troubleshooting {}

#[doc = include_str!("performance.md")]
pub mod performance {}
