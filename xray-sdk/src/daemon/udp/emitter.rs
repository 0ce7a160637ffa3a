//! [`UdpEmitter`], the contract with whoever emits.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::connection::Connection;
use super::system::{RealSystem, System};
use crate::daemon::{DaemonAddress, EmitError, Emitter, EmitterStats, Packet};

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
    connection: Arc<Connection>,
}

impl UdpEmitter {
    /// An emitter to the UDP endpoint of `address`.
    ///
    /// Never fails: while the name doesn't resolve or no socket can be opened, packets are refused as
    /// [`Unavailable`](EmitError::Unavailable), and it is tried again, at most once a second.
    #[must_use]
    pub fn new(address: &DaemonAddress) -> Self {
        Self::with_system(address, Arc::new(RealSystem::new()))
    }

    pub(super) fn with_system(address: &DaemonAddress, system: Arc<dyn System>) -> Self {
        Self { connection: Connection::new(address, system) }
    }

    /// The address that packets go to at present; `None` while there is none.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.connection.peer()
    }
}

impl Emitter for UdpEmitter {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        self.connection.emit(packet.as_bytes())
    }

    /// Opens a fresh socket to the same address, and looks a host name up again.
    fn reopen(&self) {
        self.connection.reopen();
    }

    fn stats(&self) -> EmitterStats {
        self.connection.counters().snapshot()
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
