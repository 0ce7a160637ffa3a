//! X-Ray's methods on a `tracing::Span`, and the current trace header. The work is done in `lifecycle`.

use std::error::Error;

use serde_core::Serialize;
use tracing::Span;
use xray_sdk::TraceHeader;
use xray_sdk::document::internal::Stack;
use xray_sdk::document::{AnnotationValue, Links};

use crate::fields::redacted_body::MESSAGE;
use crate::layer::find::{core_of, scope, update, with_core};

/// Methods for X-Ray on a [`tracing::Span`].
///
/// Methods that add data do nothing on a span that the layer does not record: a span that is filtered out, not
/// sampled, disabled, or of a subscriber without the layer. [`trace_header`](Self::trace_header),
/// [`set_trace_header`](Self::set_trace_header) and [`force_sampling`](Self::force_sampling) also work on spans that are
/// not sampled.
///
/// The trait is sealed: it is implemented for [`Span`] only, and may get more methods.
///
/// ```
/// use tracing::info_span;
/// use xray_tracing_layer::XraySpanExt;
///
/// let span = info_span!("checkout");
/// span.annotate("tenant", "blue");
/// span.set_user("u-17");
/// ```
pub trait XraySpanExt: sealed::Sealed {
    /// Continues the trace of a caller's header.
    ///
    /// Applies to a local root that has no children yet. A later call is ignored and counted in
    /// [`Stats::late_headers`](crate::Stats::late_headers). So is the span's own header.
    ///
    /// The header's decision overrides the sampler's, which gets back what it had taken. A header at
    /// creation, in the field `xray.trace_header`, is cheaper: the sampler is not asked.
    ///
    /// ```
    /// use tracing::info_span;
    /// use xray_tracing_layer::XraySpanExt;
    /// use xray_tracing_layer::sdk::TraceHeader;
    ///
    /// let header: TraceHeader = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1".parse()?;
    /// let span = info_span!("job");
    /// span.set_trace_header(&header);
    /// # Ok::<(), xray_tracing_layer::sdk::header::ParseHeaderError>(())
    /// ```
    fn set_trace_header(&self, header: &TraceHeader);

    /// Records this span or leaves it out, overriding the sampler and the caller.
    ///
    /// Applies to a span that has no children yet. A later call is ignored and counted in
    /// [`Stats::late_decisions`](crate::Stats::late_decisions).
    ///
    /// | span | `true` | `false` |
    /// |---|---|---|
    /// | a root | records the trace | does not record the trace |
    /// | inside a recorded trace | – | leaves out the span and everything inside |
    /// | inside an unrecorded trace | makes it a segment that begins now | – |
    /// | in Lambda | – (the platform decides) | leaves out the span and everything inside |
    ///
    /// The field `xray.sampled` at creation does the same from the span's beginning.
    ///
    /// ```
    /// use tracing::info_span;
    /// use xray_tracing_layer::XraySpanExt;
    ///
    /// let span = info_span!("nightly_report");
    /// span.force_sampling(true);
    /// ```
    fn force_sampling(&self, sampled: bool);

    /// Returns the header to send to a service that is called from within this span.
    ///
    /// The header has the trace, this span as the parent, and whether it is sampled. A span without a record
    /// has the header of its nearest ancestor with one. Traces that are not sampled have a header as well,
    /// with `Sampled=0`.
    ///
    /// ```
    /// use tracing::info_span;
    /// use xray_tracing_layer::XraySpanExt;
    ///
    /// if let Some(header) = info_span!("publish").trace_header() {
    ///     println!("x-amzn-trace-id: {header}");
    /// }
    /// ```
    fn trace_header(&self) -> Option<TraceHeader>;

    /// Adds an annotation, which X-Ray indexes.
    ///
    /// Characters other than letters, digits, `_` and `.` in the key are replaced. A document has at most 50
    /// annotations; the others become metadata.
    ///
    /// ```
    /// use tracing::Span;
    /// use xray_tracing_layer::XraySpanExt;
    ///
    /// Span::current().annotate("tenant", "blue");
    /// Span::current().annotate("items", 3);
    /// ```
    fn annotate<'a>(&self, key: &str, value: impl Into<AnnotationValue<'a>>);

    /// Adds metadata, which X-Ray keeps and does not index. An empty namespace is `default`.
    ///
    /// ```
    /// use tracing::Span;
    /// use xray_tracing_layer::XraySpanExt;
    ///
    /// Span::current().add_metadata("cart", "items", &["tea", "cup"]);
    /// ```
    fn add_metadata(&self, namespace: &str, key: &str, value: &(impl Serialize + ?Sized));

    /// Sets the end user, on the segment that the span is part of.
    ///
    /// ```
    /// use tracing::Span;
    /// use xray_tracing_layer::XraySpanExt;
    ///
    /// Span::current().set_user("u-17");
    /// ```
    fn set_user(&self, user: &str);

    /// Links the (sub)segments of other traces that caused the span's work, such as the senders of a batch.
    ///
    /// ```
    /// use tracing::Span;
    /// use xray_tracing_layer::XraySpanExt;
    /// use xray_tracing_layer::sdk::document::Links;
    ///
    /// Span::current().set_links(&Links::default());
    /// ```
    fn set_links(&self, links: &Links);

    /// Adds an error with its chain of sources, one exception each. The span counts as failed.
    ///
    /// ```
    /// use tracing::Span;
    /// use xray_tracing_layer::XraySpanExt;
    ///
    /// if let Err(err) = "x".parse::<u32>() {
    ///     Span::current().record_error(&err);
    /// }
    /// ```
    fn record_error(&self, err: &(dyn Error + 'static));

    /// Sets the HTTP status, from which `error`, `throttle` and `fault` follow.
    ///
    /// ```
    /// use tracing::Span;
    /// use xray_tracing_layer::XraySpanExt;
    ///
    /// Span::current().set_http_status(404);
    /// ```
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

/// Returns the header of [`Span::current`], to send to a service that is called from here.
///
/// ```
/// if let Some(header) = xray_tracing_layer::current_trace_header() {
///     println!("x-amzn-trace-id: {header}");
/// }
/// ```
#[must_use]
pub fn current_trace_header() -> Option<TraceHeader> {
    Span::current().trace_header()
}

mod sealed {
    #[expect(unnameable_types, reason = "that is how a trait is sealed")]
    pub trait Sealed {}
    impl Sealed for tracing::Span {}
}
