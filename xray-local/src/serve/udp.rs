//! The daemon's UDP port: a thread that takes datagrams apart and hands their documents to the store.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use xray_sdk::receive::{DatagramBuffer, ReceiveSocket, document};

use crate::model::Door;
use crate::store::Store;

use super::Permit;

/// The listening thread.
#[derive(Debug)]
pub(super) struct Listener {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Time that the thread waits for a datagram before it looks whether it should end.
const WAIT: Duration = Duration::from_millis(50);

/// Time between two looks at what the kernel dropped.
const LOOK: Duration = Duration::from_secs(1);

/// Longest time that datagrams are read after the end was asked for.
const DRAIN: Duration = Duration::from_secs(5);

impl Listener {
    pub(super) fn start(socket: ReceiveSocket, store: Store, mut permit: Permit) -> io::Result<Self> {
        socket.set_read_timeout(Some(WAIT))?;
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("xray-local-udp".to_owned())
            .spawn(move || receive(&socket, &store, &mut permit, &asked))?;
        Ok(Self { stop, thread })
    }

    /// Reads what the kernel still has, then ends. Blocks until that is done.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        // A panic of the thread has been reported by its hook.
        let _ = self.thread.join();
    }
}

fn receive(socket: &ReceiveSocket, store: &Store, permit: &mut Permit, stop: &AtomicBool) {
    let mut buffer = DatagramBuffer::new();
    let (mut drops, mut looked) = (socket.kernel_drops().unwrap_or_default(), Instant::now());
    let mut until: Option<Instant> = None;
    loop {
        let received = socket.recv(&mut buffer);
        if looked.elapsed() >= LOOK || stop.load(Ordering::Relaxed) && received.is_err() {
            looked = Instant::now();
            let now = socket.kernel_drops().unwrap_or(drops);
            store.count_kernel_drops(now.saturating_sub(drops));
            drops = now.max(drops);
        }
        match received {
            Ok(datagrams) => datagrams.for_each(|datagram| take(datagram, store, permit)),
            // Nothing is there. Other errors, such as the ICMP answer of a port without a listener, pass.
            Err(_) if stop.load(Ordering::Relaxed) => return,
            Err(_) => {}
        }
        if stop.load(Ordering::Relaxed) {
            let until = *until.get_or_insert_with(|| Instant::now() + DRAIN);
            if Instant::now() >= until {
                return;
            }
        }
    }
}

fn take(datagram: &[u8], store: &Store, permit: &mut Permit) {
    // The daemon ignores empty datagrams without counting them.
    if datagram.is_empty() {
        return;
    }
    match document(datagram) {
        Ok(document) if permit.allows() => store.offer(document.to_vec(), Door::Udp),
        Ok(_) => store.count_denied(),
        Err(reason) => store.refuse_datagram(datagram, &reason.to_string()),
    }
}
