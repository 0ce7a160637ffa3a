//! A layer that queues: what is promised less than without a queue, and what is not.

use std::time::Duration;

use tracing::info_span;

use crate::support::Rig;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_queued_layer_s_spans_are_all_there_after_a_flush() {
    let mut guard = None;
    let rig = Rig::with(|builder| {
        let (builder, queue) = builder.queued().unwrap();
        guard = Some(queue);
        builder
    });
    for _ in 0..2 {
        for i in 0..40 {
            rig.run(|| info_span!("request", i).in_scope(|| drop(info_span!("query", text = "x".repeat(i)))));
        }
        assert!(rig.handle.flush(PATIENCE));
        let stats = rig.handle.stats();
        assert_eq!((stats.emitted, stats.emitter.queued), (stats.emitter.sent, 0));
        // As Lambda's SnapStart asks for.
        rig.handle.restored();
    }
    drop(guard);
    rig.run(|| drop(info_span!("late")));
    assert_eq!(rig.received().traces().len(), 81);
}

#[test]
fn a_guard_s_end_sends_what_is_queued() {
    let mut guard = None;
    let rig = Rig::with(|builder| {
        let (builder, queue) = builder.queued().unwrap();
        guard = Some(queue);
        builder
    });
    rig.run(|| drop(info_span!("request")));
    drop(guard);
    assert_eq!(rig.handle.stats().emitter.sent, 1);
    assert_eq!(rig.received().documents().len(), 1);
}
