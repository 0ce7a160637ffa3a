//! The tables, and their version.

/// Version of the tables, in `PRAGMA user_version`.
pub(in super::super) const VERSION: i64 = 3;

/// Marks the file as ours, in `PRAGMA application_id`: "XRAY".
pub(super) const APPLICATION: i64 = 0x5852_4159;

/// Makes the tables of [`VERSION`].
pub(super) const SCHEMA: &str = include_str!("schema.sql");
