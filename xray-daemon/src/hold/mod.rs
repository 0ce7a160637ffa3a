//! Documents in memory, within one budget of bytes.
//!
//! Everything that holds a document counts: those that wait, those under way, those that wait for another try.
