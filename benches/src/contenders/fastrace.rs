//! fastrace, which has an interface of its own: with a reporter that drops everything, and through OpenTelemetry
//! to opentelemetry-aws's exporter. Its reporter is the process's; each world sets it anew.

use std::borrow::Cow;
use std::time::Duration;

use fastrace::collector::{Config, Reporter};
use fastrace::prelude::{Event, LocalSpan, Span, SpanContext};

use super::cheapest::{Nowhere, fastrace_reporter, fastrace_root};
use crate::workload::contender::{Built, Setting, World};
use crate::workload::jobs::{Job, URL};

pub(super) fn dropping(setting: Setting) -> Built {
    Ok(world(setting, Nowhere, false))
}

pub(super) fn through_otel(setting: Setting) -> Built {
    Ok(world(setting, fastrace_reporter(setting.daemon)?, true))
}

fn world(setting: Setting, reporter: impl Reporter, epoch_ids: bool) -> Option<Box<dyn World>> {
    // No callsite is rejected by anybody here.
    if setting.beside {
        return None;
    }
    // It reports when it is flushed, and nothing runs meanwhile.
    fastrace::set_reporter(reporter, Config::default().report_interval(Duration::from_secs(3_600)));
    Some(Box::new(Fastrace { epoch_ids, sampled: setting.sampled }))
}

struct Fastrace {
    /// Whether trace ids begin with the time, as X-Ray wants them.
    epoch_ids: bool,
    sampled: bool,
}

impl World for Fastrace {
    #[inline(never)]
    fn run(&self, job: Job, times: u32) {
        for _ in 0..times {
            match job {
                Job::Request => self.request(),
                Job::Children(count) | Job::Kinds(count) | Job::Rejected(count) => self.children(count),
                Job::Chain(depth) => self.chain(depth),
                // In the gate alone, where no rival is.
                Job::Late(_) => {}
            }
        }
    }

    fn flush(&self) {
        fastrace::flush();
    }

    /// Its flush begins a thread each time: let that be small beside the spans.
    fn batch(&self) -> u32 {
        5_000
    }
}

impl Fastrace {
    fn request(&self) {
        let root = self
            .root()
            .with_properties(|| [("span.kind", "server"), ("http.request.method", "GET"), ("url.full", URL)]);
        let _in_root = root.set_local_parent();
        for order in -1i32..3 {
            let _in_child = child(order);
            if order == 1 {
                LocalSpan::add_event(Event::new("no luck").with_property(|| ("level", "ERROR")));
            }
        }
        root.add_property(|| ("http.response.status_code", "200"));
    }

    fn children(&self, count: u32) {
        let root = self.root().with_property(|| ("span.kind", "server"));
        let _in_root = root.set_local_parent();
        for order in 0..count {
            let _in_child = child(order);
        }
    }

    fn chain(&self, depth: u32) {
        let root = self.root().with_property(|| ("span.kind", "server"));
        let _in_root = root.set_local_parent();
        descend(depth);
    }

    fn root(&self) -> Span {
        if !self.sampled {
            return Span::noop();
        }
        if self.epoch_ids {
            return fastrace_root("GET /orders");
        }
        Span::root("GET /orders", SpanContext::random())
    }
}

fn child(order: impl std::fmt::Display) -> LocalSpan {
    LocalSpan::enter_with_local_parent("load")
        .with_properties(|| [("kind", Cow::Borrowed("order")), ("order", Cow::Owned(order.to_string()))])
}

fn descend(left: u32) {
    if left > 0 {
        let _in_child = child(left);
        descend(left - 1);
    }
}
