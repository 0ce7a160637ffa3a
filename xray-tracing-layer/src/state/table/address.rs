//! The address in a span id, and the place in the table that it leads to. The packing is that of the registry's slab.
//! Called by the table alone.

/// Page and index of an id's bucket. Page `p` begins at address `FIRST_PAGE * (2^p - 1)`, as in the slab.
#[inline]
pub(super) fn page_and_index(id: u64) -> (usize, usize) {
    let shifted = (id.wrapping_sub(1) as usize & ADDRESS_MASK) + FIRST_PAGE;
    // The highest bit says which page, and the others which place in it.
    let highest = shifted.ilog2();
    ((highest - FIRST_PAGE.ilog2()) as usize, shifted ^ 1 << highest)
}

/// Bits of an id that are an address on its thread (sharded-slab 0.1: 32 pages of 32 slots and up).
pub(super) const ADDRESS_BITS: u32 = 38;
pub(super) const FIRST_PAGE: usize = 32;

/// Addresses above these bits share buckets with lower ones: half a million open spans on one thread.
pub(super) const ADDRESS_MASK: usize = (1 << 19) - 1;

/// The number of pages that the highest address needs.
pub(super) const PAGES: usize = ((ADDRESS_MASK + FIRST_PAGE) / FIRST_PAGE).ilog2() as usize + 1;
