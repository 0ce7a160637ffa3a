//! The cost of the queue for each document, apart from spans: the caller's copy, and the thread that sends.
//!
//! Three tables. In a burst, by the size of the documents and by the receive buffer that the queue assumes, which bounds
//! how much leaves between two naps. At a fixed rate, beside an emitter without a queue. And without a queue, documents
//! that are sent together. The first and the last are also for a receiver that reads runs whole, as `xray-daemon` does.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use xray_sdk::{DaemonAddress, Emitter, Packet, QueuedEmitter, UdpEmitter};

use crate::harness::meter::Median;
use crate::harness::receiver::{Reading, Receiver};
use crate::workload::cpu_clock::{cpu_of_process, cpu_of_thread, stay_awake};

/// Those that receive, and what they stand for.
const RECEIVERS: [(Reading, &str); 2] = [
    (Reading::Single, "a receiver of single datagrams, as AWS's daemon"),
    (Reading::Runs, "one of whole runs, as xray-daemon"),
];

/// Bytes of a document.
const SIZES: [usize; 3] = [300, 600, 1_250];

/// Linux's default, twice and four times as much.
const RECEIVE_BUFFERS: [usize; 3] = [212_992, 425_984, 851_968];

/// Documents at once: less than half of a queue.
const DOCUMENTS: u32 = 1_500;

/// Documents a second.
const RATES: [u32; 4] = [20, 100, 400, 2_000];

/// How long a document may wait, in milliseconds.
const DELAYS: [u64; 4] = [10, 50, 100, 250];

/// How long each case lasts at a fixed rate, in each round.
const TURN: Duration = Duration::from_millis(1_500);

/// Documents that an emitter without a queue is given together.
const TOGETHER: [usize; 5] = [1, 10, 30, 60, 120];

/// All tables.
///
/// # Errors
/// If the sink or a queue can't be set up.
pub fn tables(binary: &Path) -> io::Result<String> {
    let mut text = String::new();
    for (reading, receiver) in RECEIVERS {
        let _ = writeln!(text, "To {receiver}, from a queue:\n\n{}", table(reading, binary)?);
    }
    for (reading, receiver) in RECEIVERS {
        let _ = writeln!(text, "To {receiver}, without a queue:\n\n{}", together(reading, binary)?);
    }
    Ok(text + &rates(binary)?)
}

/// A table of nanoseconds of CPU time per document, medians over rounds in which the cases take turns.
fn table(reading: Reading, binary: &Path) -> io::Result<String> {
    const ROUNDS: usize = 15;
    let sink = Receiver::start_reading(reading, binary, "127.0.0.1:0")?;
    let address: DaemonAddress = sink.address().to_string().parse().map_err(io::Error::other)?;
    let mut samples = vec![(Vec::new(), Vec::new()); SIZES.len() * RECEIVE_BUFFERS.len()];
    for _ in 0..ROUNDS {
        let cases = SIZES.iter().flat_map(|size| RECEIVE_BUFFERS.map(|buffer| (*size, buffer)));
        for ((size, buffer), (caller, sender)) in cases.zip(&mut samples) {
            let (one, other) = measure(&address, size, buffer)?;
            caller.push(one);
            sender.push(other);
        }
    }
    let mut text = "| ns of CPU per document".to_owned();
    for buffer in RECEIVE_BUFFERS {
        let _ = write!(text, " | caller | sender, buffer of {buffer}");
    }
    let _ = writeln!(text, " |\n|---{}|", "|--:".repeat(2 * RECEIVE_BUFFERS.len()));
    for (size, samples) in SIZES.iter().zip(samples.chunks(RECEIVE_BUFFERS.len())) {
        let _ = write!(text, "| {size} bytes");
        for one in samples.iter().flat_map(|(caller, sender)| [caller, sender]) {
            let median = Median::of(one.iter().copied());
            let _ = write!(text, " | {:.0} ± {:.0} %", median.value, 100.0 * median.spread);
        }
        text.push_str(" |\n");
    }
    Ok(text)
}

/// What the caller and the sender take for each document, in nanoseconds.
fn measure(address: &DaemonAddress, size: usize, receive_buffer: usize) -> io::Result<(f64, f64)> {
    let (emitter, guard) = QueuedEmitter::builder().receive_buffer(receive_buffer).start(address)?;
    let mut packet = Packet::new();
    packet.start_document().put(&"x".repeat(size));
    let round = || {
        let (process, thread) = (cpu_of_process(), cpu_of_thread());
        for _ in 0..DOCUMENTS {
            let _ = emitter.emit(&packet);
        }
        let caller = cpu_of_thread().saturating_sub(thread);
        emitter.flush(Duration::from_secs(10));
        let waiting = cpu_of_thread().saturating_sub(thread);
        let sender = cpu_of_process().saturating_sub(process).saturating_sub(waiting);
        let each = |time: Duration| time.as_nanos() as f64 / f64::from(DOCUMENTS);
        (each(caller), each(sender))
    };
    // Memory is made, and the socket opened, by the first.
    round();
    let result = round();
    drop(guard);
    Ok(result)
}

