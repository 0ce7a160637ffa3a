//! [`Emitter`]: the contract between the code that closes a span and the code that sends its document.
//! No socket and no document grammar here: [`UdpEmitter`](super::UdpEmitter) is one implementation,
//! users write others.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{EmitterProblem, Packet};

/// Sends packets to a receiver of X-Ray documents: the daemon, a queue, a test's memory.
///
/// The thread that closes a span calls the emitter, so an implementation must not block and must not panic.
/// A packet that can't be delivered is counted in [`stats`](Self::stats) and reported as an [`EmitError`], so that
/// the caller can count the span as dropped.
///
/// ```
/// use std::sync::Mutex;
/// use xray_sdk::{EmitError, Emitter, Packet};
///
/// /// Keeps the documents, without a daemon.
/// #[derive(Default)]
/// struct Kept(Mutex<Vec<Vec<u8>>>);
///
/// impl Emitter for Kept {
///     fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
///         self.0.lock().map_err(|_| EmitError::Unavailable)?.push(packet.document().to_vec());
///         Ok(())
///     }
/// }
/// ```
pub trait Emitter: Send + Sync + 'static {
    /// Emits one packet: a header line and one document.
    ///
    /// `Ok` means that the kernel or a queue accepted the packet. UDP does not confirm that the daemon received it.
    ///
    /// # Errors
    /// [`EmitError`] says why the packet is lost. After [`EmitError::TooLarge`] the caller may split the document.
    fn emit(&self, packet: &Packet) -> Result<(), EmitError>;

    /// Emits several packets in order, and passes the result of each to `report`, with the packet's index.
    ///
    /// An open span gives its finished children away like this when its own document has no room for them. An emitter
    /// that hands many packets to the kernel in one call overrides the method. Defaults to calling
    /// [`emit`](Self::emit) for one packet after the other.
    ///
    /// ```
    /// use xray_sdk::{Emitter, Packet, UdpEmitter};
    ///
    /// let packets = [Packet::new(), Packet::new()];
    /// let mut lost = 0;
    /// UdpEmitter::default().emit_all(&packets, &mut |_, result| lost += u32::from(result.is_err()));
    /// ```
    fn emit_all(&self, packets: &[Packet], report: &mut dyn FnMut(usize, Result<(), EmitError>)) {
        for (index, packet) in packets.iter().enumerate() {
            report(index, self.emit(packet));
        }
    }

    /// Waits until every packet accepted so far is sent, for at most `timeout`. Returns `false` when time ran out.
    ///
    /// Defaults to returning `true` at once, which suits an emitter without a queue.
    fn flush(&self, timeout: Duration) -> bool {
        let _ = timeout;
        true
    }

    /// Reopens connections, for a process that was restored from a snapshot. Defaults to doing nothing.
    fn reopen(&self) {}

    /// Returns the counts of sent and lost packets. Defaults to zeros.
    fn stats(&self) -> EmitterStats {
        EmitterStats::default()
    }

    /// Returns why packets do not reach the daemon at present, if that is known. Defaults to `None`.
    fn problem(&self) -> Option<EmitterProblem> {
        None
    }
}

impl<E: Emitter + ?Sized> Emitter for Arc<E> {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        (**self).emit(packet)
    }
    fn emit_all(&self, packets: &[Packet], report: &mut dyn FnMut(usize, Result<(), EmitError>)) {
        (**self).emit_all(packets, report);
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
    fn problem(&self) -> Option<EmitterProblem> {
        (**self).problem()
    }
}

/// The reason why an emitter did not accept a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmitError {
    /// Larger than this transport carries (`EMSGSIZE`): the caller may split the document and try again.
    TooLarge,
    /// The socket's buffer or the queue is full at this moment.
    Full,
    /// The daemon is unreachable: its address does not resolve, or nothing listens there.
    Unavailable,
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "packet is larger than the transport carries",
            Self::Full => "socket buffer or queue is full",
            Self::Unavailable => "daemon is unreachable",
        })
    }
}

impl std::error::Error for EmitError {}

/// An emitter's counters since its creation, in packets unless noted otherwise.
///
/// ```
/// use xray_sdk::{Emitter, UdpEmitter};
///
/// let stats = UdpEmitter::default().stats();
/// assert_eq!((stats.sent, stats.unavailable), (0, 0));
/// ```
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
    /// Accepted by a queue, and at this moment neither handed to the kernel nor lost. 0 for an emitter without a
    /// queue.
    pub queued: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Notes which of its methods is called.
    #[derive(Default)]
    struct Noting(Mutex<Vec<String>>);

    impl Noting {
        fn note(&self, what: impl Into<String>) {
            self.0.lock().unwrap().push(what.into());
        }
    }

    impl Emitter for Noting {
        fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
            self.note(format!("emit {}", packet.as_bytes().len()));
            Err(EmitError::Full)
        }
        fn emit_all(&self, packets: &[Packet], report: &mut dyn FnMut(usize, Result<(), EmitError>)) {
            self.note(format!("emit all {}", packets.len()));
            report(1, Err(EmitError::TooLarge));
        }
        fn flush(&self, timeout: Duration) -> bool {
            self.note(format!("flush {timeout:?}"));
            timeout > Duration::from_secs(1)
        }
        fn reopen(&self) {
            self.note("reopen");
        }
        fn stats(&self) -> EmitterStats {
            EmitterStats { resent: 7, ..EmitterStats::default() }
        }
        fn problem(&self) -> Option<EmitterProblem> {
            Some(EmitterProblem::NobodyListens { peer: ([127, 0, 0, 1], 2000).into() })
        }
    }

    #[test]
    fn an_emitter_behind_a_pointer_does_each_thing_in_its_own_way() {
        let noting = Arc::new(Noting::default());
        let emitter: Arc<dyn Emitter> = noting.clone();
        // By the pointer's own implementation, as a generic caller does.
        fn through(emitter: &impl Emitter) {
            assert_eq!(emitter.emit(&Packet::new()), Err(EmitError::Full));
            let mut reported = Vec::new();
            emitter.emit_all(&[Packet::new(), Packet::new()], &mut |index, result| {
                reported.push((index, result));
            });
            assert_eq!(reported, [(1, Err(EmitError::TooLarge))]);
            assert!(!emitter.flush(Duration::from_secs(1)) && emitter.flush(Duration::from_secs(2)));
            emitter.reopen();
            assert_eq!(emitter.stats().resent, 7);
            assert!(emitter.problem().is_some());
        }
        through(&emitter);
        let emit = format!("emit {}", Packet::new().as_bytes().len());
        assert_eq!(*noting.0.lock().unwrap(), [&emit, "emit all 2", "flush 1s", "flush 2s", "reopen"]);
    }

    #[test]
    fn each_refusal_says_why() {
        let texts = [EmitError::TooLarge, EmitError::Full, EmitError::Unavailable].map(|err| err.to_string());
        for (text, word) in texts.iter().zip(["larger", "full", "unreachable"]) {
            assert!(text.contains(word), "{text}");
        }
    }
}
