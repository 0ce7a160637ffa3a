//! Children for which their parent has no room: how many go out in one call, when, and that each is counted at every
//! moment. What takes seconds is tested under a manual clock, in `src/tests`.

use std::collections::HashSet;
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tracing::{Dispatch, info_span};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Registry, reload};
use xray_sdk::sampling::Always;
use xray_sdk::{EmitError, Emitter, Packet};
use xray_tracing_layer::{Builder, Handle};

use crate::support::{MemoryRig, Rig, assert_law};

/// Keeps documents by call.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<Vec<Value>>>>);

impl Calls {
    fn add(&self, packets: &[Packet]) {
        let parse = |packet: &Packet| serde_json::from_slice(packet.document()).unwrap();
        self.0.lock().unwrap().push(packets.iter().map(parse).collect());
    }

    /// Documents in each call since the last time.
    fn sizes(&self) -> Vec<usize> {
        std::mem::take(&mut *self.0.lock().unwrap()).iter().map(Vec::len).collect()
    }
}

impl Emitter for Calls {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        self.add(std::slice::from_ref(packet));
        Ok(())
    }

    fn emit_all(&self, packets: &[Packet], report: &mut dyn FnMut(usize, Result<(), EmitError>)) {
        self.add(packets);
        (0..packets.len()).for_each(|index| report(index, Ok(())));
    }
}

fn rig(change: impl FnOnce(Builder) -> Builder) -> (Calls, Handle, Dispatch) {
    let calls = Calls::default();
    let builder = xray_tracing_layer::builder().service_name("shop").sampler(Always).emitter(calls.clone());
    let (layer, handle) = change(builder).build_with_handle::<Registry>().unwrap();
    (calls, handle, Dispatch::new(tracing_subscriber::registry().with(layer)))
}

fn children(count: usize) {
    for i in 0..count {
        info_span!("child", i).in_scope(|| ());
    }
}

#[test]
fn children_go_out_sixty_at_a_time_and_the_rest_before_their_parent() {
    let (calls, handle, dispatch) = rig(|builder| builder.stream_after(5));
    tracing::dispatcher::with_default(&dispatch, || {
        let root = info_span!("root").entered();
        children(5 + 59);
        assert_eq!(calls.sizes(), [0; 0], "5 are folded, 59 wait");
        children(1);
        assert_eq!(calls.sizes(), [60]);
        children(62);
        assert_eq!(calls.sizes(), [60]);
        drop(root);
    });
    assert_eq!(calls.sizes(), [2, 1]);
    let stats = handle.stats();
    assert_law(&stats);
    assert_eq!((stats.closed, stats.folded, stats.emitted, stats.documents), (128, 5, 123, 123));
}

#[test]
fn children_that_wait_count_as_held_until_a_flush_sends_them() {
    let (calls, handle, dispatch) = rig(|builder| builder.stream_after(1));
    tracing::dispatcher::with_default(&dispatch, || {
        let _root = info_span!("root").entered();
        children(11);
        let stats = handle.stats();
        assert_eq!((stats.closed, stats.folded, stats.emitted, stats.held), (11, 1, 0, 10));
        assert!(handle.flush(Duration::from_secs(10)));
        let stats = handle.stats();
        assert_eq!((stats.closed, stats.folded, stats.emitted, stats.held), (11, 1, 10, 0));
        assert_eq!(calls.sizes(), [10]);
    });
}

#[test]
fn a_wide_span_inside_another_sends_its_own_before_it_closes() {
    let (calls, handle, dispatch) = rig(|builder| builder.stream_after(0));
    tracing::dispatcher::with_default(&dispatch, || {
        let _root = info_span!("root").entered();
        info_span!("outer").in_scope(|| info_span!("inner").in_scope(|| children(3)));
        assert_eq!(calls.sizes(), [3, 1], "inner's, then outer's, which is inner");
        assert_eq!(handle.stats().held, 1);
    });
    assert_eq!(calls.sizes(), [1, 1]);
    assert_law(&handle.stats());
}

#[test]
fn a_large_document_does_not_wait() {
    let (calls, handle, dispatch) = rig(|builder| builder.stream_after(0));
    tracing::dispatcher::with_default(&dispatch, || {
        let _root = info_span!("root").entered();
        children(1);
        info_span!("large", text = "x".repeat(9_000)).in_scope(|| ());
        assert_eq!(calls.sizes(), [1]);
        assert_eq!((handle.stats().held, handle.stats().emitted), (1, 1));
    });
}

#[test]
fn what_an_emitter_refuses_or_never_reports_is_dropped() {
    struct Forgets;
    impl Emitter for Forgets {
        fn emit(&self, _: &Packet) -> Result<(), EmitError> {
            Ok(())
        }
        fn emit_all(&self, packets: &[Packet], report: &mut dyn FnMut(usize, Result<(), EmitError>)) {
            report(0, Ok(()));
            report(0, Ok(()));
            report(1, Err(EmitError::Full));
            report(packets.len(), Ok(()));
        }
    }
    let (_, handle, dispatch) = rig(|builder| builder.stream_after(0).emitter(Forgets));
    tracing::dispatcher::with_default(&dispatch, || {
        let _root = info_span!("root").entered();
        children(5);
    });
    let stats = handle.stats();
    assert_law(&stats);
    assert_eq!((stats.closed, stats.emitted, stats.dropped, stats.documents), (6, 2, 4, 2));
}

