//! The builder's settings about contents: spans that are left out, and events that are kept.

use crate::builder::settings::Builder;
use crate::settings::drop_rule::DropRule;

impl<F> Builder<F> {
    /// Leaves spans out of all traces, by their name or by a [`DropRule`]. Spans inside of them stay, and belong to the
    /// span around, unless the rule says [`with_children`](DropRule::with_children).
    ///
    /// May be called more than once; the first rule that applies counts. Spans directly inside of one that is left out and
    /// has no span around become segments: in the trace of the caller, with the caller's decision, if the span has a
    /// trace header, else each in a trace of its own. Spans that are left out are counted in
    /// [`Stats::left_out`](crate::Stats::left_out). Defaults to no rule.
    ///
    /// Rules cost a span nothing: each callsite is looked at once.
    ///
    /// ```
    /// use xray_tracing_layer::DropRule;
    ///
    /// let builder = xray_tracing_layer::builder()
    ///     .drop_span("poll")
    ///     .drop_span(DropRule::target("store::cache").with_children());
    /// ```
    pub fn drop_span(mut self, rule: impl Into<DropRule>) -> Self {
        self.settings.callsites.drop_rules.add(rule.into());
        self
    }

    /// Keeps INFO and WARN events inside of a recorded span in its metadata, in the namespace `breadcrumbs`: time,
    /// level, target, message and fields.
    ///
    /// A span keeps its latest 50 events, and at most 8,000 bytes of them. Earlier ones are counted in
    /// [`Stats::breadcrumbs_dropped`](crate::Stats::breadcrumbs_dropped). Values lose their secrets as those of ERROR
    /// events do, and pass the [redaction hook](Self::redact). By default such events are not recorded, and the
    /// default filter does not enable them.
    ///
    /// A filter of one's own has to let the events pass:
    /// [`default_filter().with_breadcrumbs()`](crate::DefaultFilter::with_breadcrumbs) does.
    ///
    /// ```
    /// let builder = xray_tracing_layer::builder().breadcrumbs();
    /// ```
    pub fn breadcrumbs(mut self) -> Self {
        self.settings.callsites.breadcrumbs = true;
        self
    }
}
