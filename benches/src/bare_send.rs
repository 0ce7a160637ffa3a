//! The kernel's part of a caller's time for one datagram: a bare socket's `send` beside the emitter's, to a
//! receiver that sleeps, as it does when a trace of a hundred spans comes every thirty microseconds.

use std::fmt::Write as _;
use std::io;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use xray_sdk::{DaemonAddress, Emitter, Packet, UdpEmitter};

use crate::harness::meter::Median;
use crate::harness::receiver::Receiver;
use crate::workload::cpu_clock::{cpu_of_thread, stay_awake};

/// Bytes of a document: a small one, a request's, that of a hundred spans, and one that is full.
const SIZES: [usize; 4] = [300, 1_250, 20_000, 60_000];

/// Between two datagrams.
const PAUSE: Duration = Duration::from_micros(30);

/// A table of microseconds of the caller's CPU time per datagram, medians over rounds in which the cases take turns.
///
/// # Errors
/// If the sink or a socket can't be set up.
pub fn table(binary: &Path) -> io::Result<String> {
    const ROUNDS: usize = 500;
    let sink = Receiver::start(binary, "127.0.0.1:0")?;
    let address: DaemonAddress = sink.address().to_string().parse().map_err(io::Error::other)?;
    let emitter = UdpEmitter::new(&address);
    #[expect(clippy::disallowed_methods, reason = "it is measured beside the SDK's")]
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_nonblocking(true)?;
    socket.connect(sink.address())?;
    let packets = SIZES.map(|size| {
        let mut packet = Packet::new();
        packet.start_document().put(&"x".repeat(size));
        packet
    });
    let mut samples = vec![(Vec::new(), Vec::new()); SIZES.len()];
    for _ in 0..ROUNDS {
        for (packet, (bare, emitted)) in packets.iter().zip(&mut samples) {
            bare.push(took(|| drop(socket.send(packet.as_bytes()))));
            emitted.push(took(|| {
                let _ = emitter.emit(packet);
            }));
        }
    }
    let mut text = "| µs of CPU per datagram | bare socket | emitter |\n|---|--:|--:|\n".to_owned();
    for (size, (bare, emitted)) in SIZES.iter().zip(samples) {
        let [bare, emitted] = [bare, emitted].map(Median::of);
        let _ = writeln!(
            text,
            "| {size} bytes | {:.1} ± {:.0} % | {:.1} ± {:.0} % |",
            bare.value,
            100.0 * bare.spread,
            emitted.value,
            100.0 * emitted.spread
        );
    }
    Ok(text)
}

/// The CPU time of one send, in microseconds, after a pause in which the receiver goes to sleep.
fn took(send: impl FnOnce()) -> f64 {
    stay_awake(PAUSE, || true);
    let before = cpu_of_thread();
    send();
    cpu_of_thread().saturating_sub(before).as_nanos() as f64 / 1e3
}
