//! What can be written into the document of a call, by the names that X-Ray has for it.

use std::error::Error;

use xray_sdk::document::Exception;
use xray_sdk::document::internal::{Body, Section, Stack, Written};

use crate::fields::redacted_body::{MESSAGE, RedactedBody};

/// The writer of a call's document.
pub(super) struct CallBody<'a, 'b> {
    body: &'a mut RedactedBody<'b>,
}

impl<'a, 'b> CallBody<'a, 'b> {
    pub(super) fn new(body: &'a mut RedactedBody<'b>) -> Self {
        Self { body }
    }

    /// The body itself, for values that are none of the user's.
    pub(super) fn unredacted(&mut self) -> &mut Body {
        self.body.unredacted()
    }

    /// A member of `aws`; `field` is how a redaction hook knows it.
    pub(super) fn str(&mut self, field: &str, key: &str, value: &str) {
        let value = self.body.redacted(field, value);
        self.body.unredacted().put_str(Section::Aws, 0, key, &value);
    }

    /// A member that is a number.
    pub(super) fn number(&mut self, place: Section, key: &str, value: u64) {
        self.unredacted().put(place, 0, key, |out| {
            out.put_int(value);
            Written::Whole
        });
    }

    /// How often the call was tried again. Nothing, if it was not tried at all.
    pub(super) fn retries(&mut self, attempts: u32) {
        if let Some(retries) = attempts.checked_sub(1) {
            self.number(Section::Aws, "\"retries\":", retries.into());
        }
    }

    /// What went wrong at the service.
    pub(super) fn remote(&mut self, code: &str, message: &str) {
        let message = self.body.redacted(MESSAGE, message);
        self.body.unredacted().add_exception(&Exception::new(code, message).remote());
    }

    /// What went wrong on the way.
    pub(super) fn error(&mut self, err: &(dyn Error + 'static)) {
        self.body.add_error(MESSAGE, err, Stack::none());
    }

    /// The call was dropped before it was over.
    pub(super) fn cancel(&mut self) {
        self.body.cancel("the end of the call");
    }
}
