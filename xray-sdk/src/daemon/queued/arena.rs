//! [`Arena`]: where documents wait, a bounded number of blocks, and shards that threads fill without meeting each other. No
//! socket, no thread and no clock in here. `emit` pushes, the sender sweeps.
//!
//! ```text
//!  thread ─► its shard ─► open block ──full──► sealed blocks ─┐
//!  thread ─► its shard ─► open block ──full──► sealed blocks ─┼─ sweep ─► the sender ─┐
//!                              ▲                              ┘                       │
//!                              └───────────────── pool ◄──────────── sent, empty ─────┘
//! ```
//!
//! No thread ever sleeps on a lock here, so that unlocking never has to wake one, which would be a system
//! call. A thread that finds its shard taken for longer than a copy lasts climbs to the next one.
//!
//! The packets of a thread stay in order all the same. Sweeps go down from the last shard, and what they find is sent
//! from the first shard on: so if a packet is swept, those that its thread pushed before, into this shard or into
//! lower ones, are in the same sweep before it, or in an earlier one. A thread comes down again only when the sweep
//! that took its last packet is over.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::TryLockError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::block::{BLOCK, Block};
use super::sync::{
    AtomicU64, AtomicUsize, Mutex, MutexGuard, next_thread_number, sleep, spin_loop, thread_local, yield_now,
};

pub(super) struct Arena {
    shards: Box<[Shard]>,
    pool: Mutex<Vec<Block>>,
    /// Blocks outside the pool: in shards, or with the sender.
    in_use: AtomicUsize,
    most: usize,
    /// Blocks in shards that are full.
    sealed: AtomicUsize,
    /// Sweeps that are over.
    sweeps: AtomicU64,
}

/// Alone on its cache lines: two, since processors fetch them in pairs.
#[repr(align(128))]
#[derive(Default)]
struct Shard {
    inside: Mutex<Inside>,
    /// Packets that ever came in. Written under the lock, read by anyone.
    taken: AtomicU64,
}

#[derive(Default)]
struct Inside {
    open: Block,
    sealed: Vec<Block>,
    /// The number of the sweep that came by last.
    swept: u64,
    closed: bool,
}

/// The outcome of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Push {
    Taken,
    /// Taken, and a block is full now.
    Sealed,
    Full,
    /// The sender has ended.
    Closed,
}

impl Arena {
    /// Room for `capacity` bytes, rounded to blocks.
    pub(super) fn new(capacity: usize, threads: usize) -> Self {
        let most = (capacity / BLOCK).max(LEAST_BLOCKS);
        // Four for each thread that can run at once, since those that can't are somewhere, too; not as many that
        // blocks which are hardly begun take half the memory.
        let homes = (threads * 4).next_power_of_two().min(1 << (most / 2).ilog2());
        Self {
            // One more, for those who climb from the last.
            shards: (0..=homes).map(|_| Shard::default()).collect(),
            pool: Mutex::default(),
            in_use: AtomicUsize::new(0),
            most,
            sealed: AtomicUsize::new(0),
            sweeps: AtomicU64::new(0),
        }
    }

    /// Copies a packet in.
    #[inline]
    pub(super) fn push(&self, packet: &[u8]) -> Push {
        let choice = SHARD_CHOICE.try_with(Cell::get).unwrap_or_default();
        if choice.climbed == 0
            && let Some(shard) = self.shards.get(self.index(choice))
            && let Ok(mut inside) = shard.inside.try_lock()
        {
            return self.push_into(shard, &mut inside, packet);
        }
        self.push_climbing(choice, packet)
    }

    fn index(&self, choice: ShardChoice) -> usize {
        let last = self.shards.len() - 1;
        ((choice.home & (last - 1)) + choice.climbed).min(last)
    }

