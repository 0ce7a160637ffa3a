//! The queue's arena and wake-up, as `xray-sdk` has them, on loom's primitives.
#![allow(dead_code, reason = "the models don't need every method")]

#[path = "../../../../xray-sdk/src/daemon/queued/block.rs"]
mod block;

mod sync;

#[path = "../../../../xray-sdk/src/daemon/queued/arena.rs"]
mod arena;

#[path = "../../../../xray-sdk/src/daemon/queued/wakeup.rs"]
mod wakeup;

pub(crate) mod models;
