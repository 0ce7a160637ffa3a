//! Randomness, kept per thread so that neither a lock nor a system call is paid per id.
//!
//! Two sources. Trace ids draw from a buffer that the system's generator fills: one system call, several hundred
//! nanoseconds, for [`DRAWS`] ids. Segment ids and sampling draw from a fast generator that was seeded once.
//! Both live in thread locals that need no destructor, so they work while a thread is being torn down.
//! Nothing here knows what an id looks like.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

/// The random bits of one trace id: 96 of them, below 32 zeros.
pub(super) fn trace_bits() -> [u8; 16] {
    let mut bits = [0; 16];
    let draw = &mut bits[16 - DRAW..];
    let drawn = SECURE.try_with(|secure| secure.try_borrow_mut().map(|mut secure| secure.draw(draw)));
    if !matches!(drawn, Ok(Ok(()))) {
        fill(draw);
    }
    bits
}

/// 64 random bits of no cryptographic worth, in about a nanosecond.
#[inline]
pub(crate) fn fast_u64() -> u64 {
    FAST.try_with(Fast::next).unwrap_or_else(|_| seed())
}

/// Makes every thread take fresh randomness before its next id.
///
/// For a process that was copied while it ran: restored from a snapshot (Lambda SnapStart) or forked. Without
/// this, the copies would go on with the same buffered randomness and make the same ids. Other threads notice at
/// their next id, not in the middle of one.
pub fn reseed() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Raised by [`reseed`]; thread locals of another generation start afresh. Theirs begins at zero, so that this
/// also tells the ones that never drew. Relaxed, since nothing else is published with it: a thread that was
/// told of the reseed, by whatever means, sees the new number.
static GENERATION: AtomicU64 = AtomicU64::new(1);

thread_local! {
    // All zeros, so that a thread which never makes a trace id never touches this memory.
    static SECURE: RefCell<Secure> =
        const { RefCell::new(Secure { bytes: [0; DRAW * DRAWS], left: 0, generation: 0 }) };
    static FAST: Fast = const { Fast { state: Cell::new(0), generation: Cell::new(0) } };
}

struct Secure {
    bytes: [u8; DRAW * DRAWS],
    /// How many draws are still unused, at the end of `bytes`.
    left: usize,
    generation: u64,
}

impl Secure {
    fn draw(&mut self, out: &mut [u8]) {
        let generation = GENERATION.load(Ordering::Relaxed);
        if self.left == 0 || self.generation != generation {
            fill(&mut self.bytes);
            self.left = DRAWS;
            self.generation = generation;
        }
        let at = (DRAWS - self.left) * DRAW;
        self.left -= 1;
        out.copy_from_slice(&self.bytes[at..at + DRAW]);
    }
}

struct Fast {
    state: Cell<u64>,
    generation: Cell<u64>,
}

impl Fast {
    #[inline]
    fn next(&self) -> u64 {
        let generation = GENERATION.load(Ordering::Relaxed);
        if self.generation.get() != generation {
            self.restart(generation);
        }
        let mut rng = fastrand::Rng::with_seed(self.state.get());
        let bits = rng.u64(..);
        self.state.set(rng.get_seed());
        bits
    }

    #[cold]
    fn restart(&self, generation: u64) {
        self.state.set(seed());
        self.generation.set(generation);
    }
}

#[cold]
fn seed() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// Fills from the system's generator. Where that fails, ids that can be guessed are better than none.
#[cold]
fn fill(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        fastrand::Rng::new().fill(bytes);
    }
}

/// Bytes per draw: the 96 random bits of a trace id.
const DRAW: usize = 12;

/// Draws per system call: 85 of 12 bytes fit into 1 KiB.
const DRAWS: usize = 1024 / DRAW;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn draws_differ_across_refills() {
        let draws: HashSet<_> = (0..DRAWS * 3).map(|_| trace_bits()).collect();
        assert_eq!(draws.len(), DRAWS * 3);
        assert!(draws.iter().all(|draw| draw.starts_with(&[0; 4])));
    }

    #[test]
    fn a_draw_is_never_handed_out_twice() {
        let mut secure = Secure { bytes: [0; DRAW * DRAWS], left: 0, generation: 0 };
        let mut out = [0; DRAW];
        secure.draw(&mut out);
        let first_fill = secure.bytes;
        assert_eq!(out, first_fill[..DRAW]);
        for i in 1..DRAWS {
            secure.draw(&mut out);
            assert_eq!(out, first_fill[i * DRAW..(i + 1) * DRAW]);
        }
        secure.draw(&mut out);
        assert_ne!(secure.bytes, first_fill);
    }

    #[test]
    fn reseeding_parts_copies_of_a_process() {
        let copy = |fast: &Fast| Fast { state: fast.state.clone(), generation: fast.generation.clone() };
        let original = Fast { state: Cell::new(0), generation: Cell::new(0) };
        original.next();
        let twins = [copy(&original), copy(&original)];
        reseed();
        let [a, b] = twins.map(|twin| twin.next());
        assert_ne!(a, b);
    }

    #[test]
    fn reseeding_empties_the_buffer() {
        let mut secure = Secure { bytes: [0; DRAW * DRAWS], left: 0, generation: 0 };
        let mut out = [0; DRAW];
        secure.draw(&mut out);
        let before = secure.bytes;
        reseed();
        secure.draw(&mut out);
        assert_ne!(secure.bytes, before);
    }

    #[test]
    fn threads_draw_apart() {
        let drawn = || (0..100).map(|_| fast_u64()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::Builder::new().spawn(drawn).unwrap()).collect();
        let all: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), 400);
    }
}