    #[inline]
    fn push_into(&self, shard: &Shard, inside: &mut Inside, packet: &[u8]) -> Push {
        let push = if inside.closed {
            return Push::Closed;
        } else if inside.open.push(packet) {
            Push::Taken
        } else {
            self.push_into_next(inside, packet)
        };
        if push != Push::Full {
            // Under the lock no other thread adds.
            shard.taken.store(shard.taken.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
        push
    }

    #[cold]
    fn push_into_next(&self, inside: &mut Inside, packet: &[u8]) -> Push {
        let Some(mut next) = self.acquire() else { return Push::Full };
        let fits = next.push(packet);
        debug_assert!(fits, "packets are bounded before they come here");
        let full = std::mem::replace(&mut inside.open, next);
        if full.is_empty() {
            return Push::Taken;
        }
        inside.sealed.push(full);
        self.sealed.fetch_add(1, Ordering::Relaxed);
        Push::Sealed
    }

    #[cold]
    fn push_climbing(&self, mut choice: ShardChoice, packet: &[u8]) -> Push {
        let before = choice;
        for tries in 0..self.shards.len() + YIELDS {
            // All are taken, by threads that were interrupted meanwhile: they need the core.
            if tries >= self.shards.len() {
                yield_now();
            }
            let Some(shard) = self.shards.get(self.index(choice)) else { break };
            let Some(mut inside) = lock_soon(&shard.inside) else {
                choice.climbed += usize::from(self.index(choice) < self.shards.len() - 1);
                continue;
            };
            // Not for who just climbed: what it left below may still be there.
            let is_over = || inside.swept <= self.sweeps.load(Ordering::Acquire);
            if choice == before && choice.climbed > 0 && inside.is_empty() && is_over() {
                choice.climbed = 0;
                continue;
            }
            if choice != before {
                let _ = SHARD_CHOICE.try_with(|mine| mine.set(choice));
            }
            return self.push_into(shard, &mut inside, packet);
        }
        Push::Full
    }

    /// A block from the pool or a new one, if there may be one more.
    fn acquire(&self) -> Option<Block> {
        let more = |in_use| (in_use < self.most).then_some(in_use + 1);
        self.in_use.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let mut block = lock_soon(&self.pool).and_then(|mut pool| pool.pop()).unwrap_or_default();
        block.furnish();
        Some(block)
    }

    /// Moves all that waits into `blocks`, behind what is there, and with `close` lets nothing in any more. For the
    /// sender alone: where the thread that holds a shard was interrupted, this waits for it to go on.
    pub(super) fn sweep(&self, blocks: &mut VecDeque<Block>, close: bool) {
        let number = self.sweeps.load(Ordering::Relaxed) + 1;
        let kept = blocks.len();
        for shard in self.shards.iter().rev() {
            let mut inside = loop {
                match lock_soon(&shard.inside) {
                    Some(inside) => break inside,
                    None => sleep(SHORT_NAP),
                }
            };
            inside.swept = number;
            inside.closed |= close;
            if inside.is_empty() {
                continue;
            }
            self.sealed.fetch_sub(inside.sealed.len(), Ordering::Relaxed);
            let open = std::mem::take(&mut inside.open);
            // Before what was found in higher shards.
            let found = inside.sealed.drain(..).chain([open]).filter(|block| !block.is_empty());
            let before = blocks.len();
            blocks.extend(found);
            let added = blocks.len() - before;
            blocks.make_contiguous()[kept..].rotate_right(added);
        }
        self.sweeps.store(number, Ordering::Release);
    }

    /// Takes a block back whose packets are gone. The last that came is the first that goes: it is in the cache.
    pub(super) fn release(&self, mut block: Block) {
        block.clear();
        if let Some(mut pool) = lock_soon(&self.pool)
            && pool.len() < self.most
        {
            pool.push(block);
        }
        self.in_use.fetch_sub(1, Ordering::Relaxed);
    }

    /// Frees what a burst left behind.
    pub(super) fn shrink(&self) {
        if let Some(mut pool) = lock_soon(&self.pool) {
            *pool = Vec::new();
        }
    }

    /// Returns whether a full block waits.
    pub(super) fn has_sealed(&self) -> bool {
        self.sealed.load(Ordering::Relaxed) > 0
    }

    /// Returns whether there is so much that the sender's nap should end. At each full block before that, waking it would
    /// cost more than it gains: the pace sets in after two of them anyway.
    pub(super) fn is_crowded(&self) -> bool {
        self.has_sealed() && self.fill() >= CROWDED
    }

    /// Returns how full the arena is, in 1,024ths.
    pub(super) fn fill(&self) -> u32 {
        (self.in_use.load(Ordering::Relaxed) * 1024 / self.most) as u32
    }

    /// Packets that ever came in.
    pub(super) fn taken(&self) -> u64 {
        self.shards.iter().map(|shard| shard.taken.load(Ordering::Relaxed)).sum()
    }
}

/// A lock that is free, or will be within the time of a few copies.
fn lock_soon<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    for _ in 0..SPINS {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            // Nothing panics under these locks, and blocks are whole between any two statements.
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => spin_loop(),
        }
    }
    None
}

impl Inside {
    fn is_empty(&self) -> bool {
        self.open.is_empty() && self.sealed.is_empty()
    }
}

/// The shard that a thread pushes to, in all arenas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ShardChoice {
    home: usize,
    /// Shards between that and where it is now.
    climbed: usize,
}

thread_local! {
    static SHARD_CHOICE: Cell<ShardChoice> =
        Cell::new(ShardChoice { home: next_thread_number(), climbed: 0 });
}

/// A pause takes 10 to 140 cycles, and a copy under the lock seldom more than a few hundred.
const SPINS: usize = 32;

/// Times that a thread yields to those that hold every shard, before it loses a document that there is room for.
const YIELDS: usize = 4;

/// A quarter, in 1,024ths.
const CROWDED: u32 = 256;

/// For an interrupted thread to go on.
const SHORT_NAP: Duration = Duration::from_millis(1);

