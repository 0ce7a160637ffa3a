//! Headers of HTTP on their way into a span's record, by the settings of the layer that has the span.
//!
//! Called by the integrations for HTTP, which know the types of headers.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tracing::Span;
use xray_sdk::document::AnnotationValue;

use crate::fields::redacted_body::RedactedBody;
use crate::fields::sanitize::free_text::free_text;
use crate::fields::sanitize::header::header_value;
use crate::fields::scratch::with_body;
use crate::layer::find::with_core;

/// The side of an exchange on which a header stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderSide {
    Request,
    Response,
}

/// A received header's value.
pub(crate) enum HeaderText<'a> {
    Absent,
    Text(Cow<'a, str>),
    /// Bytes that are no text.
    Unreadable,
}

/// Records the headers of one side that the builder names. `value` returns the value of a name in lower case.
pub(crate) fn record_headers<'a>(span: &Span, side: HeaderSide, value: impl Fn(&str) -> HeaderText<'a>) {
    if !IS_ANY_RECORDED.load(Relaxed) {
        return;
    }
    with_core(span, |core, id| {
        let headers = match side {
            HeaderSide::Request => &core.config.headers.request,
            HeaderSide::Response => &core.config.headers.response,
        };
        if headers.is_empty() || core.spans.table.with(id, |record| record.keeps_fields()) != Some(true) {
            return;
        }
        with_body(|scratch| {
            let mut body = RedactedBody::new(scratch, &core.config.rules);
            for header in headers {
                let text = match value(&header.name) {
                    HeaderText::Absent => continue,
                    HeaderText::Unreadable => {
                        core.output.counters.headers_dropped.one();
                        continue;
                    }
                    HeaderText::Text(text) => text,
                };
                let rules = &core.config.rules;
                // The hook sees the value as it came, and what it returns is free text.
                let shown = rules.redacted(&header.field, &text);
                let is_changed = *shown != *text;
                let clean =
                    if is_changed { Some(shown) } else { header_value(header.form, &text, rules.keep_query) };
                let Some(clean) = clean else {
                    core.output.counters.headers_dropped.one();
                    continue;
                };
                let mut kept = Cow::Borrowed(&clean[..clean.floor_char_boundary(MAX_HEADER)]);
                if kept.len() < clean.len() {
                    core.output.counters.values_cut.one();
                    kept = format!("{kept}…").into();
                }
                let kept = free_text(&kept, rules.keep_query);
                if header.is_annotation {
                    body.unredacted().annotate(&header.field, &AnnotationValue::Str(kept));
                } else {
                    body.unredacted().metadata_with("", &header.field, &*kept, |_, text| text.into());
                }
            }
            core.spans.table.with(id, |record| record.body.absorb(scratch));
        });
    });
}

/// Records the keys of baggage that the builder names. `value` returns the value of a key.
pub(crate) fn record_baggage(span: &Span, value: impl Fn(&str) -> Option<String>) {
    with_core(span, |core, id| {
        let keys = &core.config.headers.baggage;
        if keys.is_empty() || core.spans.table.with(id, |record| record.keeps_fields()) != Some(true) {
            return;
        }
        with_body(|scratch| {
            let mut body = RedactedBody::new(scratch, &core.config.rules);
            for key in keys {
                if let Some(value) = value(key) {
                    body.annotate(key, &value.into());
                }
            }
            core.spans.table.with(id, |record| record.body.absorb(scratch));
        });
    });
}

/// Set if any layer of the process records headers. Most programs name none, and their spans are not looked up.
pub(crate) static IS_ANY_RECORDED: AtomicBool = AtomicBool::new(false);

/// The maximum of bytes of a header's value in a document.
const MAX_HEADER: usize = 1_000;
