//! A queue of documents in blocks of memory: in at the back, out at the front.
//!
//! A block has a fixed size, is filled once and freed when its last document is gone. There is no allocation for each
//! document, nothing is moved when the queue grows, and what the queue takes of the budget is what it takes of
//! the machine. Called by [`Backlog`](super::Backlog) alone.

use std::collections::VecDeque;
use std::mem::size_of;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Queue {
    blocks: VecDeque<Block>,
    block_size: usize,
    documents: usize,
    bytes: usize,
    charge: usize,
}

#[derive(Debug)]
struct Block {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Entries that are gone already.
    taken: usize,
    /// The time at which the first document came.
    since: Duration,
}

/// A document of a block; it begins where the one before it ends.
#[derive(Clone, Copy, Debug)]
struct Entry {
    end: u32,
    /// The document's time: milliseconds after the block's first.
    after: u32,
}

impl Queue {
    /// A queue of blocks of `block_size` bytes, at least the size of the largest document.
    pub(super) fn new(block_size: usize) -> Self {
        Self { blocks: VecDeque::new(), block_size, documents: 0, bytes: 0, charge: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.documents
    }

    /// Bytes of the documents alone.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of memory that the queue takes.
    pub(super) fn charge(&self) -> usize {
        self.charge
    }

    /// Bytes of memory that one more document of this size will take.
    pub(super) fn cost(&self, size: usize) -> usize {
        if self.has_room(size) { ENTRY } else { self.block_size + BLOCK + ENTRY }
    }

    fn has_room(&self, size: usize) -> bool {
        self.blocks.back().is_some_and(|block| block.bytes.len() + size <= block.bytes.capacity())
    }

    pub(super) fn push(&mut self, document: &[u8], now: Duration) {
        if !self.has_room(document.len()) {
            let bytes = Vec::with_capacity(self.block_size.max(document.len()));
            self.charge += bytes.capacity() + BLOCK;
            self.blocks.push_back(Block { bytes, entries: Vec::new(), taken: 0, since: now });
        }
        // The branch above has seen to it that there is one.
        if let Some(block) = self.blocks.back_mut() {
            block.bytes.extend_from_slice(document);
            block.entries.push(Entry {
                end: u32::try_from(block.bytes.len()).unwrap_or(u32::MAX),
                after: u32::try_from(now.saturating_sub(block.since).as_millis()).unwrap_or(u32::MAX),
            });
            self.charge += ENTRY;
            self.documents += 1;
            self.bytes += document.len();
        }
    }

    /// The oldest document, and when it came.
    pub(super) fn front(&self) -> Option<(&[u8], Duration)> {
        let block = self.blocks.front()?;
        let entry = block.entries.get(block.taken)?;
        let document = block.bytes.get(block.front_start()..entry.end as usize)?;
        Some((document, block.since + Duration::from_millis(entry.after.into())))
    }

    /// Removes the oldest document. Returns whether there was one.
    pub(super) fn pop(&mut self) -> bool {
        let Some(block) = self.blocks.front_mut() else { return false };
        let Some(entry) = block.entries.get(block.taken) else { return false };
        self.bytes -= entry.end as usize - block.front_start();
        self.documents -= 1;
        block.taken += 1;
        if block.taken == block.entries.len() {
            self.charge -= block.bytes.capacity() + BLOCK + block.entries.len() * ENTRY;
            self.blocks.pop_front();
        }
        true
    }
}

impl Block {
    fn front_start(&self) -> usize {
        self.taken
            .checked_sub(1)
            .and_then(|before| self.entries.get(before))
            .map_or(0, |entry| entry.end as usize)
    }
}

/// The cost of an entry: a vector that grows by doubling has at most twice the room it needs.
const ENTRY: usize = 2 * size_of::<Entry>();
/// The cost of a block beside bytes and entries: twice its place in the queue, allocator's words.
const BLOCK: usize = 2 * size_of::<Block>() + 32;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn documents_leave_in_the_order_and_with_the_time_that_they_came() {
        let mut queue = Queue::new(10);
        for n in 0..100u32 {
            queue.push(n.to_string().as_bytes(), n * MS);
        }
        assert_eq!((queue.len(), queue.bytes()), (100, 190));
        for n in 0..100u32 {
            assert_eq!(queue.front(), Some((n.to_string().as_bytes(), n * MS)));
            assert!(queue.pop());
        }
        assert!(queue.front().is_none() && !queue.pop());
        assert_eq!((queue.len(), queue.bytes()), (0, 0));
    }

    #[test]
    fn an_empty_queue_takes_no_memory_and_a_full_one_what_it_says() {
        let mut queue = Queue::new(1_000);
        let mut expected = 0;
        for n in 0..500 {
            expected += queue.cost(n % 300);
            queue.push(&vec![b'x'; n % 300], Duration::ZERO);
            assert_eq!(queue.charge(), expected);
        }
        let blocks: usize = queue.blocks.iter().map(|block| block.bytes.capacity()).sum();
        let entries: usize =
            queue.blocks.iter().map(|block| block.entries.capacity() * size_of::<Entry>()).sum();
        assert!(queue.charge() >= blocks + entries, "{} >= {blocks} + {entries}", queue.charge());
        while queue.pop() {}
        assert_eq!(queue.charge(), 0);
    }

    #[test]
    fn an_empty_document_is_a_document() {
        let mut queue = Queue::new(10);
        queue.push(b"", MS);
        assert_eq!(queue.front(), Some((&b""[..], MS)));
        assert!(queue.pop());
        assert_eq!(queue.len(), 0);
    }
}
