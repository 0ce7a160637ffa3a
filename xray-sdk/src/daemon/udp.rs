//! [`UdpEmitter`]: packets to the daemon, one datagram each, from the thread that closed the span.
//!
//! This file is the contract with whoever emits: what is sent, sent again, counted. Below it, `link` is the
//! socket and what its errors mean, `peers` knows the daemon's addresses and when to look them up, `surroundings`
//! are the clock, the resolver and the thread that a test replaces.
//!
//! ```text
//!  emit ─► peers: a lookup due? ─► link ─► send ─► sent
//!                                    ▲       ├─ refused ─► the earlier packet is lost; send this one once more
//!                  open, once a second ◄─────┤
//!                                            └─ full, too large, unreachable ─► counted, an `EmitError`
//! ```

mod counters;
mod link;
mod peers;
mod surroundings;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::counters::Counters;
use self::link::{Link, Trouble};
use self::peers::Peers;
use self::surroundings::{Surroundings, System};
use super::{DaemonAddress, EmitError, Emitter, EmitterStats, Packet};

/// Sends each packet as one datagram, at once, over a connected socket that never blocks.
///
/// Being connected is what makes a missing daemon visible: the kernel then reports, at the next send, that the
/// datagram before met no listener. That next packet is sent once more, so a daemon that comes back misses
/// nothing that was sent after its return.
///
/// An IP address is used as it is. A host name asks for more: a short-lived thread looks it up, when the emitter
/// is made (which waits for it, half a second at most), once a minute while packets are sent, and after five
/// seconds when packets failed. Of several addresses the first that a socket can be connected to is used, for as
/// long as it is among them; the next one's turn comes when nothing listens there.
pub struct UdpEmitter {
    line: Arc<Line>,
}

impl UdpEmitter {
    /// An emitter to the UDP endpoint of `address`.
    ///
    /// Never fails: while the name doesn't resolve or no socket can be opened, packets are refused as
    /// [`Unavailable`](EmitError::Unavailable), and it is tried again, at most once a second.
    #[must_use]
    pub fn new(address: &DaemonAddress) -> Self {
        Self::with_surroundings(address, Arc::new(System::new()))
    }

    fn with_surroundings(address: &DaemonAddress, surroundings: Arc<dyn Surroundings>) -> Self {
        let line = Arc::new(Line {
            peers: Peers::new(address),
            link: RwLock::new(None),
            counters: Counters::default(),
            surroundings,
        });
        if line.peers.is_name() {
            line.look_up_and_wait();
        } else {
            line.open_any();
        }
        Self { line }
    }

    /// The address that packets go to at present; `None` while there is none.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.line.link().as_ref().map(Link::peer)
    }
}

impl Emitter for UdpEmitter {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        let bytes = packet.as_bytes();
        let outcome = self.line.send(bytes);
        self.line.counters.count(outcome, bytes.len());
        outcome
    }

    /// Opens a fresh socket to the same address, and looks a host name up again.
    fn reopen(&self) {
        self.line.reopen();
    }

    fn stats(&self) -> EmitterStats {
        self.line.counters.snapshot()
    }
}

/// An emitter to the daemon's default address, `127.0.0.1:2000`.
impl Default for UdpEmitter {
    fn default() -> Self {
        Self::new(&DaemonAddress::default())
    }
}

impl fmt::Debug for UdpEmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpEmitter").field("peer", &self.peer()).finish_non_exhaustive()
    }
}

/// What the emitter shares with a lookup under way.
struct Line {
    peers: Peers,
    /// Held for reading while a datagram is sent, for writing only to put a socket in that is open already:
    /// neither side waits longer than a few sends.
    link: RwLock<Option<Link>>,
    counters: Counters,
    surroundings: Arc<dyn Surroundings>,
}

