//! A body writer through which the redaction hook sees values supplied by method.
//!
//! Fields pass the hook in [`visitor`](crate::fields::visitor). Values that the layer produces itself bypass
//! it, by [`RedactedBody::unredacted`].

use std::borrow::Cow;
use std::error::Error;

use serde_core::Serialize;
use xray_sdk::SegmentId;
use xray_sdk::document::internal::{Body, Piece, Stack, Written, keys};
use xray_sdk::document::{AnnotationValue, MAX_STRING, MAX_VALUE};

use crate::fields::sanitize::free_text::{free_text, may_hold_secret};
use crate::fields::sanitize::secret_key::{is_secret_field, is_secret_member};
use crate::fields::sanitize::written::{put_clean, put_cut_name};
use crate::fields::value::{DebugAsDisplay, Value};
use crate::settings::redaction::Rules;
pub(crate) use crate::settings::redaction::UNKNOWN;

/// Writes user-supplied values through the redaction hook.
pub(crate) struct RedactedBody<'a> {
    body: &'a mut Body,
    rules: &'a Rules,
}

impl<'a> RedactedBody<'a> {
    pub(crate) fn new(body: &'a mut Body, rules: &'a Rules) -> Self {
        Self { body, rules }
    }

    /// Returns the body, for values that the layer produces itself.
    pub(crate) fn unredacted(&mut self) -> &mut Body {
        self.body
    }

    /// Returns the body, to be read.
    pub(crate) fn body(&self) -> &Body {
        self.body
    }

    /// Renames the span: a segment's operation, or a subsegment.
    pub(crate) fn rename(&mut self, is_segment: bool, name: &str) {
        let name = self.rules.redacted("xray.name", name);
        let name = free_text(&name, self.rules.keep_query);
        let key = if is_segment { keys::OTEL } else { keys::NAME };
        self.body.put_piece(Piece::Name, 0, key, |out| {
            // An empty name would hide the former one.
            if name.trim().is_empty() {
                return Written::Nothing;
            }
            if is_segment {
                return Written::cut_if(out.put_escaped_within(&name, MAX_STRING));
            }
            put_cut_name(out, &name)
        });
    }

    /// Returns the value as the redaction hook replaces it, cleaned as free text.
    #[cfg(feature = "aws-sdk")]
    pub(crate) fn clean(&self, field: &str, value: &str) -> String {
        free_text(&self.rules.redacted(field, value), self.rules.keep_query).into_owned()
    }

    pub(crate) fn annotate(&mut self, key: &str, value: &AnnotationValue<'_>) {
        if is_secret_field(key) && !matches!(value, AnnotationValue::Bool(_)) {
            return self.annotate_secret(key, value);
        }
        if let AnnotationValue::Str(text) = value
            && may_hold_secret(text.as_bytes())
        {
            let clean = self.rules.redacted(key, text);
            let clean = free_text(&clean, self.rules.keep_query);
            return self.body.annotate(key, &AnnotationValue::Str(clean));
        }
        let Some(redact) = &self.rules.redact else { return self.body.annotate(key, value) };
        let Some(text) = text_of(value) else { return };
        match redact.apply(key, &text) {
            same if same == text => self.body.annotate(key, value),
            other => self.body.annotate(key, &AnnotationValue::Str(other)),
        }
    }

    /// Annotates what is a secret by its key: as the hook replaces it, or without its value.
    #[cold]
    fn annotate_secret(&mut self, key: &str, value: &AnnotationValue<'_>) {
        let Some(text) = text_of(value) else { return };
        let shown = match self.rules.redacted(key, &text) {
            changed if changed != text => free_text(&changed, self.rules.keep_query).into_owned().into(),
            _ => Cow::Borrowed(UNKNOWN),
        };
        self.body.annotate(key, &AnnotationValue::Str(shown));
    }

    pub(crate) fn metadata(&mut self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
        let rules = self.rules;
        self.body.metadata_with(namespace, key, value, |key, text| match rules.redacted(key, text) {
            // A secret by its key, unless it says no more than yes or no.
            shown if shown == text && is_secret_member(key) && !matches!(text, "true" | "false") => {
                UNKNOWN.into()
            }
            Cow::Borrowed(shown) => free_text(shown, rules.keep_query),
            Cow::Owned(shown) => free_text(&shown, rules.keep_query).into_owned().into(),
        });
    }

    /// Adds an error with its sources. The hook sees the text of each as a value of `field`.
    pub(crate) fn add_error(&mut self, field: &str, err: &(dyn Error + 'static), stack: &Stack) -> SegmentId {
        let rules = self.rules;
        let keep_query = rules.keep_query;
        self.body.add_error_with(err, stack, |err, out| match &rules.redact {
            None => Written::cut_if(put_clean(out, format_args!("{err}"), MAX_VALUE, keep_query)),
            Some(redact) => Value::Display(&DebugAsDisplay(err)).with_text(|text| {
                Written::cut_if(put_clean(
                    out,
                    format_args!("{}", redact.apply(field, text)),
                    MAX_VALUE,
                    keep_query,
                ))
            }),
        })
    }

    /// Records a cancellation, which is an error of the caller and not a fault.
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

    /// Adds a panic, which is a fault whatever the status says. The message has passed the redaction hook.
    pub(crate) fn add_panic(&mut self, message: &str, stack: &Stack) {
        self.body.set_fault();
        self.put_redacted_failure("panic", message, false, stack);
    }

    /// Adds a failure that is known only by its text.
    #[cfg(any(
        feature = "lambda",
        feature = "tower-server",
        feature = "tower-client",
        feature = "async-graphql"
    ))]
    pub(crate) fn add_failure(&mut self, kind: &str, message: &str) {
        self.put_failure(kind, message, false, Stack::none());
    }

    /// Adds a failure that another service reported.
    #[cfg(feature = "aws-sdk")]
    pub(crate) fn add_remote_failure(&mut self, kind: &str, message: &str) {
        self.put_failure(kind, message, true, Stack::none());
    }

    #[cfg(any(
        feature = "lambda",
        feature = "tower-server",
        feature = "tower-client",
        feature = "async-graphql",
        feature = "aws-sdk"
    ))]
    fn put_failure(&mut self, kind: &str, message: &str, is_remote: bool, stack: &Stack) {
        let message = self.rules.redacted(MESSAGE, message);
        self.put_redacted_failure(kind, &message, is_remote, stack);
    }

    fn put_redacted_failure(&mut self, kind: &str, message: &str, is_remote: bool, stack: &Stack) {
        let put = |out: &mut xray_sdk::document::internal::Buffer| {
            Written::cut_if(put_clean(out, format_args!("{message}"), MAX_VALUE, self.rules.keep_query))
        };
        self.body.put_exception(SegmentId::random(), kind, put, is_remote, None, stack);
    }
}

/// Returns an annotation's value as the hook sees it.
fn text_of<'a>(value: &'a AnnotationValue<'_>) -> Option<Cow<'a, str>> {
    Some(match value {
        AnnotationValue::Str(text) => Cow::Borrowed(&**text),
        AnnotationValue::Bool(value) => value.to_string().into(),
        AnnotationValue::I64(value) => value.to_string().into(),
        AnnotationValue::U64(value) => value.to_string().into(),
        AnnotationValue::F64(value) => value.to_string().into(),
        _ => return None,
    })
}

/// The field name under which the hook sees the text of an error that no field carried.
pub(crate) const MESSAGE: &str = "exception.message";
