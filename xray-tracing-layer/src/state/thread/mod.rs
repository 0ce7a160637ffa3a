//! A thread's own facts: the spans that it is in, and what it remembers between two callbacks.

pub(crate) mod entered;
pub(crate) mod thread_state;
