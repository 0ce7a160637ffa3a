//! A drop-in replacement for the AWS X-Ray daemon that loses nothing it can keep.
//!
//! Documents come in over UDP from the SDKs on the same machine, and leave in batches for the X-Ray API:
//!
//! ```text
//!            ┌──────────────────────── run ────────────────────────┐
//!  udp 2000 ─► receive ─► hold ─► upload ─► aws ──https, SigV4──► X-Ray
//!            │              └──► spool ──┘   ▲                      │
//!  tcp 2000 ─► relay ────────────────────────┘                      │
//!            │       report: telemetry, metrics, health, log ◄─ counters
//!            └──────────────────────────────────────────────────────┘
//! ```
//!
//! Read the modules in this order. [`config`] is what the daemon was asked to do: flags, file, environment.
//! [`receive`] is the thread that empties the socket. [`hold`] keeps documents within one budget of bytes, [`spool`]
//! keeps them on disk. [`upload`] decides what is sent when, and what an answer means. [`aws`] makes the signed
//! calls. [`relay`] is the proxy for sampling rules. [`report`] shows what [`counters`] hold, and [`run`] puts it all
//! together. Rooms import from those below only: `run`, `report`, `relay`, `receive`, `upload`, `aws`, `spool`, `hold`,
//! `counters`, `config`, from the top down.
//!
//! The library is for the tests and the benchmarks of the binary; its interface may change in any version.
//!
//! One law holds at every moment, and each of its terms is counted where it happens:
//!
//! ```text
//! received == sent + rejected + dropped{reason} + spooled + held
//! ```

#![forbid(unsafe_code)]

pub mod config;

pub mod counters;

pub mod receive;

pub mod hold;

pub mod upload;

pub mod spool;

pub mod aws;

pub mod relay;

pub mod report;

pub mod run;