#[test]
fn an_emitter_that_panics_costs_the_documents_of_that_call() {
    struct Panics(AtomicBool);
    impl Emitter for Panics {
        fn emit(&self, _: &Packet) -> Result<(), EmitError> {
            assert!(!self.0.swap(false, Relaxed), "on purpose");
            Ok(())
        }
    }
    let (_, handle, dispatch) = rig(|builder| builder.stream_after(0).emitter(Panics(true.into())));
    tracing::dispatcher::with_default(&dispatch, || {
        let _root = info_span!("root").entered();
        children(59);
        let last = info_span!("child");
        assert!(catch_unwind(AssertUnwindSafe(|| drop(last))).is_err());
        let stats = handle.stats();
        assert_eq!((stats.closed, stats.dropped, stats.held), (60, 60, 0));
        children(3);
    });
    let stats = handle.stats();
    assert_law(&stats);
    assert_eq!((stats.closed, stats.emitted, stats.dropped), (64, 4, 60));
}

#[test]
fn a_layer_that_is_removed_sends_what_waits() {
    let calls = Calls::default();
    let builder = xray_tracing_layer::builder().service_name("shop").sampler(Always).stream_after(0);
    let (layer, handle) = builder.emitter(calls.clone()).build_with_handle::<Registry>().unwrap();
    let (layer, reloading) = reload::Layer::new(Some(layer));
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        let _root = info_span!("root").entered();
        children(3);
        assert_eq!(handle.stats().held, 3);
        reloading.reload(None).unwrap();
        assert_eq!(calls.sizes(), [3]);
    });
    assert_eq!((handle.stats().held, handle.stats().emitted), (0, 3));
}

#[test]
fn many_threads_fill_one_parent_s_batches_and_nothing_is_lost_or_sent_twice() {
    const THREADS: usize = 6;
    const EACH: usize = 2_000;
    let rig = MemoryRig::with(|builder| builder.stream_after(7));
    let (root, done) = (rig.run(|| info_span!("root")), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    tracing::dispatcher::with_default(&rig.dispatch, || {
                        (0..EACH).for_each(|i| drop(info_span!(parent: &root, "child", i)));
                    });
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Relaxed) {
                rig.handle.flush(Duration::from_millis(1));
                let stats = rig.handle.stats();
                assert_eq!(stats.closed, stats.folded + stats.emitted + stats.dropped + stats.held);
                assert!(stats.held <= (THREADS * EACH) as u64, "{stats:?}");
            }
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        done.store(true, Relaxed);
    });
    assert!(rig.handle.flush(Duration::from_secs(10)));
    assert_eq!(rig.handle.stats().held, 0);
    drop(root);
    // A slow machine announces the root in between.
    let is_whole = |document: &Value| document["in_progress"] != true;
    let documents: Vec<_> = rig.documents().into_iter().filter(is_whole).collect();
    assert_eq!(rig.handle.stats().closed, (THREADS * EACH + 1) as u64);
    let ids: HashSet<_> = documents.iter().map(|document| document["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), documents.len());
}

#[test]
fn what_goes_out_together_fits_a_default_receive_buffer_that_nobody_reads() {
    // What the kernel adds to each datagram differs from one system to another.
    const DEFAULT: &str = "212992";
    let is_default = |size: String| size.trim() == DEFAULT;
    if !std::fs::read_to_string("/proc/sys/net/core/rmem_default").is_ok_and(is_default) {
        return;
    }
    for size in [0, 300, 1_000, 4_000, 7_500] {
        #[expect(clippy::disallowed_methods, reason = "the daemon's end")]
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let builder = xray_tracing_layer::builder().sampler(Always).stream_after(0).daemon_address(&address);
        let (layer, handle) = builder.build_with_handle::<Registry>().unwrap();
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        tracing::dispatcher::with_default(&dispatch, || {
            let _root = info_span!("root").entered();
            let mut read = 0;
            // Whatever leaves at once arrives; then it is read.
            for _ in 0..300 {
                let before = handle.stats().emitter.sent;
                info_span!("child", text = "x".repeat(size)).in_scope(|| ());
                let left = handle.stats().emitter.sent - before;
                let mut datagram = [0; 1 << 14];
                let arrived = std::iter::from_fn(|| socket.recv(&mut datagram).ok()).count() as u64;
                assert_eq!(arrived, left, "of {size} bytes each");
                read += arrived;
            }
            assert!(read > 200, "{read} of {size} bytes each");
        });
    }
}

#[test]
fn what_goes_out_together_arrives_whole() {
    // 80 small datagrams fit into a receive buffer, whoever reads.
    let rig = Rig::with(|builder| builder.stream_after(10));
    rig.run(|| {
        let _root = info_span!("root").entered();
        children(90);
    });
    assert_eq!(rig.received().documents().len(), 81);
    assert_eq!((rig.trace().span_count(), rig.trace().missing_parents().len()), (91, 0));
}
