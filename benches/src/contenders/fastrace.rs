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
    fastrace::set_reporter(reporter, Config::default().report_interval(INTERVAL));
    // Its collector looks at the interval when it wakes up, which it does early when so much waits.
    for _ in 0..3_000 {
        drop(Span::root("warm-up", SpanContext::random()));
    }
    fastrace::flush();
    Some(Box::new(Fastrace { epoch_ids, sampled: setting.sampled }))
}

/// What costs it least at the rate of a measurement. At its default of a second, spans are no longer in any cache when they
/// are collected: the calling thread takes a quarter more time, and the whole process no less.
const INTERVAL: Duration = Duration::from_millis(10);

struct Fastrace {
    /// Whether trace ids begin with the time, as X-Ray wants them.
    epoch_ids: bool,
    sampled: bool,
}

impl Drop for Fastrace {
    /// The collector outlives every world, and is not to wake up a hundred times a second in those of others.
    fn drop(&mut self) {
        fastrace::set_reporter(Nowhere, Config::default());
    }
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
                Job::Late(_) | Job::Polled(_) | Job::Exchange => {}
            }
        }
    }

    fn flush(&self) {
        fastrace::flush();
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
