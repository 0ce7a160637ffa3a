//! INFO and WARN events inside of a recorded span, kept in the span's metadata: what happened before a failure.
//!
//! Nothing here runs unless the builder asks for breadcrumbs.

use tracing_core::Event;

use crate::fields::callsite::CallsiteInfo;
use crate::fields::database::language::language_of;
use crate::fields::library_event::is_machinery;
use crate::fields::scratch::with_buffer;
use crate::fields::visitor::BreadcrumbVisitor;
use crate::lifecycle::core::Core;

impl Core {
    /// Adds an event to the breadcrumbs of a span with a record.
    #[cold]
    pub(crate) fn breadcrumb(&self, event: &Event<'_>, callsite: &CallsiteInfo, id: u64) {
        let now = self.spans.clock.ticks();
        let Some(offset) = self.spans.table.with(id, |record| record.context.offset) else { return };
        with_buffer(|fields| {
            let mut visitor = BreadcrumbVisitor::new(callsite, &self.config.rules, fields);
            visitor.language = language_of(callsite, |fields| event.record(fields));
            event.record(&mut visitor);
            // The filter saw `tracing-log`'s callsite. The record's own target is known only here.
            if self.config.default_filter && visitor.log_record.target().is_some_and(is_machinery) {
                return;
            }
            self.output.counters.values_cut.add(visitor.cut.into());
            with_buffer(|crumb| {
                visitor.finish(crumb, event.metadata(), offset + now);
                let removed = self.spans.table.with(id, |record| {
                    record.body.push_numbered(NAMESPACE, crumb.as_str(), (MAX_CRUMBS, MAX_BYTES))
                });
                self.output.counters.breadcrumbs_dropped.add(removed.unwrap_or_default().into());
            });
        });
    }
}

/// The namespace of breadcrumbs in the metadata.
const NAMESPACE: &str = "breadcrumbs";

/// The maximum of breadcrumbs in a span.
const MAX_CRUMBS: usize = 50;

/// The maximum of their bytes in a span: an eighth of a document.
const MAX_BYTES: usize = 8_000;
