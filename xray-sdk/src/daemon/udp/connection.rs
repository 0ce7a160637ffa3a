//! [`Connection`]: a socket that is replaced when it is broken or when the daemon moves, and the rule for datagrams
//! that met no listener. Used by the emitter, from any thread, and by the
//! queue's sender. A connection never waits for anything but other sends.
//!
//! ```text
//!  send ─► addresses: a lookup due? ─► socket ─► sent
//!                                   ▲ ├─ refused ─► the earlier datagrams are lost; send this once more
//!                 open, once a second │
//!                                   └─┴─ full, too large, unreachable ─► the caller's
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::addresses::{self, Addresses};
use super::counters::Counters;
#[cfg(feature = "queued-emitter")]
use super::payload::Level;
use super::payload::{SendError, Transmit};
use super::socket::Socket;
use super::system::System;
use super::trouble::Trouble;
use crate::daemon::{DaemonAddress, EmitError, EmitterProblem};

/// The state that an emitter shares with a lookup under way.
pub(in crate::daemon) struct Connection {
    addresses: Addresses,
    /// Held for reading while a datagram is sent, for writing only to put a socket in that is open already:
    /// neither side waits longer than a few sends.
    socket: RwLock<Option<Socket>>,
    counters: Counters,
    /// The latest reason why packets did not get through. Touched only when one did not.
    trouble: Mutex<Option<Trouble>>,
    system: Arc<dyn System>,
}

impl Connection {
    /// A connection to the UDP endpoint of `address`. Waits for a name's first lookup, not longer than
    /// [`addresses::LONGEST_WAIT`].
    pub(in crate::daemon) fn new(address: &DaemonAddress, system: Arc<dyn System>) -> Arc<Self> {
        let connection = Arc::new(Self {
            addresses: Addresses::new(address),
            socket: RwLock::new(None),
            counters: Counters::default(),
            trouble: Mutex::new(None),
            system,
        });
        if connection.addresses.is_name() {
            connection.look_up_and_wait();
        } else {
            connection.open_any();
        }
        connection
    }

    /// Sends one datagram, and counts what became of it.
    pub(in crate::daemon) fn emit(self: &Arc<Self>, datagram: &[u8]) -> Result<(), EmitError> {
        let outcome = self.send(Transmit::one(datagram)).map_err(EmitError::from);
        self.counters.count(outcome, 1, datagram.len());
        outcome
    }

    /// Sends, once more if the kernel reports that something earlier met no listener. Counts only that report:
    /// what becomes of the load is the caller's to count.
    pub(in crate::daemon) fn send(self: &Arc<Self>, transmit: Transmit<'_>) -> Result<(), SendError> {
        if self.addresses.is_name() && self.addresses.begin_lookup(self.system.now()) {
            self.look_up(|| ());
        }
        let Err((peer, err)) = self.send_once(transmit) else { return Ok(()) };
        match err {
            SendError::Full | SendError::TooLarge | SendError::NoGso => return Err(err),
            SendError::Refused { earlier } => {
                self.counters.count_lost_earlier(earlier);
                self.note_refused();
            }
            SendError::Broken => self.note_broken(),
        }
        self.addresses.note_failure();
        let fresh = self.move_on(peer, err);
        if err == SendError::Broken && !fresh {
            return Err(err);
        }
        let Err((_, again)) = self.send_once(transmit) else {
            if err != SendError::Broken {
                self.counters.count_resent(transmit.count());
            }
            return Ok(());
        };
        if let SendError::Refused { earlier } = again {
            // Another thread's packet went out in between and met no listener either.
            self.counters.count_lost_earlier(earlier);
        }
        Err(again)
    }

    /// The address that packets go to at present; `None` while there is none.
    pub(in crate::daemon) fn peer(&self) -> Option<SocketAddr> {
        self.socket().as_ref().map(Socket::peer)
    }

    /// The largest datagram that may be part of a run at present; 0 while there can be no runs.
    #[cfg(feature = "queued-emitter")]
    pub(in crate::daemon) fn largest_in_run(&self) -> usize {
        self.socket().as_ref().map_or(0, Socket::largest_in_run)
    }

    /// Returns how full the receiver's buffer is, where the kernel says so. Two system calls.
    #[cfg(feature = "queued-emitter")]
    pub(in crate::daemon) fn receiver(&self) -> Option<Level> {
        self.socket().as_ref().and_then(Socket::receiver)
    }

    pub(in crate::daemon) fn system(&self) -> &dyn System {
        &*self.system
    }

    pub(in crate::daemon) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Sends once. An error comes with the address that it is about. To have no socket is an error as well.
    fn send_once(&self, transmit: Transmit<'_>) -> Result<(), (Option<SocketAddr>, SendError)> {
        match &*self.socket() {
            Some(socket) => socket.send(transmit, &*self.system).map_err(|err| (Some(socket.peer()), err)),
            None => Err((None, SendError::Broken)),
        }
    }