/// Two for each of two shards.
const LEAST_BLOCKS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn swept(arena: &Arena) -> Vec<Vec<u8>> {
        let mut blocks = VecDeque::new();
        arena.sweep(&mut blocks, false);
        let packets = blocks.iter().flat_map(|block| block.packets(0)).map(<[u8]>::to_vec).collect();
        blocks.into_iter().for_each(|block| arena.release(block));
        packets
    }

    #[test]
    fn what_a_thread_pushes_comes_out_whole_and_in_order() {
        let arena = Arena::new(1 << 20, 2);
        let packets: Vec<Vec<u8>> = (0..500_u16).map(|i| i.to_be_bytes().repeat(300)).collect();
        for packet in &packets {
            assert!(matches!(arena.push(packet), Push::Taken | Push::Sealed));
        }
        assert!(arena.has_sealed());
        assert_eq!(swept(&arena), packets);
        assert_eq!((arena.taken(), arena.fill(), arena.has_sealed()), (500, 0, false));
    }

    #[test]
    fn memory_is_bounded_and_room_comes_back() {
        let arena = Arena::new(4 * BLOCK, 1);
        let packet = [7; BLOCK / 2];
        let count = || (0..20).filter(|_| arena.push(&packet) != Push::Full).count();
        assert_eq!((count(), arena.fill()), (8, 1024));
        assert_eq!(arena.push(&[1; 10]), Push::Full, "whole packets or nothing");
        assert_eq!(swept(&arena).len(), 8);
        assert_eq!((count(), arena.taken()), (8, 16));
    }

    #[test]
    fn a_thread_whose_shard_is_taken_climbs_and_its_packets_stay_in_order() {
        let arena = Arena::new(1 << 20, 2);
        let climbed = || SHARD_CHOICE.get().climbed;
        // From each shard, the last one among them.
        for home in 0..arena.shards.len() {
            SHARD_CHOICE.set(ShardChoice { home, climbed: 0 });
            arena.push(b"1");
            let taken = arena.shards[arena.index(SHARD_CHOICE.get())].inside.lock();
            assert_eq!(arena.push(b"2"), Push::Taken);
            drop(taken);
            arena.push(b"3");
            assert_eq!(climbed(), 1, "it stays while something of its own is there");
            assert_eq!(swept(&arena), [b"1", b"2", b"3"]);
            arena.push(b"4");
            assert_eq!(climbed(), 0);
            assert_eq!(swept(&arena), [b"4"]);
        }
    }

    #[test]
    fn a_thread_does_not_come_down_during_the_sweep_that_takes_its_packets() {
        let arena = Arena::new(1 << 20, 2);
        SHARD_CHOICE.set(ShardChoice { home: 0, climbed: 0 });
        let taken = arena.shards[0].inside.lock();
        arena.push(b"1");
        drop(taken);
        // The sweep was at the upper shard already and has yet to come to the lower one.
        let mut inside = arena.shards[1].inside.lock().unwrap();
        (inside.open, inside.swept) = (Block::default(), 1);
        drop(inside);
        arena.push(b"2");
        assert_eq!(SHARD_CHOICE.get().climbed, 1);
    }

    #[test]
    fn what_was_kept_comes_before_what_is_swept() {
        let arena = Arena::new(1 << 20, 2);
        let mut blocks = VecDeque::new();
        for packet in [b"1", b"2", b"3"] {
            arena.push(packet);
            arena.sweep(&mut blocks, false);
        }
        let packets: Vec<_> = blocks.iter().flat_map(|block| block.packets(0)).collect();
        assert_eq!(packets, [b"1", b"2", b"3"]);
    }

    #[test]
    fn all_shards_taken_is_full_and_does_not_wait() {
        let arena = Arena::new(1 << 20, 1);
        let taken: Vec<_> = arena.shards.iter().map(|shard| shard.inside.lock()).collect();
        assert_eq!(arena.push(b"x"), Push::Full);
        drop(taken);
        assert_eq!(arena.push(b"x"), Push::Taken);
    }

    #[test]
    fn a_closed_arena_gives_all_it_has_and_takes_nothing() {
        let arena = Arena::new(1 << 20, 1);
        arena.push(b"last");
        let mut blocks = VecDeque::new();
        arena.sweep(&mut blocks, true);
        assert_eq!(blocks.len(), 1);
        assert_eq!((arena.push(b"late"), arena.taken()), (Push::Closed, 1));
    }

    #[test]
    fn blocks_are_used_again_until_they_are_given_up() {
        let arena = Arena::new(1 << 20, 1);
        for _ in 0..100 {
            arena.push(b"x");
            swept(&arena);
        }
        assert_eq!(arena.pool.lock().unwrap().len(), 1);
        arena.shrink();
        assert_eq!(arena.pool.lock().unwrap().capacity(), 0);
    }
}
