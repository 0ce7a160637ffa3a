//! [`QueuedEmitter`]: documents wait in memory and leave from a thread of their own, many in one system call.
//!
//! `emitter` and `builder` are the public face. Below them, `arena` is the memory where
//! documents wait, made of `block`s; `sender` is the thread, `wakeup` how it sleeps and is woken; `batch` says which
//! documents go out together, `pacing` when; `shared` is what all of them hold. Sockets, addresses and what a send's
//! errors mean are the same as for the emitter without a queue: the connection in `udp`.

mod sync;

mod block;

mod arena;
mod batch;
mod pacing;
mod wakeup;

mod shared;

mod guard;
mod sender;

mod emitter;

mod builder;

pub use builder::QueueBuilder;
pub use emitter::QueuedEmitter;
pub use guard::QueueGuard;

#[cfg(test)]
mod tests;
