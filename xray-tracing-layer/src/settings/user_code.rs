//! Calls of the user's closures that run inside of a callback: without a subscriber, and with panics caught.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::dispatcher::{Dispatch, get_default, with_default};
use tracing::subscriber::NoSubscriber;

/// Calls a closure of the user's. Returns `None` if it panics.
///
/// A span that opens and closes while the registry closes another is never removed from the registry, and
/// keeps the spans around it open. So `tracing` is off meanwhile.
///
/// The code that opened or dropped the span does not see the panic; its thread may be panicking already.
pub(crate) fn call_without_subscriber<R>(call: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(|| {
        // Inside a thread's own subscriber there is none, and none can be set.
        if get_default(Dispatch::is::<NoSubscriber>) { call() } else { with_default(&Dispatch::none(), call) }
    }))
    .ok()
}