/// A table of microseconds of CPU time per document that comes at a fixed rate, by how long it may wait for others.
fn rates(binary: &Path) -> io::Result<String> {
    const ROUNDS: usize = 5;
    let sink = Receiver::start(binary, "127.0.0.1:0")?;
    let address: DaemonAddress = sink.address().to_string().parse().map_err(io::Error::other)?;
    let mut samples = vec![vec![Vec::new(); 2 + DELAYS.len()]; RATES.len()];
    for _ in 0..ROUNDS {
        for (rate, samples) in RATES.into_iter().zip(&mut samples) {
            samples[0].push(paced(&UdpEmitter::new(&address), rate).0);
            for (index, delay) in DELAYS.into_iter().enumerate() {
                let builder = QueuedEmitter::builder().delay(Duration::from_millis(delay));
                let (emitter, guard) = builder.start(&address)?;
                let (caller, sender) = paced(&emitter, rate);
                samples[1].push(caller);
                samples[2 + index].push(sender);
                drop(guard);
            }
        }
    }
    let mut text = "| µs of CPU per document | without a queue | caller".to_owned();
    for delay in DELAYS {
        let _ = write!(text, " | sender, delay of {delay} ms");
    }
    let _ = writeln!(text, " |\n|---|--:{}|", "|--:".repeat(1 + DELAYS.len()));
    for (rate, samples) in RATES.iter().zip(samples) {
        let _ = write!(text, "| {rate} a second");
        for one in samples {
            let median = Median::of(one);
            let _ = write!(text, " | {:.1} ± {:.0} %", median.value, 100.0 * median.spread);
        }
        text.push_str(" |\n");
    }
    Ok(text)
}

/// What the caller's emit and the emitter's own threads take for each document, in microseconds.
fn paced(emitter: &dyn Emitter, rate: u32) -> (f64, f64) {
    let mut packet = Packet::new();
    packet.start_document().put(&"x".repeat(1_250));
    let (begin, period) = (Instant::now(), Duration::from_secs(1) / rate);
    let count = rate * TURN.as_millis() as u32 / 1_000;
    let (process, thread, mut caller) = (cpu_of_process(), cpu_of_thread(), Duration::ZERO);
    for number in 0..count {
        thread::sleep((begin + period * number).saturating_duration_since(Instant::now()));
        let before = cpu_of_thread();
        let _ = emitter.emit(&packet);
        caller += cpu_of_thread().saturating_sub(before);
    }
    emitter.flush(Duration::from_secs(10));
    let own = cpu_of_thread().saturating_sub(thread);
    let others = cpu_of_process().saturating_sub(process).saturating_sub(own);
    let each = |time: Duration| time.as_nanos() as f64 / 1e3 / f64::from(count);
    (each(caller), each(others))
}

/// A table of nanoseconds of the caller's CPU time per document, by how many an emitter without a queue is given together.
fn together(reading: Reading, binary: &Path) -> io::Result<String> {
    const ROUNDS: usize = 200;
    let sink = Receiver::start_reading(reading, binary, "127.0.0.1:0")?;
    let address: DaemonAddress = sink.address().to_string().parse().map_err(io::Error::other)?;
    let emitter = UdpEmitter::new(&address);
    let mut samples = vec![Vec::new(); SIZES.len() * TOGETHER.len()];
    for _ in 0..ROUNDS {
        let cases = SIZES.iter().flat_map(|size| TOGETHER.map(|count| (*size, count)));
        for ((size, count), samples) in cases.zip(&mut samples) {
            let mut packet = Packet::new();
            packet.start_document().put(&"x".repeat(size));
            let packets = vec![packet; count];
            // The sink reads meanwhile.
            stay_awake(Duration::from_micros(300), || true);
            let before = cpu_of_thread();
            emitter.emit_all(&packets, &mut |_, _| ());
            let took = cpu_of_thread().saturating_sub(before);
            samples.push(took.as_nanos() as f64 / count as f64);
        }
    }
    let mut text = "| ns of CPU per document".to_owned();
    for count in TOGETHER {
        let _ = write!(text, " | {count} together");
    }
    let _ = writeln!(text, " |\n|---{}|", "|--:".repeat(TOGETHER.len()));
    for (size, samples) in SIZES.iter().zip(samples.chunks(TOGETHER.len())) {
        let _ = write!(text, "| {size} bytes");
        for one in samples {
            let median = Median::of(one.iter().copied());
            let _ = write!(text, " | {:.0} ± {:.0} %", median.value, 100.0 * median.spread);
        }
        text.push_str(" |\n");
    }
    Ok(text)
}
