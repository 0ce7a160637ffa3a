//! Ids as a process makes them: many threads, threads that end, a reseed in between.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::mpsc;
use std::time::{SystemTime, UNIX_EPOCH};

use xray_sdk::id::reseed;
use xray_sdk::{SegmentId, TraceId};

#[test]
fn ids_are_unique_across_threads_and_reseeds() {
    const EACH: usize = 2000;
    let (traces, segments): (Vec<_>, Vec<_>) = std::thread::scope(|scope| {
        let run = || {
            let make = |i| {
                if i % 500 == 0 {
                    reseed();
                }
                (TraceId::new(), SegmentId::random())
            };
            (0..EACH).map(make).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).unzip()
    });
    assert_eq!(traces.into_iter().collect::<HashSet<_>>().len(), 8 * EACH);
    assert_eq!(segments.into_iter().collect::<HashSet<_>>().len(), 8 * EACH);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "to compare with the wall clock")]
fn new_traces_begin_now() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let before = now();
    let id = u64::from(TraceId::new().epoch_seconds());
    assert!((before..=now()).contains(&id));
}

#[test]
fn ids_are_made_even_while_a_thread_is_torn_down() {
    struct AtExit(Cell<Option<mpsc::Sender<(TraceId, SegmentId)>>>);
    impl Drop for AtExit {
        fn drop(&mut self) {
            if let Some(ids) = self.0.take() {
                let _ = ids.send((TraceId::new(), SegmentId::random()));
            }
        }
    }
    thread_local! {
        static AT_EXIT: AtExit = const { AtExit(Cell::new(None)) };
    }
    let (sender, ids) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            AT_EXIT.with(|at_exit| at_exit.0.set(Some(sender)));
            // Used before as well, so that its own thread locals are there to be torn down.
            (TraceId::new(), SegmentId::random())
        });
    });
    let (trace, segment) = ids.recv().unwrap();
    assert_ne!((u128::from(trace), u64::from(segment)), (0, 0));
}
