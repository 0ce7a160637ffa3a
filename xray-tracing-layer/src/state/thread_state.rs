//! Facts that a thread remembers between two callbacks, in one place with their invariants.
//!
//! `tracing` reports events without their context. Five facts are known only to the thread on which they
//! happen. Each is written by one file and read by one:
//!
//! | fact | written | read |
//! |---|---|---|
//! | the unsampled root that the thread is in | `lifecycle::unsampled`, at enter and exit | at each new span and event |
//! | the spans that the thread is in | `lifecycle::entered`, at enter and exit | at each new span, event and exit |
//! | the parent that the registry closes because of its child | `lifecycle::close`, by a guard that restores it | when that parent closes |
//! | the span that was exited last | `lifecycle::emit_early`, in Lambda | at the next exit, and at a failure of the handler |
//! | whether the inner layer got a callback | `layer::xray_layer`, at the end of it | `layer::filtered`, right after |
//! | whether the panic hook recorded the latest panic | `layer::panic_hook`, at a panic | while the panic unwinds, and where it is caught |
//!
//! Nothing here is locked or allocated. At the end of a thread there is no state, and nothing is remembered.

use std::cell::Cell;

use crate::state::record::Kind;

/// The facts of one thread.
pub(crate) struct ThreadState {
    pub(crate) entered: EnteredSpans,
    pub(crate) unsampled: UnsampledScope,
    /// The registry's id of the parent that closes because its last child did; 0 for none.
    pub(crate) closed_by_child: Cell<u64>,
    /// The registry's id of the span that this thread exited last; 0 for none.
    pub(crate) last_exited: Cell<u64>,
    /// Whether a layer got a span or an event since the flag was reset.
    pub(crate) forwarded: Cell<bool>,
    /// Whether the thread's latest panic is recorded in a span, with its message.
    pub(crate) panic_recorded: Cell<bool>,
}

/// The unsampled root that the thread is in.
///
/// `depth` is above 0 exactly while the thread is inside of `id`, a root that `layer` does not record.
/// `others` counts recorded spans that the thread entered on top of it; while there are any, new spans belong
/// to them.
pub(crate) struct UnsampledScope {
    /// The number of the layer that does not record the root.
    pub(crate) layer: Cell<u32>,
    /// The registry's id of the span.
    pub(crate) id: Cell<u64>,
    /// How often the thread has entered the root; 0 after the last exit.
    pub(crate) depth: Cell<u32>,
    /// Recorded spans that were entered inside of it.
    pub(crate) others: Cell<u32>,
    /// The layer's count of late decisions at the time of entering. A higher count ends the scope.
    pub(crate) decisions: Cell<u32>,
    /// Whether the root's record knows that something was opened inside.
    pub(crate) knows_child: Cell<bool>,
}

thread_local! {
    static STATE: ThreadState = const {
        ThreadState {
            entered: EnteredSpans::new(),
            unsampled: UnsampledScope {
                layer: Cell::new(0),
                id: Cell::new(0),
                depth: Cell::new(0),
                others: Cell::new(0),
                decisions: Cell::new(0),
                knows_child: Cell::new(false),
            },
            closed_by_child: Cell::new(0),
            last_exited: Cell::new(0),
            forwarded: Cell::new(false),
            panic_recorded: Cell::new(false),
        }
    };
}

impl ThreadState {
    /// Calls `look` with this thread's state. Returns `None` at the end of the thread.
    #[inline]
    pub(crate) fn with<R>(look: impl FnOnce(&Self) -> R) -> Option<R> {
        STATE.try_with(look).ok()
    }
}

/// The spans that the thread is in, in the order in which it entered them, as one layer hears of them.
///
/// The list begins when it is empty and a span is entered. From then on it has each span that the layer hears of, so its
/// last one is the registry's current span. The list is not used, and the registry is asked, in these cases:
///
/// | case | until |
/// |---|---|
/// | empty: the layer heard of no span, or another layer kept the list | a span is entered |
/// | more spans than have room | all of them are exited |
/// | a span is entered that the thread is in already: the registry does not take it for the current one | the same |
pub(crate) struct EnteredSpans {
    /// The number of the layer that the list belongs to.
    layer: Cell<u32>,
    depth: Cell<u32>,
    /// Whether only the depth is known.
    lost: Cell<bool>,
    ids: [Cell<u64>; DEPTH],
    /// The kinds at the time of entering.
    kinds: [Cell<Kind>; DEPTH],
}

impl EnteredSpans {
    const fn new() -> Self {
        Self {
            layer: Cell::new(0),
            depth: Cell::new(0),
            lost: Cell::new(false),
            ids: [const { Cell::new(0) }; DEPTH],
            kinds: [const { Cell::new(Kind::Absent) }; DEPTH],
        }
    }

    /// Notes that a layer's span is entered.
    #[inline]
    pub(crate) fn push(&self, layer: u32, id: u64, kind: Kind) {
        let depth = self.depth.get();
        if depth == 0 {
            self.layer.set(layer);
            self.lost.set(false);
        } else if self.layer.get() != layer {
            return;
        }
        self.depth.set(depth + 1);
        let below = self.ids.get(..depth as usize);
        match (self.ids.get(depth as usize), self.kinds.get(depth as usize), below) {
            (Some(last), Some(of_last), Some(below)) if below.iter().all(|other| other.get() != id) => {
                last.set(id);
                of_last.set(kind);
            }
            _ => self.lost.set(true),
        }
    }