impl Line {
    fn send(self: &Arc<Self>, bytes: &[u8]) -> Result<(), EmitError> {
        if self.peers.is_name() && self.peers.begin_lookup(self.surroundings.now()) {
            self.look_up(|| ());
        }
        let Err((peer, trouble)) = self.send_once(bytes) else { return Ok(()) };
        match trouble {
            Trouble::Full => return Err(EmitError::Full),
            Trouble::TooLarge => return Err(EmitError::TooLarge),
            Trouble::Refused => self.counters.count_lost_earlier(),
            Trouble::Broken => {}
        }
        self.peers.note_failure();
        let fresh = self.move_on(peer, trouble);
        if trouble == Trouble::Broken && !fresh {
            return Err(EmitError::Unavailable);
        }
        let Err((_, again)) = self.send_once(bytes) else {
            if trouble == Trouble::Refused {
                self.counters.count_resent();
            }
            return Ok(());
        };
        match again {
            Trouble::Full => Err(EmitError::Full),
            Trouble::TooLarge => Err(EmitError::TooLarge),
            Trouble::Broken => Err(EmitError::Unavailable),
            Trouble::Refused => {
                // Another thread's packet went out in between and met no listener either.
                self.counters.count_lost_earlier();
                Err(EmitError::Unavailable)
            }
        }
    }

    /// Sends once. Trouble comes with the address that it came from; having no socket is trouble, too.
    fn send_once(&self, bytes: &[u8]) -> Result<(), (Option<SocketAddr>, Trouble)> {
        match &*self.link() {
            Some(link) => link.send(bytes).map_err(|trouble| (Some(link.peer()), trouble)),
            None => Err((None, Trouble::Broken)),
        }
    }

    /// After trouble with `peer`, connects to the next address that there is; to the only one again if its
    /// socket is broken, but not if it merely refused. Whether there is a fresh socket now.
    fn move_on(&self, peer: Option<SocketAddr>, trouble: Trouble) -> bool {
        let peers = self.peers.after(peer);
        let worthwhile = peers.iter().any(|next| trouble == Trouble::Broken || Some(*next) != peer);
        worthwhile && self.peers.may_open(self.surroundings.now()) && self.open_first(&peers)
    }

    fn open_any(&self) -> bool {
        self.open_first(&self.peers.after(None))
    }

    /// Connects to the first of `peers` that can be connected to, and leaves all as it is if none can.
    fn open_first(&self, peers: &[SocketAddr]) -> bool {
        let Some(link) = peers.iter().find_map(|peer| Link::open(*peer).ok()) else { return false };
        let old = self.link_mut().replace(link);
        // Closed after the lock was given back.
        drop(old);
        true
    }

    fn reopen(self: &Arc<Self>) {
        let peer = self.link().as_ref().map(Link::peer);
        if !peer.is_some_and(|peer| self.open_first(&[peer])) {
            self.open_any();
        }
        if self.peers.is_name() && self.peers.begin_lookup_now() {
            self.look_up(|| ());
        }
    }

    fn look_up_and_wait(self: &Arc<Self>) {
        let (done, wait) = std::sync::mpsc::channel();
        if self.peers.begin_lookup_now() {
            self.look_up(move || {
                // Nobody listens any more after the wait's time ran out.
                let _ = done.send(());
            });
            let _ = wait.recv_timeout(peers::LONGEST_WAIT);
        }
    }

    /// Looks the name up on a thread of its own, then calls `done` there.
    fn look_up(self: &Arc<Self>, done: impl FnOnce() + Send + 'static) {
        let line = Arc::clone(self);
        let spawned = self.surroundings.spawn(Box::new(move || {
            let (host, port) = line.peers.name();
            let found = line.surroundings.resolve(host, port).unwrap_or_default();
            line.adopt(found);
            done();
        }));
        if !spawned {
            self.peers.end_lookup(Vec::new(), self.surroundings.now());
        }
    }

    /// Takes what a lookup found. An address that is in use stays in use if it is still among them.
    fn adopt(&self, found: Vec<SocketAddr>) {
        let peer = self.link().as_ref().map(Link::peer);
        if !peer.is_some_and(|peer| found.contains(&peer)) {
            self.open_first(&found);
        }
        self.peers.end_lookup(found, self.surroundings.now());
    }

    // Nothing panics under the lock; if it did, the socket would still be one.
    fn link(&self) -> RwLockReadGuard<'_, Option<Link>> {
        self.link.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn link_mut(&self) -> RwLockWriteGuard<'_, Option<Link>> {
        self.link.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
