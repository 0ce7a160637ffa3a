//! The way to one daemon: a socket that is replaced when it is broken or when the daemon moves, and the rule by which
//! a datagram that met no listener is told from one that did. Used by the emitter, from any thread, and by the
//! queue's sender. It never waits for anything but other sends.
//!
//! ```text
//!  send ─► peers: a lookup due? ─► link ─► sent
//!                                   ▲ ├─ refused ─► the earlier datagrams are lost; send this once more
//!                 open, once a second │
//!                                   └─┴─ full, too large, unreachable ─► the caller's
//! ```

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::counters::Counters;
use super::link::{Link, Load, Trouble};
use super::peers::{self, Peers};
use super::surroundings::Surroundings;
use crate::daemon::{DaemonAddress, EmitError};

/// What an emitter shares with a lookup under way.
pub(in crate::daemon) struct Line {
    peers: Peers,
    /// Held for reading while a datagram is sent, for writing only to put a socket in that is open already:
    /// neither side waits longer than a few sends.
    link: RwLock<Option<Link>>,
    counters: Counters,
    surroundings: Arc<dyn Surroundings>,
}

impl Line {
    /// A line to the UDP endpoint of `address`. Waits for a name's first lookup, not longer than
    /// [`peers::LONGEST_WAIT`].
    pub(in crate::daemon) fn new(address: &DaemonAddress, surroundings: Arc<dyn Surroundings>) -> Arc<Self> {
        let line = Arc::new(Self {
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
        line
    }

    /// Sends one datagram, and counts what became of it.
    pub(in crate::daemon) fn emit(self: &Arc<Self>, datagram: &[u8]) -> Result<(), EmitError> {
        let outcome = self.send(Load::one(datagram)).map_err(EmitError::from);
        self.counters.count(outcome, 1, datagram.len());
        outcome
    }

    /// Sends, once more if the kernel reports that something earlier met no listener. Counts only that report:
    /// what becomes of the load is the caller's to count.
    pub(in crate::daemon) fn send(self: &Arc<Self>, load: Load<'_>) -> Result<(), Trouble> {
        if self.peers.is_name() && self.peers.begin_lookup(self.surroundings.now()) {
            self.look_up(|| ());
        }
        let Err((peer, trouble)) = self.send_once(load) else { return Ok(()) };
        match trouble {
            Trouble::Full | Trouble::TooLarge | Trouble::NoRuns => return Err(trouble),
            Trouble::Refused { earlier } => self.counters.count_lost_earlier(earlier),
            Trouble::Broken => {}
        }
        self.peers.note_failure();
        let fresh = self.move_on(peer, trouble);
        if trouble == Trouble::Broken && !fresh {
            return Err(trouble);
        }
        let Err((_, again)) = self.send_once(load) else {
            if trouble != Trouble::Broken {
                self.counters.count_resent(load.count());
            }
            return Ok(());
        };
        if let Trouble::Refused { earlier } = again {
            // Another thread's packet went out in between and met no listener either.
            self.counters.count_lost_earlier(earlier);
        }
        Err(again)
    }

    /// The address that packets go to at present; `None` while there is none.
    pub(in crate::daemon) fn peer(&self) -> Option<SocketAddr> {
        self.link().as_ref().map(Link::peer)
    }

    /// The largest datagram that may be part of a run at present; 0 while there can be no runs.
    #[cfg(feature = "queue")]
    pub(in crate::daemon) fn largest_in_run(&self) -> usize {
        self.link().as_ref().map_or(0, Link::largest_in_run)
    }

    pub(in crate::daemon) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Sends once. Trouble comes with the address that it came from; having no socket is trouble, too.
    fn send_once(&self, load: Load<'_>) -> Result<(), (Option<SocketAddr>, Trouble)> {
        match &*self.link() {
            Some(link) => {
                link.send(load, &*self.surroundings).map_err(|trouble| (Some(link.peer()), trouble))
            }
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

    /// Opens a fresh socket to the same address, and looks a name up again.
    pub(in crate::daemon) fn reopen(self: &Arc<Self>) {
        let peer = self.peer();
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
        let peer = self.peer();
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
