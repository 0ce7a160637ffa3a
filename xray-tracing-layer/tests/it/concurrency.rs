//! Threads, tasks, and spans that close in any order: nothing is lost, and a request ends when it ended.

use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use tracing::{Dispatch, Instrument, Span, error, info_span};
use xray_tracing_layer::XraySpanExt;

use crate::support::{MemoryRig, Rig, span_count};

/// A runtime all of whose threads have the subscriber.
pub(crate) fn runtime(dispatch: &Dispatch) -> tokio::runtime::Runtime {
    let dispatch = dispatch.clone();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&dispatch)))
        .build()
        .unwrap()
}

#[test]
fn children_on_other_threads_belong_to_their_parent() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        std::thread::scope(|scope| {
            for n in 0..4 {
                let (rig, root) = (&rig, &root);
                scope.spawn(move || {
                    rig.run(|| {
                        let child = info_span!(parent: root, "child", annotation.n = n);
                        let _in = child.enter();
                        for _ in 0..10 {
                            info_span!("grandchild").in_scope(|| ());
                        }
                        error!("failed here");
                    });
                });
            }
        });
    });
    let trace = rig.trace();
    assert_eq!((trace.span_count(), trace.roots().count()), (45, 1));
    let children: Vec<_> = trace.roots().next().unwrap().children().collect();
    assert_eq!(children.len(), 4);
    for child in children {
        assert_eq!((child.name(), child.children().count()), ("child", 10));
        assert_eq!(child.json()["fault"], true);
    }
}

#[test]
fn spans_closed_out_of_order_keep_their_places() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        let a = info_span!(parent: &root, "a");
        let b = info_span!(parent: &a, "b");
        let c = info_span!(parent: &b, "c");
        drop(a);
        drop(root);
        let d = info_span!(parent: &b, "d");
        drop(b);
        drop(c);
        drop(d);
    });
    rig.assert_picture(
        "
◆ shop
└─ a
   └─ b
      ├─ c
      └─ d
",
    );
}

#[test]
fn guards_dropped_out_of_order_do_no_harm() {
    let rig = Rig::new();
    rig.run(|| {
        let (a, b) = (info_span!("a"), info_span!("b"));
        let (in_a, in_b) = (a.enter(), b.enter());
        drop(in_a);
        info_span!("in b").in_scope(|| ());
        drop(in_b);
        let twice = (a.enter(), a.enter());
        info_span!("in a").in_scope(|| ());
        drop(twice);
    });
    rig.assert_picture("\n◆ shop\n└─ in a\n◆ shop\n└─ in b\n");
}

#[test]
fn a_span_may_be_entered_on_several_threads_at_once() {
    let rig = Rig::new();
    let barrier = Barrier::new(4);
    rig.run(|| {
        let root = info_span!("root");
        let shared = info_span!(parent: &root, "shared");
        std::thread::scope(|scope| {
            for n in 0..4 {
                let (rig, barrier, shared) = (&rig, &barrier, shared.clone());
                scope.spawn(move || {
                    rig.run(|| {
                        let _in = shared.enter();
                        barrier.wait();
                        info_span!("work").in_scope(|| ());
                        shared.annotate(&format!("n{n}"), n);
                        barrier.wait();
                    });
                    rig.run(|| drop(shared));
                });
            }
        });
    });
    rig.assert_picture(
        "
◆ shop
└─ shared  n0=0  n1=1  n2=2  n3=3
   ├─ work
   ├─ work
   ├─ work
   └─ work
",
    );
}

#[test]
fn five_thousand_spans_may_be_open_at_once() {
    let rig = MemoryRig::new();
    rig.run(|| {
        let root = info_span!("root");
        let open: Vec<Span> = (0..5_000).map(|i| info_span!(parent: &root, "open", i)).collect();
        for (i, span) in open.iter().enumerate() {
            XraySpanExt::add_metadata(span, "", "late", &i);
        }
        drop(open);
    });
    let documents = rig.documents();
    assert_eq!(documents.iter().map(span_count).sum::<u64>(), 5_001);
    assert_eq!(rig.handle.stats().over_capacity, 0);
}

#[test]
fn thousands_of_roots_from_four_threads_are_all_sent() {
    let rig = MemoryRig::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                rig.run(|| {
                    for i in 0..1_000 {
                        let root = info_span!("root", i);
                        let _in = root.enter();
                        info_span!("child").in_scope(|| info_span!("grandchild").in_scope(|| ()));
                    }
                });
            });
        }
    });
    let documents = rig.documents();
    assert_eq!((documents.len(), rig.handle.stats().closed), (4_000, 12_000));
    assert!(documents.iter().all(|document| span_count(document) == 3));
}

#[test]
fn spans_opened_on_one_thread_and_closed_on_another_are_whole() {
    let rig = MemoryRig::new();
    let (send, receive) = mpsc::channel::<Vec<Span>>();
    std::thread::scope(|scope| {
        let rig = &rig;
        scope.spawn(move || {
            rig.run(|| {
                for _ in 0..500 {
                    let root = info_span!("root");
                    let child = info_span!(parent: &root, "child");
                    send.send(vec![root, child]).unwrap();
                }
            });
        });
        scope.spawn(move || rig.run(|| receive.iter().for_each(drop)));
    });
    assert_eq!((rig.documents().len(), rig.handle.stats().abandoned), (500, 0));
}

