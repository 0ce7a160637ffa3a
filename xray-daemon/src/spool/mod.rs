//! Documents on disk: what memory can't hold and what a shutdown can't send.
//!
//! Off unless asked for. An [`Index`] knows what is on disk, bounds it in size and age, and says which entry comes
//! back when; it is a plain value. A [`Disk`] keeps the entries, a batch each, in one file of the embedded database
//! `redb`, whole after a crash. `upload` gives the orders, and runs them on a thread that may block.

mod index;

mod disk;

pub use disk::{Disk, OpenError};
pub use index::{Index, Stored, room};
