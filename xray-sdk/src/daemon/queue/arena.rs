//! Where documents wait: a bounded number of blocks, and shards that threads fill without meeting each other. No
//! socket, no thread and no clock in here. `emit` pushes, the sender sweeps.
//!
//! ```text
//!  thread ─► its shard ─► open block ──full──► sealed blocks ─┐
//!  thread ─► its shard ─► open block ──full──► sealed blocks ─┼─ sweep ─► the sender ─┐
//!                              ▲                              ┘                       │
//!                              └───────────────── pool ◄──────────── sent, empty ─────┘
//! ```
//!
//! Nobody ever waits for a lock here, so that giving one back never has to wake anybody, which would be a system
//! call. A thread that finds its shard taken for longer than a copy lasts moves on to the next one, and stays there.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use super::block::{BLOCK, Block};

pub(super) struct Arena {
    shards: Box<[Shard]>,
    pool: Mutex<Vec<Block>>,
    /// Blocks outside the pool: in shards, or with the sender.
    in_use: AtomicUsize,
    most: usize,
    /// Blocks in shards that are full.
    sealed: AtomicUsize,
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
    closed: bool,
}

/// What became of a packet.
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
        // Four for each thread that can run at once, since those that can't are somewhere, too; not so many that
        // blocks which are hardly begun take half the memory.
        let shards = (threads * 4).next_power_of_two().min(1 << (most / 2).ilog2());
        Self {
            shards: (0..shards).map(|_| Shard::default()).collect(),
            pool: Mutex::default(),
            in_use: AtomicUsize::new(0),
            most,
            sealed: AtomicUsize::new(0),
        }
    }

    /// Copies a packet in.
    #[inline]
    pub(super) fn push(&self, packet: &[u8]) -> Push {
        let home = HOME.try_with(Cell::get).unwrap_or_default();
        if let Some(shard) = self.shards.get(home & (self.shards.len() - 1))
            && let Ok(mut inside) = shard.inside.try_lock()
        {
            return self.push_into(shard, &mut inside, packet);
        }
        self.push_elsewhere(home, packet)
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
            // Under the lock nobody else adds.
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
    fn push_elsewhere(&self, home: usize, packet: &[u8]) -> Push {
        for at in home..home + self.shards.len() {
            let Some(shard) = self.shards.get(at & (self.shards.len() - 1)) else { continue };
            let Some(mut inside) = lock_soon(&shard.inside) else { continue };
            if at != home {
                let _ = HOME.try_with(|home| home.set(at));
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

    /// Moves all that waits into `blocks`, shard by shard, and with `close` lets nothing in any more. `false` when a
    /// shard could not be looked into, since the thread that holds it was interrupted; its packets come next time.
    ///
    /// For the sender alone, and always from the first shard on: that keeps the packets of a thread in order even
    /// where it left its shard because the sender was in there.
    pub(super) fn sweep(&self, blocks: &mut VecDeque<Block>, close: bool) -> bool {
        let mut complete = true;
        for shard in &self.shards {
            let Some(mut inside) = lock_soon(&shard.inside) else {
                complete = false;
                continue;
            };
            self.sealed.fetch_sub(inside.sealed.len(), Ordering::Relaxed);
            blocks.extend(inside.sealed.drain(..));
            if !inside.open.is_empty() {
                blocks.push_back(std::mem::take(&mut inside.open));
            }
            inside.closed |= close;
        }
        complete
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

    /// Whether a block is full and waits.
    pub(super) fn has_sealed(&self) -> bool {
        self.sealed.load(Ordering::Relaxed) > 0
    }

    /// How full the arena is, in 1,024ths.
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
            Err(TryLockError::WouldBlock) => std::hint::spin_loop(),
        }
    }
    None
}

thread_local! {
    /// The shard a thread pushes to, in all arenas.
    static HOME: Cell<usize> = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Cell::new(NEXT.fetch_add(1, Ordering::Relaxed))
    };
}

/// A pause takes 10 to 140 cycles, and a copy under the lock seldom more than a few hundred.
const SPINS: usize = 32;

/// Two for each of two shards.
const LEAST_BLOCKS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn swept(arena: &Arena) -> Vec<Vec<u8>> {
        let mut blocks = VecDeque::new();
        assert!(arena.sweep(&mut blocks, false));
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
    fn a_thread_whose_shard_is_taken_moves_on_and_stays() {
        let arena = Arena::new(1 << 20, 2);
        arena.push(b"before");
        let home = HOME.get() & (arena.shards.len() - 1);
        let taken = arena.shards[home].inside.lock();
        assert_eq!(arena.push(b"meanwhile"), Push::Taken);
        assert!(!arena.sweep(&mut VecDeque::new(), false), "one shard is not seen");
        drop(taken);
        arena.push(b"after");
        assert_eq!(HOME.get() & (arena.shards.len() - 1), (home + 1) & (arena.shards.len() - 1));
        assert_eq!(swept(&arena).len(), 2);
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
        assert!(arena.sweep(&mut blocks, true));
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
