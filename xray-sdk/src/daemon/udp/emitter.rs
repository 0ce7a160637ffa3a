//! [`UdpEmitter`]: the public face of the room.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::connection::Connection;
use super::pace::Pace;
#[cfg(feature = "queued-emitter")]
use super::runs::Runs;
use super::system::{RealSystem, System};
#[cfg(not(feature = "queued-emitter"))]
use crate::daemon::receive_buffer::cost_alone;
use crate::daemon::{DaemonAddress, EmitError, Emitter, EmitterProblem, EmitterStats, Packet};

/// Sends each packet at once, as one datagram over a connected socket that never blocks.
///
/// Being connected is what makes a missing daemon visible: the kernel then reports, at the next send, that the
/// previous datagram met no listener. The emitter sends that next packet once more, so a daemon that comes back misses
/// no packet sent after its return.
///
/// An IP address is used as it is. A host name is resolved by a short-lived thread:
///
/// | when | waits |
/// |---|---|
/// | at creation | at most half a second |
/// | once a minute, while packets are sent | no |
/// | five seconds after a failed packet | no |
///
/// Of several addresses, the emitter uses the first that a socket can be connected to. The emitter moves to the next
/// one when nothing listens there, or when the name no longer resolves to that address.
///
/// Packets that come together ([`emit_all`](Emitter::emit_all)) leave one by one as well. With the feature
/// `queued-emitter`, Linux takes those of about one size in one system call, filled up with blanks in the header line. When
/// more come within a few milliseconds than half of a default receive buffer holds, the caller yields the processor once
/// for each call, so that a daemon on the same core can read.
///
/// ```
/// use xray_sdk::{DaemonAddress, Emitter, UdpEmitter};
///
/// let address: DaemonAddress = "127.0.0.1:2000".parse()?;
/// let emitter = UdpEmitter::new(&address);
/// assert_eq!(emitter.stats().sent, 0);
/// # Ok::<(), xray_sdk::daemon::ParseAddressError>(())
/// ```
pub struct UdpEmitter {
    connection: Arc<Connection>,
    pace: Pace,
    #[cfg(feature = "queued-emitter")]
    runs: Runs,
}

impl UdpEmitter {
    /// Creates an emitter to the UDP endpoint of `address`.
    ///
    /// Creation never fails. While the name doesn't resolve or no socket can be opened, packets are refused as
    /// [`Unavailable`](EmitError::Unavailable), and the emitter tries again, at most once a second.
    #[must_use]
    pub fn new(address: &DaemonAddress) -> Self {
        Self::with_system(address, Arc::new(RealSystem::new()))
    }

    pub(super) fn with_system(address: &DaemonAddress, system: Arc<dyn System>) -> Self {
        Self {
            connection: Connection::new(address, system),
            pace: Pace::default(),
            #[cfg(feature = "queued-emitter")]
            runs: Runs::default(),
        }
    }

    /// Returns the address that packets are sent to at present, or `None` while there is none.
    ///
    /// ```
    /// # use xray_sdk::UdpEmitter;
    /// let peer = UdpEmitter::default().peer();
    /// assert_eq!(peer, "127.0.0.1:2000".parse().ok());
    /// ```
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.connection.peer()
    }
}

impl Emitter for UdpEmitter {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        self.connection.emit(packet.as_bytes())
    }

    fn emit_all(&self, packets: &[Packet], report: &mut dyn FnMut(usize, Result<(), EmitError>)) {
        #[cfg(feature = "queued-emitter")]
        self.runs.emit((&self.connection, &self.pace), packets, report);
        #[cfg(not(feature = "queued-emitter"))]
        for (index, packet) in packets.iter().enumerate() {
            report(index, self.emit(packet));
            self.pace.after(cost_alone(packet.as_bytes().len()), self.connection.system());
        }
    }

    /// Opens a new socket to the same address, and resolves a host name again.
    fn reopen(&self) {
        self.connection.reopen();
    }

    fn stats(&self) -> EmitterStats {
        self.connection.counters().snapshot()
    }

    fn problem(&self) -> Option<EmitterProblem> {
        self.connection.problem()
    }
}

/// Sends to the daemon's default address, `127.0.0.1:2000`.
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
