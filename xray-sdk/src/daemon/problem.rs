//! [`EmitterProblem`]: why packets do not reach the daemon, with the facts and a remedy. For diagnoses only: nothing
//! here decides what is sent.

use std::fmt;
use std::net::SocketAddr;

/// The reason why an emitter's packets do not reach the daemon at present, as far as this end can know.
///
/// The [`Display`](fmt::Display) form is one sentence that names the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmitterProblem {
    /// The kernel reports that nothing listens at the daemon's address.
    NobodyListens {
        /// The address that packets are sent to.
        peer: SocketAddr,
    },
    /// The daemon's host name has no address.
    NameNotResolved {
        /// The name.
        host: String,
        /// The resolver's reason.
        reason: String,
    },
    /// The process has no file descriptor left for a socket.
    NoDescriptor {
        /// The operating system's reason.
        reason: String,
    },
    /// No socket can be connected to the daemon's address, or it carries nothing.
    Unreachable {
        /// The address.
        peer: SocketAddr,
        /// The operating system's reason.
        reason: String,
    },
    /// The process is the child of a fork, and the thread that sends is in the parent.
    NoThreadAfterFork {
        /// The process that started the emitter.
        parent: u32,
        /// Packets in the child's copy of the queue, which nothing sends.
        queued: u64,
    },
}

impl fmt::Display for EmitterProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NobodyListens { peer } => write!(
                f,
                "nothing listens at the daemon's address {peer}: start the daemon, or set AWS_XRAY_DAEMON_ADDRESS"
            ),
            Self::NameNotResolved { host, reason } => write!(
                f,
                "the daemon's name {host:?} does not resolve ({reason}): correct AWS_XRAY_DAEMON_ADDRESS, or the \
                 name service"
            ),
            Self::NoDescriptor { reason } => write!(
                f,
                "no file descriptor is left for the socket to the daemon ({reason}): close what is open, or raise \
                 the limit with `ulimit -n`"
            ),
            Self::Unreachable { peer, reason } => write!(
                f,
                "the daemon's address {peer} cannot be reached ({reason}): check the network and \
                 AWS_XRAY_DAEMON_ADDRESS"
            ),
            Self::NoThreadAfterFork { parent, queued } => write!(
                f,
                "the thread that sends is in process {parent}, from which this one was forked, and {queued} \
                 documents wait for it here: create the emitter after the fork"
            ),
        }
    }
}
