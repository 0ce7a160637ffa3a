//! X-Ray on one's own machine: the daemon's port, X-Ray's API with signatures and policies, a store in one file,
//! and a terminal.
//!
//! Rooms, each importing only those below it:
//!
//! ```text
//!  cli       commands, signals
//!  serve     the running server: UDP, two TCP doors, its end
//!  console   pages in the browser
//!  api       operations of the X-Ray API, both TCP doors
//!  control   sampling rules and targets, groups, tags, resource policies, settings
//!  access    signatures, identities, policies, sessions
//!  query     filter expressions, summaries, graphs, series
//!  store     one SQLite file, one writer, many readers, retention, the live tail
//!  ingest    a document from bytes to compiled segments
//!  demo      documents of made-up traffic, for a first look
//!  model     nouns that all rooms share
//! ```
//!
//! `api` never reads the store's tables, `query` knows nothing of HTTP, and `console` calls what the API offers.

#![forbid(unsafe_code)]

pub mod model;

pub mod ingest;

pub mod store;

pub mod query;

pub mod access;

pub mod control;

pub mod api;

pub mod console;

pub mod demo;

pub mod serve;

pub mod cli;
