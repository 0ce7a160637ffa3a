//! What outlives an invocation, what fails in one, and what the runtime's own spans and events say.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tracing::instrument::{Instrument, Instrumented};
use tracing::{Span, error, error_span, info_span, trace};

use super::*;

/// A future that is ready when it was polled once more than it was pending.
struct Pending(u32);

impl Future for Pending {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn poll<F: Future>(future: &mut Pin<Box<Instrumented<F>>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

pub(super) fn invoke(header: &'static str) -> Span {
    info_span!(target: "lambda_runtime::layers::trace", "Lambda runtime invoke", requestId = "r-1", xrayTraceId = header, tenantId = "blue")
}

#[track_caller]
fn assert_law(rig: &Rig) {
    let stats = rig.handle.stats();
    assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped, "{stats:?}");
}

#[test]
fn a_handler_that_leaves_a_task_behind_is_sent_before_the_runtime_goes_on() {
    let rig = lambda("");
    rig.run(|| {
        let facade = invoke(SAMPLED);
        let mut left_behind = None;
        let mut handler = facade.in_scope(|| {
            let handler = Pending(2).instrument(info_span!("handler"));
            Box::pin(handler)
        });
        facade.in_scope(|| assert!(poll(&mut handler).is_pending()));
        rig.pass(1_000);
        facade.in_scope(|| {
            handler.span().in_scope(|| {
                drop(info_span!("done"));
                left_behind = Some(info_span!("task"));
            });
            assert!(poll(&mut handler).is_ready());
            drop(handler);
            let sent = rig.sent();
            assert_eq!(names(&sent), ["handler"], "before anything else happens");
            assert_eq!(sent[0]["end_time"].as_f64(), Some(1_800_000_000.001));
            assert_eq!(sent[0]["subsegments"][0]["name"], "done");
            assert_eq!(sent[0]["annotations"]["request_id"], "r-1");
            assert_eq!(sent[0]["annotations"]["tenant_id"], "blue");
        });
        drop(facade);
        rig.pass(60 * SECOND);
        drop(left_behind);
        let late = rig.sent();
        assert_eq!(names(&late), ["task"], "and nothing twice");
        assert_eq!(late[0]["type"], "subsegment");
        assert_eq!(late[0]["trace_id"], "1-66f1a2b3-0123456789abcdef01234567");
    });
    let stats = rig.handle.stats();
    assert_eq!((stats.closed, stats.folded, stats.emitted, stats.documents), (3, 1, 2, 2));
}

#[test]
fn a_handler_without_such_a_task_is_one_document_sent_when_it_closes() {
    let rig = lambda("");
    rig.run(|| {
        let facade = invoke(SAMPLED);
        facade.in_scope(|| {
            let mut handler = Box::pin(Pending(1).instrument(info_span!("handler")));
            assert!(poll(&mut handler).is_ready());
            drop(handler);
            assert_eq!(names(&rig.sent()), ["handler"]);
        });
    });
    assert_law(&rig);
}

#[test]
fn a_handler_that_is_polled_twice_in_a_row_is_not_over() {
    let rig = lambda("");
    rig.run(|| {
        let facade = invoke(SAMPLED);
        facade.in_scope(|| {
            let mut handler = Box::pin(
                async {
                    let mut inner = Box::pin(Pending(3).instrument(info_span!("inner")));
                    std::future::poll_fn(|cx| inner.as_mut().poll(cx)).await;
                }
                .instrument(info_span!("handler")),
            );
            assert!(poll(&mut handler).is_pending() && poll(&mut handler).is_pending());
            assert_eq!(rig.sent(), [0; 0]);
            assert!(poll(&mut handler).is_ready());
        });
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["handler"]);
    assert_eq!(sent[0]["subsegments"][0]["name"], "inner");
}

#[test]
fn what_happens_in_a_span_after_it_left_is_a_subsegment_below_it() {
    let rig = lambda("");
    rig.run(|| {
        let facade = invoke(SAMPLED);
        let mut shared = None;
        facade.in_scope(|| {
            let mut handler = Box::pin(Pending(1).instrument(info_span!("handler")));
            let span = handler.span().clone();
            shared = Some((span.in_scope(|| info_span!("task")), span));
            assert!(poll(&mut handler).is_ready());
        });
        let sent = rig.sent();
        assert_eq!(names(&sent), ["handler"]);
        let Some((task, span)) = shared else { unreachable!() };
        span.in_scope(|| error!("too late for the caller"));
        let header = span.trace_header().unwrap().to_string();
        drop(task);
        drop(span);
        let late = rig.sent();
        assert_eq!(names(&late), ["task", "handler"]);
        assert_eq!(late[0]["parent_id"], sent[0]["id"]);
        assert_eq!(late[1]["parent_id"], sent[0]["id"]);
        assert_eq!(late[1]["fault"], true);
        assert_ne!(late[1]["id"], sent[0]["id"]);
        assert!(header.contains(late[1]["id"].as_str().unwrap()), "{header}");
    });
    assert_law(&rig);
    assert_eq!(rig.handle.stats().closed, 3);
}

#[test]
fn what_is_open_when_the_runtime_asks_for_the_next_event_is_announced_with_what_is_finished_in_it() {
    let rig = lambda(SAMPLED);
    rig.run(|| {
        let background = info_span!("background");
        background.in_scope(|| drop(info_span!("step")));
        trace!(target: "lambda_runtime::runtime", "Waiting for next event (incoming loop)");
        let sent = rig.sent();
        assert_eq!(names(&sent), ["step", "background"]);
        assert_eq!(sent[0]["parent_id"], sent[1]["id"]);
        assert_eq!(sent[1]["in_progress"], true);
        trace!(target: "lambda_runtime::runtime", "Waiting for next event (incoming loop)");
        assert_eq!(rig.sent(), [0; 0], "once");
        drop(background);
        let last = rig.sent();
        assert_eq!(names(&last), ["background"]);
        assert_eq!(last[0]["id"], sent[1]["id"]);
        assert!(last[0].get("subsegments").is_none());
    });
    assert_law(&rig);
}

#[cfg(feature = "lambda")]
#[test]
fn documents_that_wait_are_sent_before_the_freeze() {
    let rig = Rig::new(|b| b.stream_after(0).lambda(|| SAMPLED.parse().ok()));
    rig.run(|| {
        let background = info_span!("background");
        background.in_scope(|| drop(info_span!("step")));
        assert_eq!((rig.sent(), rig.handle.stats().held), (vec![], 1));
        trace!(target: "lambda_runtime::runtime", "Waiting for next event (incoming loop)");
        assert_eq!((names(&rig.sent()), rig.handle.stats().held), (vec!["step", "background"], 0));
        background.in_scope(|| drop(info_span!("step")));
        let handler = info_span!("handler");
        handler.in_scope(|| drop(info_span!("query")));
        assert_eq!((rig.sent(), rig.handle.stats().held), (vec![], 2));
        crate::layer::find::emit_early(&handler);
        assert_eq!((names(&rig.sent()), rig.handle.stats().held), (vec!["query", "handler", "step"], 0));
    });
    assert_law(&rig);
}

#[test]
fn a_workers_span_around_invocations_decides_nothing() {
    let rig = lambda("");
    rig.run(|| {
        // Named by another target than the runtime's, so that the filter lets it through.
        let _worker = info_span!("worker").entered();
        let other = SAMPLED.replace("0123456789abcdef01234567", "76543210fedcba9876543210");
        for header in [SAMPLED, &other] {
            let _invoke = info_span!("Lambda runtime invoke", xrayTraceId = header).entered();
            drop(info_span!("handler"));
        }
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["handler", "handler"]);
    assert_ne!(sent[0]["trace_id"], sent[1]["trace_id"]);
}

#[test]
fn a_span_that_is_not_kept_is_forgotten() {
    let rig = lambda("");
    rig.run(|| {
        let _handler = invoke(SAMPLED).in_scope(|| info_span!("handler")).entered();
        let quiet = info_span!("quiet");
        quiet.force_sampling(false);
        drop(quiet);
        let open = rig.handle.core.spans.host.lambda().map(|function| function.open().len());
        assert_eq!(open, Some(1), "the handler");
    });
    assert_law(&rig);
}

#[test]
fn the_handlers_error_is_told_by_the_runtime_and_belongs_to_the_handler() {
    let rig = lambda("");
    rig.run(|| {
        let facade = invoke(SAMPLED);
        facade.in_scope(|| {
            let mut handler = Box::pin(Pending(1).instrument(info_span!("handler")));
            assert!(poll(&mut handler).is_ready());
            error!(target: "lambda_runtime::layers::panic", "OutOfStock");
            drop(handler);
            error!(target: "lambda_runtime::layers::panic", "once is enough");
        });
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["handler"]);
    assert_eq!(sent[0]["cause"]["exceptions"][0]["message"], "OutOfStock");
    assert_eq!(sent[0]["fault"], true);
    assert_law(&rig);
}

#[test]
fn a_failure_that_no_span_is_open_for_is_a_subsegment_of_its_own() {
    let rig = lambda("");
    rig.run(|| {
        let _invoke = invoke(SAMPLED).entered();
        info_span!("load").in_scope(|| ());
        rig.pass(1_000);
        error!(target: "lambda_runtime::layers::panic", "OutOfStock");
        error!(target: "lambda_runtime::layers::panic", "once is enough");
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["load", "Lambda runtime invoke"]);
    assert_eq!(sent[1]["cause"]["exceptions"][0]["message"], "OutOfStock");
    assert_eq!(sent[1]["parent_id"], "53995c3f42cd8ad8");
    assert_eq!(sent[1]["end_time"].as_f64(), Some(1_800_000_000.001));
    assert_law(&rig);
}

#[test]
fn an_unsampled_invocation_passes_its_header_on_as_it_came() {
    for header in [
        "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=a:1",
        "Root=1-66f1a2b3-0123456789abcdef01234567;Sampled=0",
    ] {
        let rig = lambda("");
        rig.run(|| {
            let _invoke = invoke(header).entered();
            let _handler = info_span!("handler").entered();
            let _work = error_span!("work").entered();
            error!("nobody hears this");
            assert_eq!(current_trace_header().unwrap().to_string(), header);
        });
        assert_eq!(rig.sent(), [0; 0]);
        assert_eq!((rig.handle.stats().closed, rig.handle.stats().unsampled), (0, 1));
    }
}

#[test]
fn a_header_of_an_http_request_makes_no_second_root() {
    let rig = lambda("");
    rig.run(|| {
        let _invoke = invoke(SAMPLED).entered();
        let request = info_span!("request", xray.trace_header = SAMPLED, client.address = "192.0.2.1");
        request.set_trace_header(&SAMPLED.parse().unwrap());
    });
    let sent = rig.sent();
    assert_eq!(names(&sent), ["request"]);
    assert_eq!((&sent[0]["type"], &sent[0]["parent_id"]), (&"subsegment".into(), &"53995c3f42cd8ad8".into()));
}

#[test]
fn a_user_named_below_the_runtimes_span_is_kept_too() {
    let rig = lambda("");
    rig.run(|| {
        let _invoke = invoke(SAMPLED).entered();
        let _handler = info_span!("handler").entered();
        Span::current().set_user("u-17");
    });
    assert_eq!(rig.sent()[0]["metadata"]["default"]["user.id"], "u-17");
}

#[test]
fn spans_inside_that_are_over_do_not_end_a_handler_that_something_still_holds() {
    let inside: [fn(); 4] = [
        || drop(info_span!("over")),
        || drop(info_span!("left out", xray.sampled = false)),
        || {
            tracing::event!(target: "sqlx::query", tracing::Level::DEBUG, summary = "select 1", elapsed_secs = 0.1);
        },
        || info_span!("around").in_scope(|| drop(info_span!("inside"))),
    ];
    for (case, inside) in inside.into_iter().enumerate() {
        let rig = lambda("");
        rig.run(|| {
            let facade = invoke(SAMPLED);
            facade.in_scope(|| {
                let mut handler = Box::pin(Pending(1).instrument(info_span!("handler")));
                let held = handler.span().clone();
                held.in_scope(inside);
                assert!(poll(&mut handler).is_ready());
                drop(handler);
                assert_eq!(rig.sent(), [0; 0], "{case}");
                drop(held);
                assert_eq!(names(&rig.sent()), ["handler"], "{case}");
            });
        });
        assert_law(&rig);
    }
}

#[test]
fn a_task_is_left_behind_whatever_closes_beside_it() {
    let rig = lambda("");
    rig.run(|| {
        let facade = invoke(SAMPLED);
        facade.in_scope(|| {
            let mut handler = Box::pin(Pending(1).instrument(info_span!("handler")));
            let task = handler.span().in_scope(|| {
                let task = info_span!("task");
                drop(info_span!("done"));
                task
            });
            assert!(poll(&mut handler).is_ready());
            drop(handler);
            assert_eq!(names(&rig.sent()), ["handler"]);
            drop(task);
            assert_eq!(names(&rig.sent()), ["task"]);
        });
    });
    assert_law(&rig);
}
