//! Documents on disk: what memory can't hold and what a shutdown can't send.
//!
//! Off unless asked for. Bounded in size and age, and whole after a crash.
