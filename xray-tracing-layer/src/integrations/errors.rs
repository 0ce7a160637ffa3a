//! Errors and panics of an integration's work, recorded in its span. On a span without a record nothing is
//! done.

use std::any::{Any, type_name};
use std::error::Error;
use std::fmt::Display;

use tracing::Span;
use xray_sdk::document::internal::Stack;

use crate::fields::redacted_body::{MESSAGE, RedactedBody};
use crate::layer::find::update;
use crate::layer::panic_hook::take_recorded;

/// Records an error of the work, as a fault unless something marks it as the caller's mistake. A boxed error
/// is recorded with its sources, any other error by its type and `text`.
pub(crate) fn note_error<E: 'static>(span: &Span, err: &E, text: impl Display) {
    update(span, |body| put_error(body, err, text));
}

/// Writes an error of the work into a body.
pub(crate) fn put_error<E: 'static>(body: &mut RedactedBody<'_>, err: &E, text: impl Display) {
    match (err as &dyn Any).downcast_ref::<Box<dyn Error + Send + Sync>>() {
        Some(boxed) => {
            body.add_error(MESSAGE, &**boxed, Stack::none());
        }
        None => body.add_failure(type_name::<E>(), &text.to_string()),
    }
}

/// Records a panic that unwinds through the work.
pub(crate) fn note_panic(span: &Span, panic: &(dyn Any + Send)) {
    if take_recorded() {
        return update(span, |body| body.unredacted().set_fault());
    }
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    update(span, |body| body.add_failure("panic", text.unwrap_or("the handler panicked")));
}
