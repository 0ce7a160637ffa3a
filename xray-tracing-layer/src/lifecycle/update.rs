//! Between open and close: fields recorded late, events, and exits.

use std::num::NonZeroU64;

use tracing_core::span::{Id, Record};
use tracing_core::{Event, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use xray_sdk::document::internal::{Body, Section, keys};

use crate::fields::callsite::{CallsiteId, CallsiteInfo};
use crate::fields::database::language::{language_in, language_of};
use crate::fields::error_event::ErrorVisitor;
use crate::fields::library_event::{EventKind, is_machinery};
use crate::fields::scratch::{with_body, with_buffer};
use crate::fields::visitor::{FieldVisitor, MessageVisitor, put_status_alone};
use crate::lifecycle::core::Core;
use crate::settings::reentrancy::is_recording_suppressed;
use crate::state::record::{Kind, Role};
use crate::state::thread::thread_state::ThreadState;

impl Core {
    pub(crate) fn record(&self, id: &Id, values: &Record<'_>) {
        let id = id.into_u64();
        let target = self.spans.table.with(id, |record| {
            if !record.keeps_fields() {
                return None;
            }
            let callsite = self.spans.callsites.get(record.callsite)?;
            // No code of the user's runs for a number.
            if put_status_alone(callsite, &self.config.rules, values, &mut record.body) {
                return None;
            }
            let is_segment = matches!(record.context.role, Role::Segment | Role::Unsampled);
            Some((callsite, record.context.root, is_segment))
        });
        if let Some(target) = target.flatten() {
            self.record_any(id, target, values);
        }
    }

    #[inline(never)]
    fn record_any(
        &self,
        id: u64,
        (callsite, root, is_segment): (&CallsiteInfo, u64, bool),
        values: &Record<'_>,
    ) {
        with_body(|body| {
            let mut visitor = FieldVisitor::new(callsite, &self.config.rules, body, is_segment);
            if callsite.has_statement {
                let known = self.spans.table.with(id, |record| language_in(&record.body)).flatten();
                visitor.target.language =
                    known.or_else(|| language_of(callsite, |fields| values.record(fields)));
            }
            values.record(&mut visitor);
            let (header, forced) = (visitor.target.header.take(), visitor.target.forced.take());
            let user = visitor.target.user.take();
            self.spans.table.with(id, |record| record.body.absorb(body));
            if let Some(user) = user {
                self.set_user(root, 0, &user);
            }
            // A header that was declared as an empty field and recorded later.
            if let Some(field) = header {
                match field.header {
                    Some(header) => self.set_trace_header(id, &header),
                    None => self.output.counters.bad_headers.one(),
                }
            }
            if let Some(sampled) = forced {
                let _ = self.force(id, sampled);
            }
        });
    }

    #[inline]
    pub(crate) fn event<S>(&self, event: &Event<'_>, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if !self.spans.host.is_lambda() && event.is_contextual() && self.is_in_unsampled() {
            return;
        }
        // First: a rule about callsites may be what sends the event.
        if is_recording_suppressed() {
            return;
        }
        let (callsite_id, callsite) = self.spans.callsites.of(event.metadata());
        match callsite.event {
            EventKind::Ignored => {}
            EventKind::Error | EventKind::Echo | EventKind::Fields => {
                if let Some(id) = self.recorded_span_of(event, ctx) {
                    self.put_event(event, callsite, id);
                }
            }
            _ => self.other_event(event, (callsite_id, callsite), ctx),
        }
    }

    /// Acts on an event that says more than that its span has failed. Apart, since most events say that.
    #[inline(never)]
    fn other_event<S>(
        &self,
        event: &Event<'_>,
        (callsite_id, callsite): (CallsiteId, &CallsiteInfo),
        ctx: &Context<'_, S>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        match callsite.event {
            EventKind::AwsResponse => self.aws_response(event, ctx),
            EventKind::LambdaIdle => {
                self.spans.host.lambda().into_iter().for_each(|function| self.before_freeze(function));
            }
            EventKind::LambdaFailure => {
                let Some(lambda_failure_target) = self.lambda_failure_target(ctx) else { return };
                self.put_event(event, callsite, lambda_failure_target);
                self.emit_lambda_failure(lambda_failure_target);
            }
            EventKind::FinishedCall(library_event) => {
                self.finished_call(event, library_event, (callsite_id, callsite), ctx);
            }
            EventKind::Breadcrumb => {
                if let Some(id) = self.recorded_span_of(event, ctx) {
                    self.breadcrumb(event, callsite, id);
                }
            }
            EventKind::Ignored | EventKind::Error | EventKind::Echo | EventKind::Fields => {}
        }
    }

    fn put_event(&self, event: &Event<'_>, callsite: &CallsiteInfo, id: u64) {
        if !MessageVisitor::is_for(callsite, &self.config.rules) {
            return self.put_any_event(event, callsite, id);
        }
        with_buffer(|exception| {
            let mut visitor = MessageVisitor::new(&self.config.rules, exception);
            event.record(&mut visitor);
            let is_cut = visitor.finish();
            let stack_at = Body::end_exception(exception, &callsite.stack);
            self.spans.table.with(id, |record| record.body.put_ended(exception, stack_at, is_cut));
        });
    }

    #[inline(never)]
    fn put_any_event(&self, event: &Event<'_>, callsite: &CallsiteInfo, id: u64) {
        with_body(|body| {
            if callsite.event != EventKind::Fields {
                with_buffer(|message| {
                    let mut visitor = ErrorVisitor::new(callsite, &self.config.rules, body, message);
                    visitor.language = language_of(callsite, |fields| event.record(fields));
                    event.record(&mut visitor);
                    // The filter saw `tracing-log`'s callsite. The record's own target is known only here.
                    if self.config.default_filter && visitor.log_record.target().is_some_and(is_machinery) {
                        return;
                    }
                    visitor.finish();
                });
            } else {
                event.record(&mut FieldVisitor::new(callsite, &self.config.rules, body, false));
            }
            self.spans.table.with(id, |record| {
                let target = || record.body.has_exceptions() || record.body.status().is_some();
                if callsite.event != EventKind::Echo || !target() {
                    record.body.absorb(body);
                }
            });
        });
    }

    /// Returns the nearest span of an event that has a record, if it is recorded.
    #[inline(always)]
    fn recorded_span_of<S>(&self, event: &Event<'_>, ctx: &Context<'_, S>) -> Option<u64>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // Most events are in a span inside a root.
        match self.current_part() {
            Some(part) if event.is_contextual() => Some(part.get()),
            _ => self.span_of(event, ctx, Role::is_recorded),
        }
    }

    /// Returns the nearest span of an event that has a record, if `takes` accepts its role.
    #[inline(never)]
    pub(crate) fn span_of<S>(
        &self,
        event: &Event<'_>,
        ctx: &Context<'_, S>,
        takes: impl Fn(Role) -> bool,
    ) -> Option<u64>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let recorded = |id: u64| self.spans.table.with(id, |record| takes(record.context.role));
        if event.is_contextual() {
            let current = self.current(ctx)?.get();
            if let Some(recorded) = recorded(current) {
                return recorded.then_some(current);
            }
        }
        // The current span has no record, or the event names another span.
        let scope = ctx.event_scope(event)?.map(|span| span.id().into_u64());
        self.spans.table.nearest(scope, |id, record| takes(record.context.role).then_some(id))?
    }

    /// Notes an exit. A local root ends at its last exit, if something that outlives it keeps it open in the
    /// registry.
    #[inline]
    pub(crate) fn exit<S>(&self, id: &Id, ctx: Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // Each call is the last, so that nothing is kept for afterwards.
        if self.spans.host.is_lambda() {
            return self.exit_any(id, ctx);
        }
        match self.exit_known(id.into_u64()) {
            Some(false) if std::thread::panicking() => self.exit_by_panic(id.into_u64()),
            Some(false) => {}
            Some(true) => self.exit_root(id.into_u64()),
            None => self.exit_any(id, ctx),
        }
    }

    #[inline(never)]
    fn exit_any<S>(&self, id: &Id, ctx: Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let kind = self.exit_last(id.into_u64()).unwrap_or_else(|| self.exit_other(id.into_u64()));
        if kind == Kind::Root {
            self.exit_root(id.into_u64());
        } else if std::thread::panicking() {
            self.exit_by_panic(id.into_u64());
        }
        if self.spans.host.is_lambda() {
            self.on_exit_in_lambda(id.into_u64(), &ctx);
        }
    }

    /// Notes a panic in a span that may outlive the panic: something outside catches it.
    #[cold]
    #[inline(never)]
    fn exit_by_panic(&self, id: u64) {
        if self.spans.table.kind(id) == Kind::Part {
            self.spans.table.with(id, |record| note_panic(&mut record.body));
        }
    }

    #[inline(never)]
    fn exit_root(&self, id: u64) {
        let (now, panicking) = (self.spans.clock.ticks(), std::thread::panicking());
        self.spans.table.with(id, |record| {
            if record.context.role.is_recorded() {
                record.exited = NonZeroU64::new(now);
                if panicking {
                    note_panic(&mut record.body);
                }
            }
        });
    }

    pub(crate) fn follows(&self, id: &Id, other: &Id) {
        let Some(other) = self.spans.table.with(other.into_u64(), |record| record.segment_id) else { return };
        self.spans.table.with(id.into_u64(), |record| {
            if record.context.role.is_recorded() {
                record.body.put(Section::Metadata, 0, keys::FOLLOWS_FROM, |out| {
                    out.put_segment_id(other);
                    xray_sdk::document::internal::Written::Whole
                });
            }
        });
    }

    /// Sets the end user, whom X-Ray knows only on segments.
    pub(crate) fn set_user(&self, root: u64, rank: u8, user: &str) {
        if user.trim_ascii().is_empty() {
            return;
        }
        self.spans.table.with(root, |root| match root.context.role {
            Role::Segment | Role::Unsampled => root.body.put_str(Section::Top, rank, keys::USER, user),
            _ => root.body.put_str(Section::Metadata, rank, keys::USER_ID, user),
        });
    }
}

/// Records that the thread panics, unless the span has an error already. A panic whose message is recorded in a
/// span inside is a fault of this one as well, without a message.
pub(crate) fn note_panic(body: &mut Body) {
    if ThreadState::with(|thread| thread.panic_recorded.get()) == Some(true) {
        body.set_fault();
    } else if !body.has_exceptions() {
        body.add_exception(&xray_sdk::document::Exception::new("panic", "the thread panicked in this span"));
    }
}
