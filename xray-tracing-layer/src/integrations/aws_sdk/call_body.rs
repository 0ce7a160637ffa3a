//! The writer of an AWS call's document, in X-Ray's names.

use std::error::Error;

use xray_sdk::document::internal::{Body, Key, Section, Stack, Written, keys};

use crate::fields::redacted_body::{MESSAGE, RedactedBody};

/// The writer of a call's document.
pub(super) struct CallBody<'a, 'b> {
    body: &'a mut RedactedBody<'b>,
}

impl<'a, 'b> CallBody<'a, 'b> {
    pub(super) fn new(body: &'a mut RedactedBody<'b>) -> Self {
        Self { body }
    }

    /// Returns the body, for values that the layer produces itself.
    pub(super) fn unredacted(&mut self) -> &mut Body {
        self.body.unredacted()
    }

    /// Puts a member of `aws`. The redaction hook sees it as `field`.
    pub(super) fn str(&mut self, field: &str, key: Key<'_>, value: &str) {
        let value = self.body.clean(field, value);
        self.body.unredacted().put_str(Section::Aws, 0, key, &value);
    }

    /// Puts a member that is a list of strings. The redaction hook sees each as `field`.
    pub(super) fn list(&mut self, field: &str, key: Key<'_>, values: &[String]) {
        let values: Vec<_> = values.iter().map(|value| self.body.clean(field, value)).collect();
        self.unredacted().put_serialized(Section::Aws, key, &values);
    }

    /// Puts a member that is a number.
    pub(super) fn number(&mut self, place: Section, key: Key<'_>, value: u64) {
        self.unredacted().put(place, 0, key, |out| {
            out.put_int(value);
            Written::Whole
        });
    }

    /// Puts the number of retries, if there was an attempt.
    pub(super) fn retries(&mut self, attempts: u32) {
        if let Some(retries) = attempts.checked_sub(1) {
            self.number(Section::Aws, keys::RETRIES, retries.into());
        }
    }

    /// Adds an error that the service reported.
    pub(super) fn remote(&mut self, code: &str, message: &str) {
        self.body.add_remote_failure(code, message);
    }

    /// Adds an error that occurred before a response was read.
    pub(super) fn error(&mut self, err: &(dyn Error + 'static)) {
        self.body.add_error(MESSAGE, err, Stack::none());
    }

    /// Records that the call was dropped before its end.
    pub(super) fn cancel(&mut self) {
        self.body.cancel("the end of the call");
    }
}