#[test]
fn tasks_are_children_of_the_span_they_were_spawned_in() {
    let rig = Rig::new();
    let runtime = runtime(&rig.dispatch);
    let request = async {
        let tasks: Vec<_> = (0..4)
            .map(|n| {
                let work = async {
                    tokio::task::yield_now().await;
                    info_span!("inside").in_scope(|| ());
                    tokio::task::yield_now().await;
                };
                tokio::spawn(work.instrument(info_span!("task", annotation.n = n)))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        async { tokio::task::yield_now().await }.instrument(info_span!("after")).await;
    };
    rig.run(|| runtime.block_on(request.instrument(info_span!("root"))));
    drop(runtime);
    let trace = rig.trace();
    let root = trace.roots().next().unwrap();
    let names: Vec<_> = root.children().map(|child| (child.name(), child.children().count())).collect();
    assert_eq!(names, [("task", 1), ("task", 1), ("task", 1), ("task", 1), ("after", 0)]);
}

#[test]
fn a_request_that_is_dropped_halfway_is_whole_to_that_point() {
    let rig = Rig::new();
    let runtime = runtime(&rig.dispatch);
    rig.run(|| {
        runtime.block_on(async {
            let never = async {
                let _child = info_span!("child").entered_owned();
                std::future::pending::<()>().await;
            };
            let mut request = Box::pin(never.instrument(info_span!("root")));
            let poll =
                std::future::poll_fn(|cx| std::task::Poll::Ready(request.as_mut().poll(cx).is_pending()));
            assert!(poll.await);
            drop(request);
        });
    });
    drop(runtime);
    rig.assert_picture("\n◆ shop\n└─ child\n");
}

/// A span held across an await without being entered across it.
trait Held {
    fn entered_owned(self) -> Span;
}

impl Held for Span {
    fn entered_owned(self) -> Span {
        self.in_scope(|| ());
        self
    }
}

#[test]
fn a_thread_that_panics_marks_the_spans_it_was_in() {
    let rig = Rig::new();
    let dispatch = rig.dispatch.clone();
    let panicked = std::thread::scope(|scope| {
        scope
            .spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    let _root = info_span!("root").entered();
                    let _child = info_span!("child").entered();
                    panic!("on purpose");
                });
            })
            .join()
    });
    assert!(panicked.is_err());
    rig.assert_picture("\n◆ shop  fault\n└─ child  fault\n");
}

#[test]
fn a_subscriber_may_go_while_spans_are_open() {
    let rig = Rig::new();
    let (root, child) = rig.run(|| {
        let root = info_span!("root");
        let child = info_span!(parent: &root, "child");
        (root, child)
    });
    let Rig { handle, dispatch, collector } = rig;
    drop(dispatch);
    child.annotate("still", true);
    drop(child);
    drop(root);
    let stats = handle.stats();
    assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped);
    assert!(handle.flush(Duration::ZERO));
    assert_eq!(handle.diagnostics(), []);
    drop(collector);
}

#[test]
fn a_root_alone_is_sent_after_its_subscriber_went() {
    let rig = Rig::new();
    let root = rig.run(|| info_span!("root"));
    let Rig { handle, dispatch, collector } = rig;
    drop(dispatch);
    drop(root);
    assert!(collector.wait_for_documents(1, Duration::from_secs(10)));
    assert_eq!(handle.stats().emitted, 1);
}

#[test]
fn spans_in_thread_locals_may_close_while_their_thread_ends() {
    thread_local!(static KEPT: std::cell::RefCell<Vec<Span>> = const { std::cell::RefCell::new(Vec::new()) });
    let rig = Rig::new();
    let dispatch = rig.dispatch.clone();
    std::thread::scope(|scope| {
        scope
            .spawn(move || {
                // Made before anything of the layer's, so that it is destroyed after that, or before: both happen.
                KEPT.with_borrow_mut(Vec::clear);
                tracing::dispatcher::with_default(&dispatch, || {
                    for _ in 0..100 {
                        KEPT.with_borrow_mut(|kept| kept.push(info_span!("kept")));
                    }
                });
            })
            .join()
            .unwrap();
    });
    assert_eq!(rig.handle.stats().closed, 100);
    assert_eq!(rig.received().traces().len(), 100);
}

#[test]
fn many_threads_may_fold_into_one_parent_at_once() {
    let rig = MemoryRig::new();
    let barrier = Arc::new(Barrier::new(4));
    rig.run(|| {
        let root = info_span!("root");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (rig, root, barrier) = (&rig, &root, Arc::clone(&barrier));
                scope.spawn(move || {
                    rig.run(|| {
                        barrier.wait();
                        for i in 0..500 {
                            let child = info_span!(parent: root, "child", i);
                            child.set_user("someone");
                            root.annotate("last", i);
                            drop(child);
                        }
                    });
                });
            }
        });
    });
    let documents = rig.documents();
    assert_eq!(documents.iter().map(span_count).sum::<u64>(), 2_001);
}
