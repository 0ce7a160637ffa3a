//! What can be done to a span that `tracing` has no words for, and the trace header that it stands for.

use std::error::Error;

use serde_core::Serialize;
use tracing::Span;
use xray_sdk::TraceHeader;
use xray_sdk::document::internal::Stack;
use xray_sdk::document::{AnnotationValue, Links};

use crate::fields::redacted_body::MESSAGE;
use crate::layer::find::{core_of, scope, update, with_core};

/// X-Ray's part of a [`tracing::Span`].
///
/// Every method does nothing on a span that the layer does not record: one that is filtered out, not
/// sampled, disabled, or of a subscriber without the layer.
pub trait XraySpanExt {
    /// Continues the trace that a caller's header names. For a local root, before the span has children; later
    /// it is refused, and counted in [`Stats::late_headers`](crate::Stats::late_headers).
    ///
    /// The header's decision replaces that of the sampler, which gets back what it had given. A header at
    /// creation, as the field `xray.trace_header`, saves asking it in the first place.
    fn set_trace_header(&self, header: &TraceHeader);

    /// Keeps this span whatever the sampler and the caller say, or does not keep it. Before the span has children;
    /// later it is refused, and counted in [`Stats::late_decisions`](crate::Stats::late_decisions).
    ///
    /// Of a root, it decides for the trace, and the sampler gets back what it had given. Inside a recorded trace,
    /// `false` leaves the span out with everything inside it, and inside a trace that isn't recorded, `true` makes
    /// it a segment of its own that begins now: nothing is known of what was before. The field `xray.sampled` at
    /// creation does the same from the span's beginning, with its fields.
    ///
    /// In Lambda, `true` does nothing: what the platform does not record can't be kept.
    fn force_sampling(&self, sampled: bool);

    /// What to send to a service that is called from within this span: the trace, this span as the parent, and
    /// whether it is sampled. Of a span that is not recorded itself, its nearest recorded ancestor's.
    ///
    /// Unlike the other methods, it also answers for traces that are not sampled: they go on, with `Sampled=0`.
    fn trace_header(&self) -> Option<TraceHeader>;

    /// Adds a value that X-Ray indexes, under a key of letters, digits, `_` and `.` (others are mended).
    fn annotate<'a>(&self, key: &str, value: impl Into<AnnotationValue<'a>>);

    /// Adds any value that serializes, which X-Ray keeps and does not index. An empty namespace is `default`.
    fn add_metadata(&self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized));

    /// The same as [`add_metadata`](Self::add_metadata). [`Span`] has a method `metadata` of its own that goes
    /// before this one, so it must be called as `XraySpanExt::metadata(&span, ..)`.
    fn metadata(&self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
        self.add_metadata(namespace, key, value);
    }

    /// Names the end user, on the segment that the span is part of.
    fn set_user(&self, user: &str);

    /// Links the (sub)segments of other traces that the span's work goes back to: the senders of a batch.
    fn set_links(&self, links: &Links);

    /// Adds an error with its chain of sources, one exception each; the span counts as failed.
    fn record_error(&self, err: &(dyn Error + 'static));

    /// Sets the HTTP status; `error`, `throttle` and `fault` follow from it.
    fn set_http_status(&self, status: u16);
}

impl XraySpanExt for Span {
    fn set_trace_header(&self, header: &TraceHeader) {
        with_core(self, |core, id| core.set_trace_header(id, header));
    }

    fn force_sampling(&self, sampled: bool) {
        self.with_subscriber(|(id, dispatch)| {
            let Some(core) = core_of(id, dispatch) else { return };
            if core.force(id.into_u64(), sampled).is_none() && sampled {
                core.record_after_all(id, dispatch);
            }
        });
    }

    fn trace_header(&self) -> Option<TraceHeader> {
        self.with_subscriber(|(id, dispatch)| {
            let core = core_of(id, dispatch)?;
            // The nearest span with a record: a filter may hide this one from the layer.
            core.spans.table.nearest(scope(id, dispatch), |_, record| record.prepare_trace_header())?
        })?
    }

    fn annotate<'a>(&self, key: &str, value: impl Into<AnnotationValue<'a>>) {
        let value = value.into();
        update(self, |body| body.annotate(key, &value));
    }

    fn add_metadata(&self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized)) {
        update(self, |body| body.metadata(namespace, key, value));
    }

    fn set_user(&self, user: &str) {
        with_core(self, |core, id| {
            let root = core.spans.table.with(id, |record| record.context.root);
            if let Some(root) = root {
                core.set_user(root, 0, &core.config.rules.redacted("user.id", user));
            }
        });
    }

    fn set_links(&self, links: &Links) {
        update(self, |body| links.put(body.unredacted()));
    }

    fn record_error(&self, err: &(dyn Error + 'static)) {
        update(self, |body| {
            body.add_error(MESSAGE, err, Stack::none());
        });
    }

    fn set_http_status(&self, status: u16) {
        update(self, |body| body.unredacted().set_status(status));
    }
}

/// The header of [`Span::current`]: what to send to a service that is called from here.
#[must_use]
pub fn current_trace_header() -> Option<TraceHeader> {
    Span::current().trace_header()
}
