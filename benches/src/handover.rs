//! The cost of a document's hand-over within a request: the queue beside emitters that do less.
//!
//! All of them are emitters of one layer, and take turns while requests go on, so that whatever else happens on the machine
//! happens to each. The rhythm is that of the other tables: a burst of requests, then a pause without sleep.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{Dispatch, dispatcher};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry;
use xray_sdk::sampling::Always;
use xray_sdk::{DaemonAddress, EmitError, Emitter, Packet, QueuedEmitter};

use crate::harness::meter::{BURST, Median, PAUSE};
use crate::harness::receiver::Receiver;
use crate::workload::cpu_clock::{cpu_of_process, cpu_of_thread, stay_awake};
use crate::workload::jobs::Job;

/// What becomes of a document: in words, and how many bytes of memory of its own the emitter goes round in.
const WAYS: [(&str, usize); 5] = [
    ("forgotten", 0),
    ("copied into one buffer", 1),
    ("copied into a ring of 64 KB", 1 << 16),
    ("copied into a ring of 1 MB", 1 << 20),
    ("queued", 0),
];

const QUEUED: usize = WAYS.len() - 1;

/// Times that each way has its turn.
const ROUNDS: usize = 25;

/// Bursts in a turn, and those of them by which the caches are its own.
const BURSTS: usize = 15;
const WARM_UP: usize = 5;

/// A table of nanoseconds of CPU per request of five spans.
///
/// # Errors
/// If the sink or a queue can't be set up.
pub fn table(binary: &Path) -> io::Result<String> {
    let sink = Receiver::start(binary, "127.0.0.1:0")?;
    let address: DaemonAddress = sink.address().to_string().parse().map_err(io::Error::other)?;
    let (queue, _guard) = QueuedEmitter::start(&address)?;
    let emitter = Arc::new(Switch { way: AtomicUsize::new(0), ring: Mutex::default(), queue });
    let builder = xray_tracing_layer::builder().service_name("shop").sampler(Always);
    let layer = builder.emitter(Arc::clone(&emitter)).build().map_err(io::Error::other)?;
    let dispatch = Dispatch::new(registry().with(layer));
    let mut samples = vec![(Vec::new(), Vec::new()); WAYS.len()];
    dispatcher::with_default(&dispatch, || {
        for _ in 0..ROUNDS {
            for (way, (caller, others)) in samples.iter_mut().enumerate() {
                emitter.take(way);
                others.push(turn(&emitter, caller));
            }
        }
    });
    let mut text =
        "| ns of CPU per request, whose document is | caller | more | other threads |\n|---|--:|--:|--:|\n"
            .to_owned();
    let mut least = None;
    for ((name, _), (caller, others)) in WAYS.iter().zip(samples) {
        let (caller, others) = (Median::of(caller), Median::of(others));
        let least = *least.get_or_insert(caller.value);
        let _ = writeln!(
            text,
            "| {name} | {:.0} ± {:.0} % | {:.0} | {:.0} |",
            caller.value,
            100.0 * caller.spread,
            caller.value - least,
            others.value
        );
    }
    Ok(text)
}

/// Does requests, and adds what the caller took for each in every burst. Returns what other threads took for each.
fn turn(emitter: &Switch, caller: &mut Vec<f64>) -> f64 {
    let requests = BURST / Job::Request.spans();
    let each = |time: Duration, count: u32| time.as_nanos() as f64 / f64::from(count);
    let (process, thread) = (cpu_of_process(), cpu_of_thread());
    for burst in 0..BURSTS {
        let before = cpu_of_thread();
        (0..requests).for_each(|_| Job::Request.with_tracing());
        let took = cpu_of_thread().saturating_sub(before);
        if burst >= WARM_UP {
            caller.push(each(took, requests));
        }
        stay_awake(PAUSE, || true);
    }
    emitter.queue.flush(Duration::from_secs(10));
    let own = cpu_of_thread().saturating_sub(thread);
    each(cpu_of_process().saturating_sub(process + own), requests * BURSTS as u32)
}

/// Does with a document what it is set to.
struct Switch {
    /// One of [`WAYS`].
    way: AtomicUsize,
    ring: Mutex<Ring>,
    queue: QueuedEmitter,
}

#[derive(Default)]
struct Ring {
    bytes: Vec<u8>,
    next: usize,
}

impl Switch {
    fn take(&self, way: usize) {
        *self.ring.lock().unwrap_or_else(PoisonError::into_inner) =
            Ring { bytes: vec![0; WAYS[way].1.max(1 << 13)], next: 0 };
        self.way.store(way, Ordering::Relaxed);
    }
}

impl Emitter for Switch {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        let packet_bytes = packet.as_bytes();
        match self.way.load(Ordering::Relaxed) {
            0 => drop(black_box(packet_bytes)),
            QUEUED => return self.queue.emit(packet),
            way => {
                let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
                let Ring { bytes, next } = &mut *ring;
                let start = if *next + packet_bytes.len() > WAYS[way].1 { 0 } else { *next };
                *next = start + packet_bytes.len();
                if let Some(room) = bytes.get_mut(start..*next) {
                    room.copy_from_slice(packet_bytes);
                }
            }
        }
        Ok(())
    }
}
