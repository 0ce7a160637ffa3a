//! Randomness, kept per thread so that neither a lock nor a system call is paid per id.
//!
//! Two sources. Trace ids draw from a buffer that the system's generator fills: one system call, several hundred
//! nanoseconds, for [`DRAWS`] ids. Segment ids and sampling draw from a fast generator that was seeded once.
//! Both live in thread locals that need no destructor, so they work while a thread is being torn down.
//! Nothing here knows what an id looks like.
//!
//! A forked child inherits both, and would draw its parent's ids. Asking for the process at each draw costs a
//! system call, more than a span. So each trace id is mixed with the fast generator, and that is stirred with
//! the time whenever a trace begins ([`stir`]). Parent and child draw the same only if both begin a trace in
//! the same nanosecond after the fork, on the thread that forked.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::{SmallRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};

/// The random bits of one trace id: 96 of them, below 32 zeros.
pub(super) fn trace_bits() -> [u8; 16] {
    let mut bits = [0; 16];
    let draw = &mut bits[16 - DRAW..];
    let drawn = SECURE.try_with(|secure| secure.try_borrow_mut().map(|mut secure| secure.draw(draw)));
    if !matches!(drawn, Ok(Ok(()))) {
        fill(draw);
    }
    // Bits of the system's stay as good as they are, whatever they are combined with.
    for (bit, mixed) in draw.iter_mut().zip(fast_u64_apart().to_ne_bytes()) {
        *bit ^= mixed;
    }
    bits
}

/// 64 random bits of no cryptographic worth, in about a nanosecond.
#[inline]
pub(crate) fn fast_u64() -> u64 {
    FAST.try_with(Fast::next).unwrap_or_else(|_| seed())
}

/// Draws as [`fast_u64`] does, out of line: for what is drawn once in many spans, so that the code stands once.
#[inline(never)]
pub(crate) fn fast_u64_apart() -> u64 {
    fast_u64()
}

/// Makes what this thread draws next depend on `nanos`, a reading of a clock.
#[inline]
pub fn stir(nanos: u64) {
    let _ = FAST.try_with(|fast| fast.stir(nanos));
}

/// Makes every thread take fresh randomness before its next id.
///
/// For a process that was copied while it ran: restored from a snapshot (Lambda SnapStart) or forked. Other
/// threads notice at their next id, not in the middle of one.
pub fn reseed() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Raised by [`reseed`]; thread locals of another generation start afresh. Theirs begins at zero, so that this
/// also marks the ones that never drew. Relaxed, since nothing else is published with it: a thread that
/// learned of the reseed, by whatever means, sees the new number.
static GENERATION: AtomicU64 = AtomicU64::new(1);

thread_local! {
    // All zeros, so that a thread which never makes a trace id never touches this memory.
    static SECURE: RefCell<Secure> =
        const { RefCell::new(Secure { bytes: [0; DRAW * DRAWS], left: 0, generation: 0 }) };
    static FAST: Fast = const { Fast::new() };
}

struct Secure {
    bytes: [u8; DRAW * DRAWS],
    /// The number of unused draws at the end of `bytes`.
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

/// The fast generator: xoshiro256++ (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators").
///
/// `rand` has the same generator, but none of its constructors is const: behind an `Option` and a `RefCell`, a draw
/// takes five times as many instructions.
struct Fast {
    /// All zeros before the first draw, and never again.
    state: Cell<[u64; 4]>,
    generation: Cell<u64>,
}

impl Fast {
    const fn new() -> Self {
        Self { state: Cell::new([0; 4]), generation: Cell::new(0) }
    }

    #[inline]
    fn next(&self) -> u64 {
        let generation = GENERATION.load(Ordering::Relaxed);
        if self.generation.get() != generation {
            self.restart(generation);
        }
        let [a, b, c, d] = self.state.get();
        let (mixed_c, mixed_d) = (c ^ a, d ^ b);
        self.state.set([a ^ mixed_d, b ^ mixed_c, mixed_c ^ b << 17, mixed_d.rotate_left(45)]);
        a.wrapping_add(d).rotate_left(23).wrapping_add(a)
    }

    /// Changes what is drawn next, and all that comes after it.
    #[inline]
    fn stir(&self, nanos: u64) {
        let [a, b, c, d] = self.state.get();
        // A multiplication by an odd number spreads the clock's low bits.
        self.state.set([a ^ nanos.wrapping_mul(0x9e37_79b9_7f4a_7c15), b, c, d]);
    }

    #[cold]
    fn restart(&self, generation: u64) {
        let mut seed = [0; 32];
        fill(&mut seed);
        let word = |at: usize| seed[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        // A state of zeros would stay one.
        self.state.set([word(0) | 1, word(8), word(16), word(24)]);
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
    if SysRng.try_fill_bytes(bytes).is_err() {
        // The standard library's own keys: random where the system can be, and different for each call.
        use std::hash::{BuildHasher, RandomState};
        SmallRng::seed_from_u64(RandomState::new().hash_one(bytes.len())).fill_bytes(bytes);
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
    fn draws_are_those_of_xoshiro256_plus_plus() {
        let fast = Fast::new();
        fast.generation.set(GENERATION.load(Ordering::Relaxed));
        let seed: Vec<u8> = (1..=32).collect();
        let mut theirs = SmallRng::from_seed(seed.clone().try_into().unwrap());
        let (words, _) = seed.as_chunks::<8>();
        fast.state.set(std::array::from_fn(|i| u64::from_le_bytes(words[i])));
        for _ in 0..100 {
            // Another test may reseed meanwhile.
            fast.generation.set(GENERATION.load(Ordering::Relaxed));
            assert_eq!(fast.next(), theirs.next_u64());
        }
    }

    #[test]
    fn reseeding_parts_copies_of_a_process() {
        let copy = |fast: &Fast| Fast { state: fast.state.clone(), generation: fast.generation.clone() };
        let original = Fast::new();
        original.next();
        let twins = [copy(&original), copy(&original)];
        reseed();
        let [a, b] = twins.map(|twin| twin.next());
        assert_ne!(a, b);
    }

    #[test]
    fn a_nanosecond_parts_copies_of_a_thread() {
        let drawn = |nanos| {
            let fast = Fast { state: Cell::new([1, 2, 3, 4]), generation: Cell::new(0) };
            fast.stir(nanos);
            let draw = |_| {
                fast.generation.set(GENERATION.load(Ordering::Relaxed));
                fast.next()
            };
            (0..100).map(draw).collect::<Vec<_>>()
        };
        let (parent, child) = (drawn(1_000_000_001), drawn(1_000_000_002));
        assert_eq!(parent, drawn(1_000_000_001), "the same state and the same time draw the same");
        assert!(parent.iter().all(|id| !child.contains(id)));
        let before = FAST.with(|fast| {
            fast_u64();
            fast.state.get()
        });
        stir(7);
        assert_ne!(FAST.with(|fast| fast.state.get()), before, "a thread's own generator is stirred");
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
