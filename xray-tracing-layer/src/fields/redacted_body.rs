//! What users and integrations give a span by method, on its way into a body: the redaction hook sees it first, as it
//! sees fields. Values of fields are [`visit`](crate::fields::visitor)'s.

use std::borrow::Cow;
use std::error::Error;
use std::ops::{Deref, DerefMut};

use serde_core::Serialize;
use xray_sdk::SegmentId;
use xray_sdk::document::internal::{Body, Stack, Written};
use xray_sdk::document::{AnnotationValue, MAX_VALUE};

use crate::fields::value::{DebugAsDisplay, Value};
use crate::fields::visitor::Rules;

/// A body that nothing of the user's gets into unseen. What is none of the user's goes straight to the body.
pub(crate) struct RedactedBody<'a> {
    body: &'a mut Body,
    rules: &'a Rules,
}

impl<'a> RedactedBody<'a> {
    pub(crate) fn new(body: &'a mut Body, rules: &'a Rules) -> Self {
        Self { body, rules }
    }

    pub(crate) fn annotate(&mut self, key: &str, value: &AnnotationValue<'_>) {
        let Some(redact) = &self.rules.redact else { return self.body.annotate(key, value) };
        let text = match value {
            AnnotationValue::Str(text) => Cow::Borrowed(&**text),
            AnnotationValue::Bool(value) => value.to_string().into(),
            AnnotationValue::I64(value) => value.to_string().into(),
            AnnotationValue::U64(value) => value.to_string().into(),
            AnnotationValue::F64(value) => value.to_string().into(),
            _ => return,
        };
        match redact.apply(key, &text) {
            same if same == text => self.body.annotate(key, value),
            other => self.body.annotate(key, &AnnotationValue::Str(other)),
        }
    }

    pub(crate) fn metadata(&mut self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
        match &self.rules.redact {
            None => self.body.metadata(namespace, key, value),
            Some(redact) => {
                self.body.metadata_with(namespace, key, value, |key, text| redact.apply(key, text));
            }
        }
    }

    /// An error with its sources. To the hook, each is a value of the field.
    pub(crate) fn add_error(&mut self, field: &str, err: &(dyn Error + 'static), stack: &Stack) -> SegmentId {
        let Some(redact) = &self.rules.redact else { return self.body.add_error(err, stack) };
        self.body.add_error_with(err, stack, |err, out| {
            Value::Display(&DebugAsDisplay(err)).with_text(|text| {
                Written::cut_if(out.put_display_within(redact.apply(field, text), MAX_VALUE))
            })
        })
    }

    /// Work that nobody waits for any more: no fault of whoever did it.
    #[cfg(any(
        feature = "tower-server",
        feature = "tower-client",
        feature = "reqwest-middleware",
        feature = "aws-sdk"
    ))]
    pub(crate) fn cancel(&mut self, before: &str) {
        self.body.set_error();
        let message = format!("dropped before {before}");
        self.body.add_exception(&xray_sdk::document::Exception::new("Cancelled", message));
    }

    /// A failure of which no more is known than its text.
    #[cfg(any(feature = "lambda", feature = "tower-server", feature = "tower-client"))]
    pub(crate) fn add_failure(&mut self, kind: &str, message: &str) {
        let message = self.rules.redacted(MESSAGE, message);
        let put = |out: &mut xray_sdk::document::internal::Buffer| {
            Written::cut_if(out.put_display_within(message, MAX_VALUE))
        };
        self.body.put_exception(SegmentId::random(), kind, put, false, None, Stack::none());
    }
}

/// What the hook knows an error's text by that no field brought.
pub(crate) const MESSAGE: &str = "exception.message";

impl Deref for RedactedBody<'_> {
    type Target = Body;

    fn deref(&self) -> &Body {
        self.body
    }
}

impl DerefMut for RedactedBody<'_> {
    fn deref_mut(&mut self) -> &mut Body {
        self.body
    }
}
