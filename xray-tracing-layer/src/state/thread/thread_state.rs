//! Facts that a thread remembers between two callbacks, in one place with their invariants.
//!
//! `tracing` reports events without their context. These facts are known only to the thread on which they
//! happen. Each is written by one file and read by one:
//!
//! | fact | written | read |
//! |---|---|---|
//! | the spans that the thread is in | `lifecycle::entered`, at enter and exit | at each new span and event |
//! | the parent that the registry closes because of its child | `lifecycle::close`, by a guard that restores it | when that parent closes |
//! | the span that was exited last | `lifecycle::emit_early`, in Lambda | at the next exit, and at a failure of the handler |
//! | how many callbacks the inner layers got | `layer::xray_layer`, at the beginning of each | `layer::filtered`, right after |
//! | whether the panic hook recorded the latest panic | `layer::panic_hook`, at a panic | while the panic unwinds, and where it is caught |
//!
//! One fact is elsewhere: whether recording is suppressed, in `settings::reentrancy`. The sampler's guard in `settings`
//! and the packet's in `fields` both set it, and those rooms are below this one. A guard sets and
//! restores it, and it is read before anything is recorded.
//!
//! The thread's number, by which counters are spread, is drawn once.
//!
//! Nothing here is locked or allocated. At the end of a thread there is no state, and nothing is remembered.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::state::thread::entered::EnteredSpans;

/// The facts of one thread.
pub(crate) struct ThreadState {
    pub(crate) entered: EnteredSpans,
    /// The registry's id of the parent that closes because its last child did.
    pub(crate) closed_by_child: Cell<Option<NonZeroU64>>,
    /// The registry's id of the span that this thread exited last.
    pub(crate) last_exited: Cell<Option<NonZeroU64>>,
    /// The number of spans and events that layers got.
    pub(crate) forwarded: Cell<u32>,
    /// Set if the thread's latest panic is recorded in a span, with its message.
    pub(crate) panic_recorded: Cell<bool>,
    /// The thread's number, from 1 on; 0 before it is asked for.
    number: Cell<u32>,
}

thread_local! {
    static STATE: ThreadState = const {
        ThreadState {
            entered: EnteredSpans::new(),
            closed_by_child: Cell::new(None),
            last_exited: Cell::new(None),
            forwarded: Cell::new(0),
            panic_recorded: Cell::new(false),
            number: Cell::new(0),
        }
    };
}

impl ThreadState {
    /// Calls `look` with this thread's state. Returns `None` at the end of the thread.
    #[inline]
    pub(crate) fn with<R>(look: impl FnOnce(&Self) -> R) -> Option<R> {
        STATE.try_with(look).ok()
    }

    /// Returns the thread's number, by which counters are spread.
    #[inline]
    pub(crate) fn number(&self) -> u32 {
        match self.number.get() {
            0 => self.draw_number(),
            number => number,
        }
    }

    #[cold]
    fn draw_number(&self) -> u32 {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        self.number.set(NEXT.fetch_add(1, Relaxed).max(1));
        self.number.get()
    }
}
