//! Inputs from a seed: one of the target's texts, mutated a few times with its words. Deterministic, so that a seed
//! repeats its input on any machine. No target is known here.

/// Makes one input.
#[derive(Debug)]
pub(crate) struct Generator<'a> {
    state: u64,
    seeds: &'a [&'a str],
    words: &'a [&'a str],
}

impl<'a> Generator<'a> {
    pub(crate) fn new(seed: u64, seeds: &'a [&'a str], words: &'a [&'a str]) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), seeds, words }
    }

    /// A seed text after up to eight mutations.
    pub(crate) fn input(&mut self) -> Vec<u8> {
        let mut input = self.pick(self.seeds).as_bytes().to_vec();
        for _ in 0..self.below(9) {
            self.mutate(&mut input);
        }
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.below(10) {
            0..=2 => {
                let word = self.pick(self.words).as_bytes();
                input.splice(at..at, word.iter().copied());
            }
            3 => {
                let byte = self.next() as u8;
                input.insert(at, byte);
            }
            4 => {
                // A character of one to four bytes, so that text stays text.
                let character = char::from_u32(self.next() as u32 % 0x11_0000).unwrap_or('\u{fffd}');
                input.splice(at..at, character.to_string().into_bytes());
            }
            5 => {
                let end = (at + 1 + self.below(8)).min(input.len());
                input.drain(at.min(end)..end);
            }
            6 => {
                let bit = 1 << self.below(8);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bit;
                }
            }
            7 => {
                let end = (at + 1 + self.below(24)).min(input.len());
                let piece = input.get(at..end).unwrap_or_default().repeat(1 + self.below(40));
                input.splice(at..at, piece);
            }
            8 => {
                let other = self.pick(self.seeds).as_bytes();
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => input.truncate(at),
        }
        input.truncate(LONGEST);
    }

    fn pick(&mut self, among: &'a [&'a str]) -> &'a str {
        among[self.below(among.len())]
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Enough for what bounds anything here, and quick to read through.
const LONGEST: usize = 16 << 10;
