//! [`DatagramBuffer`] and [`Datagrams`]: what one call of [`ReceiveSocket::recv`](super::ReceiveSocket::recv) yields.
//!
//! The kernel hands over one datagram, or a run of equal ones back to back, of which only the last may be shorter.
//! Slices and sizes only; no socket here.

use std::fmt;
use std::iter::FusedIterator;

/// The memory that a socket receives into: 64 KB, which hold any datagram and any run of them.
#[derive(Clone)]
pub struct DatagramBuffer {
    bytes: Box<[u8]>,
}

impl DatagramBuffer {
    /// Allocates the buffer. A loop of [`recv`](super::ReceiveSocket::recv) reuses one.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: vec![0; SIZE].into_boxed_slice() }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Returns the datagrams in the first `length` bytes, each of `size` bytes but the last.
    pub(super) fn datagrams(&self, length: usize, size: usize) -> Datagrams<'_> {
        Datagrams::new(self.bytes.get(..length).unwrap_or(&self.bytes), size)
    }
}

impl Default for DatagramBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for DatagramBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramBuffer").finish_non_exhaustive()
    }
}

/// The datagrams of one call of [`ReceiveSocket::recv`](super::ReceiveSocket::recv), in the order of their arrival.
///
/// There is at least one. An empty datagram is an empty slice.
#[derive(Clone, Debug)]
pub struct Datagrams<'a> {
    bytes: &'a [u8],
    size: usize,
    left: usize,
}

impl<'a> Datagrams<'a> {
    /// Splits `bytes` into datagrams of `size` bytes. A size of 0 stands for one datagram.
    fn new(bytes: &'a [u8], size: usize) -> Self {
        let left = if size == 0 { 1 } else { bytes.len().div_ceil(size).max(1) };
        Self { bytes, size, left }
    }
}

impl<'a> Iterator for Datagrams<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let end = if self.left == 0 { self.bytes.len() } else { self.size };
        let (next, rest) = self.bytes.split_at_checked(end)?;
        self.bytes = rest;
        Some(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Datagrams<'_> {}

impl FusedIterator for Datagrams<'_> {}

/// UDP's length field has 16 bits, and so has that of IP, which bounds a run.
const SIZE: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_cut_by_its_size_and_its_last_datagram_may_be_shorter() {
        for (bytes, size, expected) in [
            (&b""[..], 0, &[&b""[..]][..]),
            (b"", 3, &[b""]),
            (b"abc", 0, &[b"abc"]),
            (b"abc", 3, &[b"abc"]),
            (b"abc", 9, &[b"abc"]),
            (b"abcdef", 3, &[b"abc", b"def"]),
            (b"abcdefg", 3, &[b"abc", b"def", b"g"]),
        ] {
            let datagrams = Datagrams::new(bytes, size);
            assert_eq!(datagrams.len(), expected.len(), "{bytes:?} by {size}");
            assert_eq!(datagrams.collect::<Vec<_>>(), expected, "{bytes:?} by {size}");
        }
    }
}
