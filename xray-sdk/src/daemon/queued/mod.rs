//! [`QueuedEmitter`]: documents wait in memory and leave from a thread of their own, many in one system call.
//!
//! `emitter` and `builder` are the public face. Below them, `arena` is the memory where
//! documents wait, made of `block`s; `sender` is the thread, `wakeup` how it sleeps and is woken; `pacing` says when
//! documents go out; `shared` is what all of them hold. Which documents go out together, sockets, addresses and what a
//! send's errors mean are the same as for the emitter without a queue: `batch`, and the connection in `udp`.

mod sync;

mod block;

mod arena;
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
