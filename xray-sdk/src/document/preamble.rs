//! [`Preamble`]: what all segments of a process have in common, encoded once and copied as bytes.

use serde_core::Serialize;

use super::limits::{MAX_PREAMBLE, MAX_PREAMBLE_MEMBER};
use crate::json::Buffer;

/// The members that are the same in all segments of a process, encoded once.
#[derive(Clone, Debug)]
pub struct Preamble {
    /// `,"origin":…,"service":{…}`
    pub(super) top: Buffer,
    /// `,"ec2":{…}` and the like.
    pub(super) aws: Buffer,
    /// `,"cloudwatch_logs":[…]`. Apart from the others, since a segment may name log groups of its own.
    pub(super) log_groups: Buffer,
    /// `,"aws":{…}` and what else there is, of a segment that has nothing of its own in `aws`.
    pub(super) whole: Buffer,
    /// The place in `whole` where the name of a sampling rule belongs.
    rule_at: usize,
}

impl Preamble {
    /// Names the SDK; X-Ray shows it, and receivers drop the `aws` block where it is missing.
    #[must_use]
    pub fn new(sdk: &str, sdk_version: &str) -> Self {
        let mut whole = Buffer::new();
        whole.put(",\"aws\":{\"xray\":{\"sdk\":");
        whole.put_string_within(sdk, super::MAX_STRING);
        whole.put(",\"sdk_version\":");
        whole.put_string_within(sdk_version, super::MAX_STRING);
        let (rule_at, new) = (whole.len(), Buffer::new);
        Self { top: new(), aws: new(), log_groups: new(), whole, rule_at }.with_whole()
    }

    /// Adds a member of the segment: `origin`, `service`, `resource_arn`. A value that does not serialize, or
    /// is longer than 1,000 bytes, is left out.
    #[must_use]
    pub fn with(mut self, key: &str, value: &impl Serialize) -> Self {
        if self.len() < MAX_PREAMBLE {
            put_member(&mut self.top, key, value);
        }
        self.with_whole()
    }

    /// Adds a member of the `aws` object: `ec2`, `ecs`, `eks`. A value that does not serialize, or
    /// is longer than 1,000 bytes, is left out.
    #[must_use]
    pub fn with_aws(mut self, key: &str, value: &impl Serialize) -> Self {
        if self.len() < MAX_PREAMBLE {
            put_member(&mut self.aws, key, value);
        }
        self.with_whole()
    }

    /// Sets the log groups: a list of objects with `log_group` and perhaps `arn`. A segment that names its own goes
    /// before. A value that does not serialize is left out.
    #[must_use]
    pub fn with_log_groups(mut self, groups: &impl Serialize) -> Self {
        self.log_groups.clear();
        put_member(&mut self.log_groups, "cloudwatch_logs", groups);
        self.with_whole()
    }

    /// Puts together what is ready.
    fn with_whole(mut self) -> Self {
        self.whole.truncate(self.rule_at);
        self.whole.put("}");
        self.whole.put_buffer(&self.aws);
        self.whole.put_buffer(&self.log_groups);
        self.whole.put("}");
        self.whole.put_buffer(&self.top);
        self
    }

    /// Returns `,"aws":{"xray":{…` without its closing brace, so that the name of a sampling rule can follow, and what comes
    /// behind that in a segment with nothing of its own in `aws`.
    pub(super) fn around_rule(&self) -> (&[u8], &[u8]) {
        self.whole.as_bytes().split_at(self.rule_at)
    }

    pub(super) fn len(&self) -> usize {
        self.whole.len()
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
