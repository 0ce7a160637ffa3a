//! The contract between whoever closes a span and whatever carries its document away.
//! No socket and no document grammar here: [`UdpEmitter`](super::UdpEmitter) is one implementation,
//! users write others.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Packet;

/// Carries packets to whatever takes X-Ray documents: the daemon, a queue, a test's memory.
///
/// It is called on the thread that closed the span, so an implementation never blocks and never panics.
/// It owns its losses: what it can't deliver it counts in [`stats`](Self::stats) and reports as an
/// [`EmitError`], so that the caller can count the span as dropped.
pub trait Emitter: Send + Sync + 'static {
    /// Takes one packet: a header line and one document.
    ///
    /// `Ok` means handed on (to the kernel, or to a queue), not that the daemon has it: UDP says nothing.
    ///
    /// # Errors
    /// [`EmitError`] says why this packet goes no further. It is lost unless the caller splits it.
    fn emit(&self, packet: &Packet) -> Result<(), EmitError>;

    /// Waits until everything taken so far was handed on, for at most `timeout`; `false` when time ran out.
    ///
    /// Defaults to `true` at once, which is right for an emitter that holds nothing back.
    fn flush(&self, timeout: Duration) -> bool {
        let _ = timeout;
        true
    }

    /// Opens its connections anew, as after a process was restored from a snapshot. Defaults to nothing.
    fn reopen(&self) {}

    /// What was sent and lost so far. Defaults to zeros.
    fn stats(&self) -> EmitterStats {
        EmitterStats::default()
    }
}

impl<E: Emitter + ?Sized> Emitter for Arc<E> {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        (**self).emit(packet)
    }
    fn flush(&self, timeout: Duration) -> bool {
        (**self).flush(timeout)
    }
    fn reopen(&self) {
        (**self).reopen();
    }
    fn stats(&self) -> EmitterStats {
        (**self).stats()
    }
}

/// Why an emitter did not take a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmitError {
    /// Larger than this transport carries (`EMSGSIZE`): the caller may split the document and try again.
    TooLarge,
    /// No room at this moment: the socket's buffer or the queue is full.
    Full,
    /// Nobody is there: the address does not resolve, or nothing listens on it.
    Unavailable,
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "packet is larger than the transport carries",
            Self::Full => "no room for the packet right now",
            Self::Unavailable => "nothing takes packets at the daemon's address",
        })
    }
}

impl std::error::Error for EmitError {}

/// An emitter's counters since it was made; packets, unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmitterStats {
    /// Handed to the kernel.
    pub sent: u64,
    /// Bytes of those, header lines included.
    pub sent_bytes: u64,
    /// Sent a second time, after the kernel reported that an earlier packet met no listener.
    pub resent: u64,
    /// Refused with [`EmitError::TooLarge`].
    pub too_large: u64,
    /// Refused with [`EmitError::Full`].
    pub full: u64,
    /// Refused with [`EmitError::Unavailable`], or reported by the kernel as undelivered afterwards.
    pub unavailable: u64,
    /// Taken by a queue, and at this moment neither handed to the kernel nor lost. 0 for an emitter that holds
    /// nothing back.
    pub queued: u64,
}
