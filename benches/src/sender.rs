//! What the queue costs for each document, apart from spans: the caller's copy, and the thread that sends. By the size of
//! the documents, and by the receive buffer that the queue is told of, which bounds how much leaves between two naps.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use xray_sdk::{DaemonAddress, Emitter, Packet, QueuedEmitter};

use crate::harness::meter::Median;
use crate::harness::receiver::Receiver;
use crate::workload::cpu_clock::{cpu_of_process, cpu_of_thread};

/// Bytes of a document.
const SIZES: [usize; 3] = [300, 600, 1_250];

/// Linux's default, twice and four times as much.
const RECEIVE_BUFFERS: [usize; 3] = [212_992, 425_984, 851_968];

/// Documents at once: less than half of a queue.
const DOCUMENTS: u32 = 1_500;

/// A table of nanoseconds of CPU time per document, medians over rounds in which the cases take turns.
///
/// # Errors
/// If the sink or a queue can't be set up.
pub fn table(binary: &Path) -> io::Result<String> {
    const ROUNDS: usize = 15;
    let sink = Receiver::start(binary, "127.0.0.1:0")?;
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
