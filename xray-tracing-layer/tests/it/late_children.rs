//! Spans that outlive the request around them: a request ends when it ended, not when its last task does.

use tokio::sync::oneshot;
use tracing::{Instrument, info_span};
use xray_sdk::local::Trace;

use crate::concurrency::runtime;
use crate::support::{Rig, tick};

/// How long before the end of the span `late` the segment ended.
#[track_caller]
fn ended_before(trace: &Trace, late: &str) -> f64 {
    trace.find(late).unwrap().end().unwrap() - trace.find("shop").unwrap().end().unwrap()
}

#[test]
fn a_request_that_leaves_work_behind_ends_when_it_was_left() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        let background = {
            let _in = root.enter();
            info_span!("request").in_scope(|| ());
            info_span!("background")
        };
        drop(root);
        tick();
        background.in_scope(|| info_span!("more").in_scope(|| ()));
        tick();
        drop(background);
    });
    let trace = rig.trace();
    rig.assert_picture("\n◆ shop\n├─ request\n└─ background\n   └─ more\n");
    assert!(ended_before(&trace, "background") > 0.009, "{}", ended_before(&trace, "background"));
}

#[test]
fn an_async_request_that_leaves_a_task_behind_ends_when_it_was_left() {
    let rig = Rig::new();
    let runtime = runtime(&rig.dispatch);
    let (finish, finished) = oneshot::channel::<()>();
    let request = async move {
        let background = async {
            finished.await.unwrap();
            info_span!("more").in_scope(|| ());
        };
        let task = tokio::spawn(background.instrument(info_span!("background")));
        tokio::task::yield_now().await;
        info_span!("request").in_scope(|| ());
        [task]
    };
    let [task] = rig.run(|| runtime.block_on(request.instrument(info_span!("root"))));
    tick();
    finish.send(()).unwrap();
    runtime.block_on(task).unwrap();
    drop(runtime);
    let trace = rig.trace();
    rig.assert_picture("\n◆ shop\n├─ background\n│  └─ more\n└─ request\n");
    assert!(ended_before(&trace, "background") > 0.004, "{}", ended_before(&trace, "background"));
}

#[test]
fn of_several_late_children_the_last_one_closes_the_request_that_ended_long_ago() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        let (early, late) = root.in_scope(|| (info_span!("early"), info_span!("late")));
        drop(root);
        let below = info_span!(parent: &late, "below");
        tick();
        drop(early);
        tick();
        drop(late);
        tick();
        drop(below);
    });
    let trace = rig.trace();
    assert_eq!(rig.received().documents().len(), 1);
    assert!(ended_before(&trace, "early") > 0.004);
    assert!(ended_before(&trace, "below") > 0.014);
}

#[test]
fn a_late_child_that_closes_on_another_thread_or_inside_another_request_changes_nothing() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root", annotation.which = 1);
        let background = root.in_scope(|| info_span!("background"));
        drop(root);
        tick();
        let other = info_span!("other", annotation.which = 2);
        other.in_scope(|| drop(background));
        let thread = other.in_scope(|| info_span!("on a thread"));
        drop(other);
        tick();
        std::thread::scope(|scope| scope.spawn(|| rig.run(|| drop(thread))).join().unwrap());
    });
    let traces = rig.received().traces();
    assert!(ended_before(&traces[0], "background") > 0.004);
    assert!(ended_before(&traces[1], "on a thread") > 0.004);
}

#[test]
fn a_request_whose_handle_lives_on_ends_when_the_handle_is_dropped() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        root.in_scope(|| info_span!("child").in_scope(|| ()));
        tick();
        drop(root);
    });
    let trace = rig.trace();
    assert!(ended_before(&trace, "child") < -0.004);
}

#[test]
fn a_late_child_of_a_request_whose_handle_lives_on_does_not_end_it() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        let child = root.in_scope(|| info_span!("child"));
        tick();
        drop(child);
        tick();
        drop(root);
    });
    let trace = rig.trace();
    assert!(ended_before(&trace, "child") < -0.004);
}

#[test]
fn a_request_that_was_never_entered_ends_with_its_last_child() {
    let rig = Rig::new();
    rig.run(|| {
        let root = info_span!("root");
        let child = info_span!(parent: &root, "child");
        drop(root);
        tick();
        drop(child);
    });
    let trace = rig.trace();
    assert!(ended_before(&trace, "child").abs() < 0.004);
}
