//! [`Addresses`] of the daemon: which there are, which comes next, and when it is time to look a name up or to open a
//! socket. No socket, no thread and no clock in here: times are arguments, counted from the emitter's making.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::daemon::DaemonAddress;

pub(super) struct Addresses {
    host: Box<str>,
    port: u16,
    is_name: bool,
    /// In the resolver's order. Never looked at while all goes well.
    known: Mutex<Vec<SocketAddr>>,
    looking_up: AtomicBool,
    /// The time when the last lookup ended, in milliseconds.
    looked_up: AtomicU64,
    /// Set if the last lookup found nothing, or a packet could not be sent since.
    failed: AtomicBool,
    /// The time when a socket may be opened again, in milliseconds.
    next_open: AtomicU64,
}

// The atomics are hints on when to act. What they guard is behind locks, hence relaxed; the two that let only one
// thread through are read and written in one step.
impl Addresses {
    pub(super) fn new(address: &DaemonAddress) -> Self {
        let (host, port) = address.udp();
        let literal = address.udp_literal();
        Self {
            host: host.into(),
            port,
            is_name: literal.is_none(),
            known: Mutex::new(literal.into_iter().collect()),
            looking_up: AtomicBool::new(false),
            looked_up: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            next_open: AtomicU64::new(0),
        }
    }

    /// Host and port to look up.
    pub(super) fn name(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Returns whether there is a name to look up. An IP address is never looked up.
    pub(super) fn is_name(&self) -> bool {
        self.is_name
    }

    /// All addresses, the one after `peer` first and `peer` itself last.
    pub(super) fn after(&self, peer: Option<SocketAddr>) -> Vec<SocketAddr> {
        let mut addresses = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(at) = addresses.iter().position(|known| Some(*known) == peer) {
            addresses.rotate_left(at + 1);
        }
        addresses
    }

    /// Returns whether a lookup is due and the caller is the one to begin it.
    pub(super) fn begin_lookup(&self, now: Duration) -> bool {
        let pause = if self.failed.load(Ordering::Relaxed) { PAUSE_AFTER_FAILURE } else { PAUSE };
        let due = self.looked_up.load(Ordering::Relaxed) + millis(pause);
        millis(now) >= due && self.begin_lookup_now()
    }

    /// Returns whether the caller is the one to begin a lookup: there is never more than one.
    pub(super) fn begin_lookup_now(&self) -> bool {
        !self.looking_up.swap(true, Ordering::Relaxed)
    }

    /// Ends a lookup. One that found nothing leaves the addresses that were known.
    pub(super) fn end_lookup(&self, found: Vec<SocketAddr>, now: Duration) {
        self.failed.store(found.is_empty(), Ordering::Relaxed);
        if !found.is_empty() {
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = found;
        }
        self.looked_up.store(millis(now), Ordering::Relaxed);
        self.looking_up.store(false, Ordering::Relaxed);
    }

    /// A packet could not be sent.
    pub(super) fn note_failure(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Returns whether the caller may open a socket now, which is granted once in [`OPEN_PAUSE`].
    pub(super) fn may_open(&self, now: Duration) -> bool {
        let next = self.next_open.load(Ordering::Relaxed);
        let (now, later) = (millis(now), millis(now + OPEN_PAUSE));
        now >= next
            && self.next_open.compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn millis(time: Duration) -> u64 {
    time.as_millis() as u64
}

/// The time for which a lookup's result is trusted while packets go out.
const PAUSE: Duration = Duration::from_secs(60);

/// The time for which a lookup's result is trusted after a failed packet, or when it found nothing.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The least time between two sockets that are opened.
const OPEN_PAUSE: Duration = Duration::from_secs(1);

/// The time for which a new emitter waits for its first lookup.
pub(super) const LONGEST_WAIT: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn on_ports(ports: &[u16]) -> Vec<SocketAddr> {
        ports.iter().map(|port| SocketAddr::from(([127, 0, 0, 1], *port))).collect()
    }

    fn named() -> Addresses {
        let addresses = Addresses::new(&"daemon:2000".parse().unwrap());
        assert!(addresses.begin_lookup_now());
        addresses.end_lookup(on_ports(&[1, 2, 3]), secs(100));
        addresses
    }

    #[test]
    fn names_are_looked_up_after_a_minute_and_after_failures_sooner() {
        let addresses = named();
        assert!(!addresses.begin_lookup(secs(159)));
        assert!(addresses.begin_lookup(secs(160)));
        assert!(!addresses.begin_lookup(secs(160)), "one is under way");
        addresses.end_lookup(Vec::new(), secs(170));
        assert_eq!(addresses.after(None), on_ports(&[1, 2, 3]), "finding nothing forgets nothing");
        assert!(!addresses.begin_lookup(secs(174)));
        assert!(addresses.begin_lookup(secs(175)));
        addresses.end_lookup(on_ports(&[4]), secs(175));
        addresses.note_failure();
        assert!(!addresses.begin_lookup(secs(179)));
        assert!(addresses.begin_lookup(secs(180)));
    }

    #[test]
    fn each_address_gets_its_turn() {
        let addresses = named();
        assert_eq!(addresses.after(None), on_ports(&[1, 2, 3]));
        assert_eq!(addresses.after(Some(on_ports(&[1])[0])), on_ports(&[2, 3, 1]));
        assert_eq!(addresses.after(Some(on_ports(&[3])[0])), on_ports(&[1, 2, 3]));
        assert_eq!(addresses.after(Some(on_ports(&[9])[0])), on_ports(&[1, 2, 3]));
    }

    #[test]
    fn sockets_are_opened_once_a_second_at_most() {
        let addresses = named();
        let at = Duration::from_millis;
        let granted = [0, 0, 999, 1000, 1500, 2000].map(|now| addresses.may_open(at(now)));
        assert_eq!(granted, [true, false, false, true, false, true]);
    }

    #[test]
    fn addresses_are_never_looked_up() {
        let addresses = Addresses::new(&DaemonAddress::default());
        assert!(!addresses.is_name());
        assert_eq!(addresses.after(None), on_ports(&[2000]));
    }
}
