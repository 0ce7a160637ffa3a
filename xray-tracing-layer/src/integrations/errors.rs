//! How a piece of work of an integration's went, put into its span: an error that it answered with, a panic that
//! went through it. Without the layer, or on a span that it doesn't record, nothing is put.

use std::any::{Any, type_name};
use std::error::Error;
use std::fmt::Display;

use tracing::Span;
use xray_sdk::document::internal::Stack;

use crate::fields::redacted_body::{MESSAGE, RedactedBody};
use crate::span_ext::update;

/// An error that the work ended with: a fault, unless something says that it was the caller's. A boxed one is told
/// with its sources, any other as `text`, since nothing else is known of it.
pub(crate) fn note_error<E: 'static>(span: &Span, err: &E, text: impl Display) {
    update(span, |body| put_error(body, err, text));
}

/// The same, into a body.
pub(crate) fn put_error<E: 'static>(body: &mut RedactedBody<'_>, err: &E, text: impl Display) {
    match (err as &dyn Any).downcast_ref::<Box<dyn Error + Send + Sync>>() {
        Some(boxed) => {
            body.add_error(MESSAGE, &**boxed, Stack::none());
        }
        None => body.add_failure(type_name::<E>(), &text.to_string()),
    }
}

/// A panic on its way through the work.
pub(crate) fn note_panic(span: &Span, panic: &(dyn Any + Send)) {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    update(span, |body| body.add_failure("panic", text.unwrap_or("the handler panicked")));
}
