//! A row of the waterfall, and the bits that say what is odd about it.
//!
//! Rows are made by [`rows`](super::rows); the page's `row.js` reads the same bits.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::console::parts::format::Class;

/// A row. Times are microseconds since the trace's start.
#[derive(Debug, Default)]
pub(in crate::console) struct Row {
    pub(in crate::console) id: String,
    pub(in crate::console) name: String,
    /// The service that the row belongs to: the name of its segment.
    pub(in crate::console) service: Arc<str>,
    pub(in crate::console) depth: usize,
    /// Rows below this one, it included.
    pub(in crate::console) size: usize,
    pub(in crate::console) start: i64,
    pub(in crate::console) end: i64,
    /// Time in which none of the row's own children run.
    pub(in crate::console) own: i64,
    pub(in crate::console) flags: u32,
    /// The members as JSON, without subsegments.
    pub(in crate::console) json: String,
}

/// Bits of [`Row::flags`]; `row.js` has the same.
pub(super) const ERROR: u32 = 1;
pub(super) const THROTTLE: u32 = 2;
pub(super) const FAULT: u32 = 4;
pub(in crate::console) const OPEN: u32 = 8;
pub(in crate::console) const INFERRED: u32 = 16;
pub(in crate::console) const SEGMENT: u32 = 32;
pub(super) const LINK: u32 = 64;
pub(in crate::console) const ORPHAN: u32 = 128;
pub(super) const CRITICAL: u32 = 256;
pub(in crate::console) const WAITING: u32 = 512;

impl Row {
    pub(in crate::console) fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    pub(in crate::console) fn class(&self) -> Class {
        Class::of(self.has(ERROR), self.has(THROTTLE), self.has(FAULT), self.has(OPEN))
    }

    pub(in crate::console) fn members(&self) -> Map<String, Value> {
        serde_json::from_str(&self.json).unwrap_or_default()
    }
}