    /// Notes that a layer's span is exited. Returns its kind when it was entered, if that is known.
    #[inline]
    pub(crate) fn pop(&self, layer: u32, id: u64) -> Option<Kind> {
        let top = self.depth.get().checked_sub(1).filter(|_| self.layer.get() == layer)?;
        if self.lost.get() {
            self.depth.set(top);
            return None;
        }
        if self.ids.get(top as usize)?.get() == id {
            self.depth.set(top);
            return Some(self.kinds.get(top as usize)?.get());
        }
        self.remove(top as usize, id)
    }

    /// Removes a span that is not the last.
    #[cold]
    fn remove(&self, top: usize, id: u64) -> Option<Kind> {
        let at = self.ids.iter().take(top).rposition(|other| other.get() == id)?;
        let kind = self.kinds.get(at)?.get();
        for (above, below) in self.ids.iter().skip(at + 1).zip(self.ids.iter().skip(at)).take(top - at) {
            below.set(above.get());
        }
        for (above, below) in self.kinds.iter().skip(at + 1).zip(self.kinds.iter().skip(at)).take(top - at) {
            below.set(above.get());
        }
        self.depth.set(top as u32);
        Some(kind)
    }

    /// Returns the span that a layer's thread is in, if it is known.
    #[inline]
    pub(crate) fn current(&self, layer: u32) -> Option<u64> {
        let top = self.depth.get().checked_sub(1)?;
        if self.layer.get() != layer || self.lost.get() {
            return None;
        }
        self.ids.get(top as usize).map(Cell::get)
    }
}

/// The most spans that the list has: more than a request has layers of middleware.
const DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The registry's stack: a span that is in it already is no current one.
    #[derive(Default)]
    struct Stack(Vec<(u64, bool)>);

    impl Stack {
        fn push(&mut self, id: u64) {
            let again = self.0.iter().any(|(other, _)| *other == id);
            self.0.push((id, again));
        }

        fn pop(&mut self, id: u64) -> bool {
            let at = self.0.iter().rposition(|(other, _)| *other == id);
            at.map(|at| self.0.remove(at)).is_some()
        }

        fn current(&self) -> Option<u64> {
            self.0.iter().rev().find(|(_, again)| !again).map(|(id, _)| *id)
        }
    }

    const KINDS: [Kind; 4] = [Kind::Absent, Kind::Part, Kind::Root, Kind::Unrecorded];

    proptest! {
        #[test]
        fn the_current_span_is_the_registrys_or_unknown(
            steps in prop::collection::vec((any::<bool>(), 0_u64..60, any::<prop::sample::Index>()), 0..200), few in 1_u64..60,
        ) {
            let (entered, mut stack) = (EnteredSpans::new(), Stack::default());
            for (enters, id, which) in steps {
                if enters {
                    let id = 1 + id % few;
                    entered.push(7, id, KINDS[id as usize % 4]);
                    stack.push(id);
                } else if !stack.0.is_empty() {
                    // Mostly the last, as guards are dropped.
                    let at = if id % 4 == 0 { which.index(stack.0.len()) } else { stack.0.len() - 1 };
                    let id = stack.0[at].0;
                    let kind = entered.pop(7, id);
                    prop_assert!(stack.pop(id));
                    prop_assert!(kind.is_none_or(|kind| kind == KINDS[id as usize % 4]));
                }
                prop_assert_eq!(entered.current(8), None);
                if let Some(current) = entered.current(7) {
                    prop_assert_eq!(Some(current), stack.current());
                }
            }
        }
    }

    #[test]
    fn the_usual_case_is_known() {
        let entered = EnteredSpans::new();
        assert_eq!((entered.current(1), entered.pop(1, 5)), (None, None));
        for id in 1..=32 {
            entered.push(1, id, Kind::Part);
            entered.push(2, 100 + id, Kind::Root);
            assert_eq!((entered.current(1), entered.current(2)), (Some(id), None));
        }
        assert_eq!(entered.pop(2, 132), None);
        assert_eq!(entered.pop(1, 9), Some(Kind::Part), "out of order");
        assert_eq!(entered.pop(1, 9), None);
        entered.push(1, 33, Kind::Root);
        assert_eq!(entered.pop(1, 33), Some(Kind::Root));
        for id in (1..=32).rev().filter(|id| *id != 9) {
            assert_eq!(entered.current(1), Some(id));
            assert_eq!(entered.pop(1, id), Some(Kind::Part));
        }
        entered.push(2, 1, Kind::Root);
        assert_eq!((entered.current(1), entered.current(2)), (None, Some(1)), "the next layer has it now");
    }

    #[test]
    fn too_many_spans_and_one_twice_leave_it_to_the_registry_until_all_are_exited() {
        for ids in [(0..40).collect::<Vec<u64>>(), vec![1, 2, 1]] {
            let entered = EnteredSpans::new();
            ids.iter().for_each(|id| entered.push(1, 1 + id, Kind::Part));
            assert_eq!(entered.current(1), None);
            for id in ids.iter().rev() {
                assert_eq!(entered.pop(1, 1 + id), None);
                assert_eq!(entered.current(1), None);
            }
            entered.push(1, 5, Kind::Part);
            assert_eq!(entered.current(1), Some(5));
        }
    }
}
