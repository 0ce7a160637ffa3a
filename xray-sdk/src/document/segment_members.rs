//! [`Own`]: members that only segments have, and the `aws` block that they share. Called by the writer of the body.

use super::operation::Operation;
use super::preamble::Preamble;
use crate::json::Buffer;

/// Members that only segments have.
#[derive(Clone, Copy)]
pub(super) struct Own<'a> {
    pub(super) preamble: &'a Preamble,
    pub(super) rule: Option<&'a str>,
    pub(super) operation: Option<&'a Operation>,
}

impl Own<'_> {
    /// Appends `aws` and what else is the same in all segments.
    #[inline]
    pub(super) fn write_aws(&self, out: &mut Buffer) {
        match self.rule {
            None => out.put_row(self.preamble.whole.as_bytes()),
            Some(_) => self.write_ruled_aws(out),
        }
    }

    #[inline(never)]
    fn write_ruled_aws(&self, out: &mut Buffer) {
        let tail = self.begin_xray(out);
        out.put_bytes(tail);
    }

    /// Appends the beginning of `aws`, with the process's own log groups if so.
    pub(super) fn begin_aws(&self, out: &mut Buffer, log_groups: bool) {
        self.begin_xray(out);
        out.put("}");
        out.put_buffer(&self.preamble.aws);
        if log_groups {
            out.put_buffer(&self.preamble.log_groups);
        }
    }

    /// Appends the beginning of `aws.xray`. Returns what comes behind it in a segment with nothing of its own in `aws`.
    #[inline(never)]
    fn begin_xray(&self, out: &mut Buffer) -> &[u8] {
        let (head, tail) = self.preamble.around_rule();
        out.put_bytes(head);
        if let Some(rule) = self.rule {
            out.put(",\"sampling_rule_name\":");
            out.put_string_within(rule, super::MAX_STRING);
        }
        tail
    }
}
