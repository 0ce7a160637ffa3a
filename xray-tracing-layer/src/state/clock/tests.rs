//! Clocks that lie, one way after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tracing_subscriber::prelude::*;
use tracing_subscriber::{Registry, registry};
use xray_sdk::sampling::Always;
use xray_sdk::testing::MemoryEmitter;

use super::clock::{ANCHOR_AGE, Clock};
use super::script::Script;

const SECOND: u64 = 1_000_000;
const EPOCH: u64 = 1_700_000_000 * SECOND;

/// A clock that has been right for ten minutes.
fn clock() -> (Clock, Arc<Script>) {
    let script = Arc::new(Script::default());
    script.has_counter.store(true, Relaxed);
    // They never start at the same number.
    script.pass(77, 5, EPOCH);
    let clock = Clock::of_script(Arc::clone(&script));
    clock.count_from_script();
    clock.begin();
    for _ in 0..600 {
        script.pass(SECOND as i64 + 10, SECOND + 10, SECOND + 10);
        assert_eq!(root(&clock), script.wall());
    }
    assert!(clock.still_reads_counter());
    (clock, script)
}

/// Opens a root now. Returns its start in microseconds since the epoch.
fn root(clock: &Clock) -> u64 {
    let (start, offset) = clock.begin_tree(clock.ticks());
    start + offset
}

#[test]
fn a_counter_that_lies_is_found_out_by_the_next_root_and_never_read_again() {
    let second = SECOND as i64;
    for (lie, counter, monotonic, wall) in [
        ("set forward", 3_600 * second, 2 * SECOND, 2 * SECOND),
        ("set back", -300 * second, 2 * SECOND, 2 * SECOND),
        ("set back to before its start", -700 * second, 2 * SECOND, 2 * SECOND),
        ("one percent fast", 2 * second + 20_000, 2 * SECOND, 2 * SECOND),
        ("one percent slow", 2 * second - 20_000, 2 * SECOND, 2 * SECOND),
        ("three times too fast", 6 * second, 2 * SECOND, 2 * SECOND),
        ("a second in half of one", second + 1, SECOND / 2, SECOND / 2),
        ("runs while the machine sleeps", 3_600 * second, 2 * SECOND, 3_600 * SECOND),
    ] {
        let (clock, script) = clock();
        let (open, offset) = clock.begin_tree(clock.ticks());
        script.pass(counter, monotonic, wall);
        assert_eq!(root(&clock), script.wall(), "{lie}: the root that finds it out starts at the right time");
        assert!(!clock.still_reads_counter(), "{lie}");
        let lasted = clock.ticks() - open;
        assert_eq!(lasted, monotonic, "{lie}: a span that is open lasts as long as it did");
        assert!(clock.ticks() + offset >= open + offset);
        // Whatever the counter does now.
        script.pass(-second, 5, 5);
        assert_eq!(clock.ticks() - open, monotonic + 5, "{lie}");
        assert_eq!(root(&clock), script.wall(), "{lie}");
    }
}

#[test]
fn a_rate_that_is_within_a_thousandth_is_kept_and_the_error_stays_within_a_millisecond() {
    for error in [-900, -20, 20, 900] {
        let (clock, script) = clock();
        for _ in 0..3_600 {
            script.pass(SECOND as i64 + 10 + error, SECOND + 10, SECOND + 10);
            let start = root(&clock);
            assert!(start.abs_diff(script.wall()) <= SECOND / 1_000, "{start}");
        }
        assert!(clock.still_reads_counter(), "{error} ppm");
    }
}

#[test]
fn a_thread_that_sleeps_between_two_readings_is_no_lie() {
    let (clock, script) = clock();
    for _ in 0..10 {
        script.pass(2 * SECOND as i64, 2 * SECOND, 2 * SECOND);
        script.slowness.store(300_000_000, Relaxed);
        let _ = root(&clock);
        script.slowness.store(0, Relaxed);
    }
    assert!(clock.still_reads_counter());
    script.pass(6 * SECOND as i64, 2 * SECOND, 2 * SECOND);
    let _ = root(&clock);
    assert!(!clock.still_reads_counter(), "what was agreed on before still counts");
}

#[test]
fn a_wall_clock_that_was_set_is_noticed_by_the_next_root_and_is_none_of_the_counters_business() {
    for set in [3_600 * SECOND, 0] {
        let (clock, script) = clock();
        script.pass(ANCHOR_AGE as i64 + 1, ANCHOR_AGE + 1, set);
        assert_eq!(root(&clock), script.wall());
        assert!(clock.still_reads_counter());
    }
}

#[test]
fn a_restored_process_reads_the_systems_clock() {
    let (clock, script) = clock();
    let before = clock.ticks();
    script.pass(-5 * SECOND as i64, 5, 86_400 * SECOND);
    clock.restored();
    assert!(!clock.still_reads_counter());
    assert_eq!(root(&clock), script.wall());
    assert_eq!(clock.ticks(), before + 5);
    clock.restored();
    assert_eq!(clock.ticks(), before + 5, "twice is as good as once");
}

#[test]
fn a_clock_of_the_system_has_no_counter() {
    let clock = Clock::of_system();
    assert!(!clock.still_reads_counter());
    assert!(clock.counter_is_absent());
    let (ticks, nanos) = clock.read();
    assert_eq!(ticks, nanos / 1_000 + 1);
}

#[test]
fn the_real_counter_agrees_with_the_real_clock() {
    let clock = Clock::of_processor();
    let began = std::time::Instant::now();
    let start = clock.ticks();
    while began.elapsed().as_millis() < 20 {
        std::hint::spin_loop();
    }
    let counted = clock.ticks() - start;
    let took = began.elapsed().as_micros() as u64;
    assert!(counted >= 19_900 && counted <= took + 100, "{counted} of {took}");
}

#[test]
fn a_layer_that_is_restored_reads_the_wall_clock_anew() {
    let (clock, script) = clock();
    let sent = MemoryEmitter::new();
    let builder = crate::builder().sampler(Always).emitter(sent.clone()).clock(clock);
    let (layer, handle) = builder.build_with_handle::<Registry>().unwrap();
    tracing::subscriber::with_default(registry().with(layer), || {
        script.pass(5, 5, 86_400 * SECOND);
        handle.restored();
        drop(tracing::info_span!("root"));
    });
    let start = sent.take().documents()[0].json()["start_time"].as_f64().unwrap();
    assert_eq!((start * SECOND as f64).round() as u64, script.wall());
}