    /// After trouble with `peer`, connects to the next address that there is; to the only one again if its
    /// socket is broken, but not if it merely refused. Whether there is a fresh socket now.
    fn move_on(&self, peer: Option<SocketAddr>, err: SendError) -> bool {
        let addresses = self.addresses.after(peer);
        let worthwhile = addresses.iter().any(|next| err == SendError::Broken || Some(*next) != peer);
        worthwhile && self.addresses.may_open(self.system.now()) && self.open_first(&addresses)
    }

    fn open_any(&self) -> bool {
        self.open_first(&self.addresses.after(None))
    }

    /// Connects to the first of `peers` that can be connected to, and leaves all as it is if none can.
    fn open_first(&self, addresses: &[SocketAddr]) -> bool {
        let open =
            |peer: &SocketAddr| Socket::open(*peer).map_err(|err| self.note_unopened(*peer, &err)).ok();
        let Some(socket) = addresses.iter().find_map(open) else { return false };
        let old = self.socket_mut().replace(socket);
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
        if self.addresses.is_name() && self.addresses.begin_lookup_now() {
            self.look_up(|| ());
        }
    }

    fn look_up_and_wait(self: &Arc<Self>) {
        let (done, wait) = std::sync::mpsc::channel();
        if self.addresses.begin_lookup_now() {
            self.look_up(move || {
                // After the timeout the other end is gone.
                let _ = done.send(());
            });
            let _ = wait.recv_timeout(addresses::LONGEST_WAIT);
        }
    }

    /// Looks the name up on a thread of its own, then calls `done` there.
    fn look_up(self: &Arc<Self>, done: impl FnOnce() + Send + 'static) {
        let connection = Arc::clone(self);
        let spawned = self.system.spawn(Box::new(move || {
            let (host, port) = connection.addresses.name();
            let found = connection.system.resolve(host, port);
            connection.adopt(found.unwrap_or_else(|err| {
                connection.note_unresolved(&err);
                Vec::new()
            }));
            done();
        }));
        if !spawned {
            self.addresses.end_lookup(Vec::new(), self.system.now());
        }
    }

    /// Takes what a lookup found. An address that is in use stays in use if it is still among them.
    fn adopt(&self, found: Vec<SocketAddr>) {
        let peer = self.peer();
        if !peer.is_some_and(|peer| found.contains(&peer)) {
            self.open_first(&found);
        }
        self.addresses.end_lookup(found, self.system.now());
    }

    /// Returns why packets do not get through at present.
    pub(in crate::daemon) fn problem(&self) -> Option<EmitterProblem> {
        // The latest datagram has no send after it yet that would report a missing listener.
        if self.socket().as_ref().is_some_and(Socket::was_refused) {
            self.counters.count_lost_earlier(1);
            self.note_refused();
        }
        let trouble = self.trouble();
        let trouble = trouble.as_ref()?;
        trouble.is_current(self.counters.sent()).then(|| trouble.problem.clone())
    }

    #[cold]
    fn note_refused(&self) {
        let Some(peer) = self.peer() else { return };
        self.note(EmitterProblem::NobodyListens { peer });
    }

    #[cold]
    fn note_broken(&self) {
        let broken = self.socket().as_ref().and_then(|socket| Some((socket.peer(), socket.broken_by()?)));
        // Without a socket, the reason was noted when it could not be opened.
        if let Some((peer, err)) = broken {
            self.note(EmitterProblem::Unreachable { peer, reason: err.to_string() });
        }
    }

    #[cold]
    fn note_unopened(&self, peer: SocketAddr, err: &io::Error) {
        let reason = err.to_string();
        self.note(match err.raw_os_error() {
            Some(code) if NO_DESCRIPTOR.contains(&code) => EmitterProblem::NoDescriptor { reason },
            _ => EmitterProblem::Unreachable { peer, reason },
        });
    }

    #[cold]
    fn note_unresolved(&self, err: &io::Error) {
        // An address that is in use stays in use.
        if self.peer().is_none() {
            let (host, _) = self.addresses.name();
            self.note(EmitterProblem::NameNotResolved { host: host.to_owned(), reason: err.to_string() });
        }
    }

    fn note(&self, problem: EmitterProblem) {
        *self.trouble() = Some(Trouble { problem, sent: self.counters.sent() });
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // Nothing panics under the lock; if it did, the socket would still be one.
    fn socket(&self) -> RwLockReadGuard<'_, Option<Socket>> {
        self.socket.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn socket_mut(&self) -> RwLockWriteGuard<'_, Option<Socket>> {
        self.socket.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `EMFILE` and `ENFILE`, on Unix and on Windows: neither has a kind in the standard library.
const NO_DESCRIPTOR: [i32; 3] = [24, 23, 10024];
