//! A block: packets back to back, and where each ends. The unit of the queue's memory, and about what one system
//! call carries away. No lock and no bound on how many there are: see `arena`.

/// Packets in the order of their arrival. Keeps its memory when it is emptied.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Block {
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a packet, if there is room for all of it and the block has its memory already.
    #[inline]
    pub(super) fn push(&mut self, packet: &[u8]) -> bool {
        // `BLOCK` less what is there, or nothing in a block that never held a packet.
        if packet.len() > self.bytes.capacity().min(BLOCK) - self.bytes.len() {
            return false;
        }
        self.bytes.extend_from_slice(packet);
        self.ends.push(self.bytes.len() as u32);
        true
    }

    /// Gives the block its memory, unless it has it.
    pub(super) fn furnish(&mut self) {
        self.bytes.reserve_exact(BLOCK - self.bytes.len());
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the bytes of all packets.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The packets from the one at `first` on.
    pub(super) fn packets(&self, first: usize) -> impl Iterator<Item = &[u8]> {
        let start = first.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let ends = self.ends.get(first..).unwrap_or_default();
        ends.iter().scan(start as usize, |start, end| {
            let packet = self.bytes.get(*start..*end as usize);
            *start = *end as usize;
            packet
        })
    }
}

/// Bytes of packets that a block holds: room for the largest of them, and for as much as one call may carry.
pub(super) const BLOCK: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_back_as_they_went_in() {
        let mut block = Block::default();
        assert!(!block.push(b"no memory yet"));
        block.furnish();
        for packet in [&b"one"[..], b"", b"three"] {
            assert!(block.push(packet));
        }
        let from = |first| block.packets(first).map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(from(0), [&b"one"[..], b"", b"three"]);
        assert_eq!(from(2), [b"three"]);
        assert_eq!((from(3).len(), from(4).len()), (0, 0));
    }

    #[test]
    fn a_block_never_grows() {
        let mut block = Block::default();
        block.furnish();
        assert!(block.push(&vec![0; 65_507]));
        assert!(!block.push(&[0; 30]));
        assert!(block.push(&[0; 29]));
        block.clear();
        block.furnish();
        assert_eq!((block.bytes.capacity(), block.is_empty()), (BLOCK, true));
    }
}
