//! [`Preamble`]: what all segments of a process have in common, encoded once and copied as bytes.

use serde_core::Serialize;

use super::limits::{MAX_PREAMBLE, MAX_PREAMBLE_MEMBER};
use crate::json::Buffer;

/// The members that are the same in all segments of a process, encoded once.
#[derive(Clone, Debug)]
pub struct Preamble {
    /// `,"origin":…,"service":{…}`
    pub(super) top: Buffer,
    /// `,"aws":{"xray":{…` without its closing brace, so that a sampling rule's name can follow.
    pub(super) xray: Buffer,
    /// `,"ec2":{…}` and the like.
    pub(super) aws: Buffer,
    /// `,"cloudwatch_logs":[…]`. Apart from the others, since a segment may name log groups of its own.
    pub(super) log_groups: Buffer,
    /// All that follows the sampling rule's name, where a segment has nothing of its own in `aws`.
    pub(super) tail: Buffer,
}

impl Preamble {
    /// Names the SDK; X-Ray shows it, and receivers drop the `aws` block where it is missing.
    #[must_use]
    pub fn new(sdk: &str, sdk_version: &str) -> Self {
        let mut xray = Buffer::new();
        xray.put(",\"aws\":{\"xray\":{\"sdk\":");
        xray.put_string_within(sdk, super::MAX_STRING);
        xray.put(",\"sdk_version\":");
        xray.put_string_within(sdk_version, super::MAX_STRING);
        let new = Buffer::new;
        Self { top: new(), xray, aws: new(), log_groups: new(), tail: new() }.with_tail()
    }

    /// Adds a member of the segment: `origin`, `service`, `resource_arn`. A value that does not serialize, or
    /// is longer than 1,000 bytes, is left out.
    #[must_use]
    pub fn with(mut self, key: &str, value: &impl Serialize) -> Self {
        if self.len() < MAX_PREAMBLE {
            put_member(&mut self.top, key, value);
        }
        self.with_tail()
    }

    /// Adds a member of the `aws` object: `ec2`, `ecs`, `eks`. A value that does not serialize, or
    /// is longer than 1,000 bytes, is left out.
    #[must_use]
    pub fn with_aws(mut self, key: &str, value: &impl Serialize) -> Self {
        if self.len() < MAX_PREAMBLE {
            put_member(&mut self.aws, key, value);
        }
        self.with_tail()
    }

    /// Sets the log groups: a list of objects with `log_group` and perhaps `arn`. A segment that names its own goes
    /// before. A value that does not serialize is left out.
    #[must_use]
    pub fn with_log_groups(mut self, groups: &impl Serialize) -> Self {
        self.log_groups.clear();
        put_member(&mut self.log_groups, "cloudwatch_logs", groups);
        self.with_tail()
    }

    /// Puts together what is ready.
    fn with_tail(mut self) -> Self {
        self.tail.clear();
        self.tail.put("}");
        self.tail.put_buffer(&self.aws);
        self.tail.put_buffer(&self.log_groups);
        self.tail.put("}");
        self.tail.put_buffer(&self.top);
        self
    }

    pub(super) fn len(&self) -> usize {
        self.top.len() + self.xray.len() + self.aws.len() + self.log_groups.len()
    }
}

impl Default for Preamble {
    fn default() -> Self {
        Self::new("X-Ray for Rust", env!("CARGO_PKG_VERSION"))
    }
}

fn put_member(out: &mut Buffer, key: &str, value: &impl Serialize) {
    let start = out.len();
    out.put(",");
    out.put_string(key);
    out.put(":");
    let failed = serde_json::to_writer(out.bytes_mut(), value).is_err();
    if failed || out.len() - start > MAX_PREAMBLE_MEMBER {
        out.truncate(start);
    }
}
