//! Events of the AWS SDK, at DEBUG, that describe the response to one attempt of a call.
//!
//! Without the interceptor they are the only source of request ids and of the number of retries. Only the
//! operation's span is known here.

use std::fmt;

use tracing_core::field::{Field, Visit};
use tracing_core::{Event, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::Namespace;
use xray_sdk::document::internal::{Body, Key, Section, Written, keys};

use crate::fields::library_event::{EXTENDED_REQUEST_ID, REQUEST_ID};
use crate::fields::scratch::with_body;
use crate::fields::value::{Value, visit};
use crate::lifecycle::core::Core;
use crate::settings::redaction::Rules;
use crate::state::record::Role;

impl Core {
    /// Records the response to one attempt.
    #[cold]
    pub(crate) fn aws_response<S>(&self, event: &Event<'_>, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(id) = self.span_of(event, ctx, Role::is_recorded) else { return };
        with_body(|body| {
            let mut visitor = ResponseVisitor { rules: &self.config.rules, body, names_request: false };
            event.record(&mut visitor);
            let names_request = visitor.names_request;
            self.spans.table.with(id, |record| {
                // If a filter hides the operation's span, the nearest span is the caller's, which the event
                // does not describe.
                if record.body.namespace() != Some(Namespace::Aws) {
                    return;
                }
                record.body.absorb(body);
                if names_request {
                    count_attempt(&mut record.body);
                }
            });
        });
    }
}

/// Counts retries in the document itself: the SDK sends one event for each response.
fn count_attempt(body: &mut Body) {
    const KEY: Key<'_> = keys::RETRIES;
    let so_far = body.text_of(Section::Aws, KEY).and_then(|retries| retries.parse::<u32>().ok());
    body.put(Section::Aws, RANK, KEY, |out| {
        out.put_int(so_far.map_or(0, |retries| retries.saturating_add(1)));
        Written::Whole
    });
}

/// The rank: below the fields for the same members, and below the interceptor, which also counts attempts
/// without a response.
const RANK: u8 = 1;

struct ResponseVisitor<'a> {
    rules: &'a Rules,
    body: &'a mut Body,
    names_request: bool,
}

impl ResponseVisitor<'_> {
    fn put(&mut self, field: &Field, value: Value<'_>) {
        let key = match field.name() {
            REQUEST_ID => keys::REQUEST_ID,
            EXTENDED_REQUEST_ID => keys::ID_2,
            _ => return,
        };
        self.names_request |= field.name() == REQUEST_ID;
        value.with_text(|text| {
            let Some(id) = inside_some(text) else { return };
            self.body.put_str(Section::Aws, RANK, key, &self.rules.redacted(field.name(), id));
        });
    }
}

impl Visit for ResponseVisitor<'_> {
    visit! { record_str: &str => Str, record_debug: &dyn fmt::Debug => Display }
}

/// Returns the id in an `Option<&str>` that the SDK formats by `Debug`.
fn inside_some(text: &str) -> Option<&str> {
    match text.strip_prefix("Some(\"").and_then(|text| text.strip_suffix("\")")) {
        Some(inside) => Some(inside),
        None if text == "None" => None,
        None => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_out_of_their_option() {
        let cases =
            [("Some(\"R1\")", Some("R1")), ("None", None), ("R1", Some("R1")), ("Some(\"\")", Some(""))];
        for (text, expected) in cases {
            assert_eq!(inside_some(text), expected, "{text}");
        }
    }

    #[test]
    fn the_first_attempt_is_no_retry() {
        let mut body = Body::new();
        for expected in ["0", "1", "2"] {
            count_attempt(&mut body);
            assert_eq!(body.text_of(Section::Aws, keys::RETRIES), Some(expected));
        }
    }
}
