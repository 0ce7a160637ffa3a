//! [`Transmit`] and [`SendError`]: what is sent in one call, and why it was not. Shared by the sockets and their callers.

use std::io::{self, ErrorKind};

use crate::daemon::EmitError;

/// The payload of one call: a datagram, or a run of them that the kernel cuts apart.
#[derive(Clone, Copy, Debug)]
pub(in crate::daemon) struct Transmit<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes of each datagram. The last one may be shorter.
    size: usize,
}

impl<'a> Transmit<'a> {
    pub(in crate::daemon) fn one(bytes: &'a [u8]) -> Self {
        Self { bytes, size: bytes.len() }
    }

    #[cfg(feature = "queued-emitter")]
    pub(in crate::daemon) fn run(bytes: &'a [u8], size: usize) -> Self {
        Self { bytes, size }
    }

    pub(in crate::daemon) fn count(&self) -> u64 {
        if self.is_run() { self.bytes.len().div_ceil(self.size) as u64 } else { 1 }
    }

    pub(super) fn is_run(&self) -> bool {
        self.size < self.bytes.len() && self.size != 0
    }

    #[cfg(feature = "queued-emitter")]
    pub(in crate::daemon) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    #[cfg(all(feature = "queued-emitter", any(target_os = "linux", target_os = "android")))]
    pub(in crate::daemon) fn size(&self) -> usize {
        self.size
    }
}

/// The reason why a payload was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::daemon) enum SendError {
    /// Earlier datagrams met no listener. The send that reports it transmits nothing itself.
    Refused { earlier: u64 },
    /// No room in the socket's buffer or in the kernel.
    Full,
    /// Larger than the transport carries.
    TooLarge,
    /// This can't go as a run, but its datagrams may go one by one.
    NoGso,
    /// Anything else: no route, no permission, a socket that a snapshot broke.
    Broken,
}

/// The state of a receiver's buffer, in bytes as the kernel counts them.
#[cfg(feature = "queued-emitter")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::daemon) struct Level {
    pub(in crate::daemon) used: usize,
    pub(in crate::daemon) size: usize,
}

impl From<SendError> for EmitError {
    fn from(err: SendError) -> Self {
        match err {
            SendError::Full => Self::Full,
            SendError::TooLarge => Self::TooLarge,
            SendError::Refused { .. } | SendError::NoGso | SendError::Broken => Self::Unavailable,
        }
    }
}

impl From<&io::Error> for SendError {
    fn from(err: &io::Error) -> Self {
        match (err.kind(), err.raw_os_error()) {
            (ErrorKind::ConnectionRefused, _) => Self::Refused { earlier: 1 },
            (ErrorKind::WouldBlock | ErrorKind::OutOfMemory, _) => Self::Full,
            (_, Some(code)) if NO_BUFFERS.contains(&code) => Self::Full,
            (_, Some(code)) if MESSAGE_SIZE.contains(&code) => Self::TooLarge,
            _ => Self::Broken,
        }
    }
}

// Two errors that the standard library has no kinds for, by their numbers on Linux, on macOS and the BSDs, and on
// Windows. Where another system gives one of these numbers to something else, that is nothing a send reports.

/// `ENOBUFS`, `WSAENOBUFS`.
const NO_BUFFERS: [i32; 3] = [105, 55, 10055];

/// `EMSGSIZE`, `WSAEMSGSIZE`.
const MESSAGE_SIZE: [i32; 3] = [90, 40, 10040];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart() {
        for (err, meaning) in [
            (ErrorKind::ConnectionRefused.into(), SendError::Refused { earlier: 1 }),
            (ErrorKind::WouldBlock.into(), SendError::Full),
            (io::Error::from_raw_os_error(105), SendError::Full),
            (io::Error::from_raw_os_error(90), SendError::TooLarge),
            (ErrorKind::HostUnreachable.into(), SendError::Broken),
            (ErrorKind::PermissionDenied.into(), SendError::Broken),
            (io::Error::other("?"), SendError::Broken),
        ] {
            assert_eq!(SendError::from(&err), meaning, "{err}");
        }
    }
}
