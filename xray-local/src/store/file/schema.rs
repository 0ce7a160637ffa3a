//! The tables, their version, and the steps that bring a file of an earlier version to this one.

/// Version of the tables, in `PRAGMA user_version`.
pub(in super::super) const VERSION: i64 = 2;

/// Marks the file as ours, in `PRAGMA application_id`: "XRAY".
pub(super) const APPLICATION: i64 = 0x5852_4159;

/// Makes the tables of [`VERSION`].
pub(super) const SCHEMA: &str = include_str!("schema.sql");

/// The steps from each version to the next: the first one leads from version 1 to 2.
pub(super) const STEPS: [&str; (VERSION - 1) as usize] = [
    // A test on coverage reads the index alone.
    "DROP INDEX trace_causes_path; CREATE INDEX trace_causes_path ON trace_causes (path, trace, coverage)",
];
