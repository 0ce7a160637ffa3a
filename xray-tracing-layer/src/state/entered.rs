//! The recorded spans that a thread is in, as one layer hears of them: the current span without the registry.
//!
//! The list begins with a recorded span that is entered, and ends when all are exited. Other spans that are entered
//! meanwhile are counted. The list is not used, and the registry is asked, in these cases:
//!
//! | case | until |
//! |---|---|
//! | empty: the thread is in no recorded span, or another layer keeps the list | a recorded span is entered |
//! | a span without a record was entered on top | it is exited |
//! | more spans than have room | all of them are exited |
//! | a span is entered that the thread is in already: the registry does not take it for the current one | the same |
//! | a span is exited that is not in the list: its record came later | the same |
//!
//! One case is treated wrongly. A span without a record, entered before the list began, may be exited while another such
//! span is the current one. Spans that open then belong to the recorded span around.

use std::cell::Cell;

/// The list of one thread.
pub(crate) struct EnteredSpans {
    /// The number of the layer that the list belongs to.
    layer: Cell<u32>,
    depth: Cell<u32>,
    /// Spans without a record that were entered since the list began.
    unrecorded: Cell<u32>,
    /// Whether only the depth is known.
    lost: Cell<bool>,
    ids: [Cell<u64>; DEPTH],
}

impl EnteredSpans {
    pub(super) const fn new() -> Self {
        Self {
            layer: Cell::new(0),
            depth: Cell::new(0),
            unrecorded: Cell::new(0),
            lost: Cell::new(false),
            ids: [const { Cell::new(0) }; DEPTH],
        }
    }

    /// Whether the thread is in no recorded span.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.depth.get() == 0
    }

    /// Notes that a layer's recorded span is entered.
    #[inline]
    pub(crate) fn push(&self, layer: u32, id: u64) {
        let depth = self.depth.get();
        if depth == 0 {
            self.layer.set(layer);
            self.unrecorded.set(0);
            self.lost.set(false);
        } else if self.layer.get() != layer {
            return;
        }
        self.depth.set(depth + 1);
        match self.ids.get(..=depth as usize).and_then(<[_]>::split_last) {
            Some((last, below)) if below.iter().all(|other| other.get() != id) => last.set(id),
            _ => self.lost.set(true),
        }
    }

    /// Notes that a layer's span without a record is entered.
    #[inline]
    pub(crate) fn push_unrecorded(&self, layer: u32) {
        if !self.is_empty() && self.layer.get() == layer {
            self.unrecorded.set(self.unrecorded.get() + 1);
        }
    }

    /// Notes that a layer's span with a record is exited.
    #[inline]
    pub(crate) fn pop(&self, layer: u32, id: u64) {
        let Some(top) = self.depth.get().checked_sub(1).filter(|_| self.layer.get() == layer) else { return };
        if self.lost.get() || self.ids.get(top as usize).is_some_and(|last| last.get() == id) {
            self.depth.set(top);
        } else {
            self.remove(top as usize, id);
        }
    }

    /// Notes that a layer's span is exited whose record may have changed since: a late decision left it out.
    #[cold]
    pub(crate) fn pop_changed(&self, layer: u32, id: u64) {
        let depth = self.depth.get() as usize;
        if self.lost.get() || self.ids.iter().take(depth).any(|other| other.get() == id) {
            self.pop(layer, id);
        } else {
            self.pop_unrecorded(layer);
        }
    }

    /// Removes a span that is not the last.
    #[cold]
    fn remove(&self, top: usize, id: u64) {
        let Some(at) = self.ids.iter().take(top).rposition(|other| other.get() == id) else {
            return self.lost.set(true);
        };
        for (above, below) in self.ids.iter().skip(at + 1).zip(self.ids.iter().skip(at)).take(top - at) {
            below.set(above.get());
        }
        self.depth.set(top as u32);
    }

    /// Notes that a layer's span without a record is exited.
    #[inline]
    pub(crate) fn pop_unrecorded(&self, layer: u32) {
        if !self.is_empty() && self.layer.get() == layer {
            self.unrecorded.set(self.unrecorded.get().saturating_sub(1));
        }
    }

    /// Returns the span that the thread is in, if it is known.
    #[inline]
    pub(crate) fn current(&self, layer: u32) -> Option<u64> {
        let top = self.depth.get().checked_sub(1)?;
        if self.layer.get() != layer || self.lost.get() || self.unrecorded.get() > 0 {
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

        fn pop(&mut self, id: u64) {
            let at = self.0.iter().rposition(|(other, _)| *other == id);
            at.map(|at| self.0.remove(at));
        }

        fn current(&self) -> Option<u64> {
            self.0.iter().rev().find(|(_, again)| !again).map(|(id, _)| *id)
        }
    }

    fn is_recorded(id: u64) -> bool {
        id % 3 != 0
    }

    proptest! {
        #[test]
        fn the_current_span_is_the_registrys_or_unknown(
            steps in prop::collection::vec((any::<bool>(), 0_u64..60, any::<prop::sample::Index>()), 0..200), few in 1_u64..60,
        ) {
            let (entered, mut stack) = (EnteredSpans::new(), Stack::default());
            for (enters, id, which) in steps {
                if enters {
                    let id = 1 + id % few;
                    if is_recorded(id) { entered.push(7, id) } else { entered.push_unrecorded(7) }
                    stack.push(id);
                } else if !stack.0.is_empty() {
                    // Mostly the last, as guards are dropped. Spans without a record always are.
                    let at = if id % 4 == 0 { which.index(stack.0.len()) } else { stack.0.len() - 1 };
                    let at = if is_recorded(stack.0[at].0) { at } else { stack.0.len() - 1 };
                    let id = stack.0[at].0;
                    if is_recorded(id) { entered.pop(7, id) } else { entered.pop_unrecorded(7) }
                    stack.pop(id);
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
        entered.pop(1, 5);
        entered.push_unrecorded(1);
        assert!(entered.is_empty() && entered.current(1).is_none());
        for id in 1..=32 {
            entered.push(1, id);
            entered.push(2, 100 + id);
            entered.push_unrecorded(2);
            assert_eq!((entered.current(1), entered.current(2)), (Some(id), None));
        }
        entered.pop(2, 132);
        entered.pop(1, 9);
        assert_eq!(entered.current(1), Some(32), "one further out was exited");
        entered.push_unrecorded(1);
        assert_eq!(entered.current(1), None);
        entered.pop_unrecorded(1);
        for id in (1..=32).rev().filter(|id| *id != 9) {
            assert_eq!(entered.current(1), Some(id));
            entered.pop(1, id);
        }
        entered.push(2, 1);
        assert_eq!((entered.current(1), entered.current(2)), (None, Some(1)), "the next layer has it now");
    }

    #[test]
    fn what_the_list_cannot_hold_is_left_to_the_registry_until_all_are_exited() {
        for ids in [(0..40).collect::<Vec<u64>>(), vec![1, 2, 1]] {
            let entered = EnteredSpans::new();
            ids.iter().for_each(|id| entered.push(1, 1 + id));
            assert_eq!(entered.current(1), None);
            for id in ids.iter().rev() {
                entered.pop(1, 1 + id);
                assert_eq!(entered.current(1), None);
            }
            entered.push(1, 5);
            assert_eq!(entered.current(1), Some(5));
            entered.pop_changed(1, 6);
            assert_eq!(entered.current(1), Some(5));
            entered.pop(1, 6);
            assert_eq!(entered.current(1), None, "a span that was not in the list");
            entered.pop_changed(1, 5);
            assert!(entered.is_empty());
        }
    }
}
