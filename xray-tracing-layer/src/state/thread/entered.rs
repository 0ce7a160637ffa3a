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
//! Most spans are entered right after they were opened, on the same thread. So the span that was opened last is kept, with
//! what is known of it, until it is entered. No table is asked then.
//!
//! One case is treated wrongly. A span without a record, entered before the list began, may be exited while another such
//! span is the current one. Spans that open then belong to the recorded span around.

use std::cell::Cell;

/// The list of one thread.
pub(crate) struct EnteredSpans {
    /// The number of the layer that the list belongs to; 0 while the list is empty.
    layer: Cell<u32>,
    depth: Cell<u32>,
    /// Spans without a record that were entered since the list began.
    unrecorded: Cell<u32>,
    /// The span that the filter rejected and that was entered last, until it is exited; 0 for none.
    last_rejected: Cell<u64>,
    /// Set if only the depth is known.
    lost: Cell<bool>,
    /// Bits of the spans that are local roots, while none was exited before those inside it; 0 above the depth.
    roots: Cell<u32>,
    ids: [Cell<u64>; DEPTH],
    /// The recorded span inside of another that was opened last, until it is entered; 0 for none.
    opened: Cell<u64>,
    /// The layer's count of late decisions when that span was opened. A higher count may have changed it.
    decisions: Cell<u32>,
    /// The span that the layer's filter rejected last; 0 for none.
    rejected: Cell<u64>,
}

impl EnteredSpans {
    pub(super) const fn new() -> Self {
        Self {
            layer: Cell::new(0),
            depth: Cell::new(0),
            unrecorded: Cell::new(0),
            last_rejected: Cell::new(0),
            lost: Cell::new(false),
            roots: Cell::new(0),
            ids: [const { Cell::new(0) }; DEPTH],
            opened: Cell::new(0),
            decisions: Cell::new(0),
            rejected: Cell::new(0),
        }
    }

    /// Returns whether the list is the layer's, and not empty.
    #[inline]
    pub(crate) fn is_of(&self, layer: u32) -> bool {
        self.layer.get() == layer
    }

    /// Notes that a recorded span was opened that is no local root. Means nothing while the list is not the layer's.
    #[inline]
    pub(crate) fn note_opened(&self, id: u64, decisions: u32) {
        self.opened.set(id);
        self.decisions.set(decisions);
    }

    /// Notes that a span is entered, if it is the one that was opened last and the list is the layer's. Returns whether it
    /// is.
    #[inline]
    pub(crate) fn push_opened(&self, layer: u32, id: u64, decisions: u32) -> bool {
        if self.layer.get() != layer || self.opened.get() != id || self.decisions.get() != decisions {
            return false;
        }
        let depth = self.depth.get();
        let Some(last) = self.ids.get(depth as usize) else { return false };
        self.opened.set(0);
        last.set(id);
        self.depth.set(depth + 1);
        true
    }

    /// Notes that the layer's filter rejects a new span.
    #[inline]
    pub(crate) fn note_rejected(&self, layer: u32, id: u64) {
        if self.layer.get() == layer {
            self.rejected.set(id);
        }
    }

    /// Notes that a layer's recorded span is entered.
    pub(crate) fn push(&self, layer: u32, id: u64, is_root: bool) {
        let depth = self.depth.get();
        if depth == 0 {
            self.layer.set(layer);
            self.unrecorded.set(0);
            self.lost.set(false);
        } else if self.layer.get() != layer {
            return;
        }
        // What is entered again is looked for in the list.
        self.opened.set(0);
        self.depth.set(depth + 1);
        match self.ids.get(..=depth as usize).and_then(<[_]>::split_last) {
            Some((last, below)) if below.iter().all(|other| other.get() != id) => {
                last.set(id);
                let bit = 1 << depth;
                self.roots.set(self.roots.get() & !bit | if is_root { bit } else { 0 });
            }
            _ => self.lost.set(true),
        }
    }

    /// Returns whether no layer's list has a span.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.layer.get() == 0
    }

    /// Notes that a span without a record is entered. The list is the layer's.
    #[inline]
    pub(crate) fn push_unrecorded(&self) {
        self.unrecorded.set(self.unrecorded.get() + 1);
    }

    /// Notes that a span is entered, if it is the one that the filter rejected last, which can't get a record later, and the
    /// list is the layer's. Returns whether it is.
    #[inline]
    pub(crate) fn push_rejected(&self, layer: u32, id: u64) -> bool {
        let is_rejected = self.layer.get() == layer && self.rejected.get() == id;
        if is_rejected {
            self.push_unrecorded();
            self.last_rejected.set(id);
        }
        is_rejected
    }

    /// Notes that a span is exited, if it is the last that [`push_rejected`](Self::push_rejected) noted, and the list is the
    /// layer's. Returns whether it is.
    #[inline]
    pub(crate) fn pop_rejected(&self, layer: u32, id: u64) -> bool {
        let is_last = self.layer.get() == layer && self.last_rejected.get() == id;
        if is_last {
            self.last_rejected.set(0);
            self.pop_unrecorded();
        }
        is_last
    }

    /// Notes that the span is exited that was entered last, if the list is the layer's. Returns whether it is a local
    /// root. Returns `None`, and notes nothing, in any other case.
    #[inline]
    pub(crate) fn pop_last(&self, layer: u32, id: u64) -> Option<bool> {
        let top = self.depth.get().wrapping_sub(1);
        if self.layer.get() != layer || self.lost.get() || self.ids.get(top as usize)?.get() != id {
            return None;
        }
        self.depth.set(top);
        if top == 0 {
            self.end();
        }
        let roots = self.roots.get();
        let is_root = roots >> top & 1 != 0;
        if is_root {
            self.roots.set(roots ^ 1 << top);
        }
        Some(is_root)
    }

    /// Notes that a span with a record is exited. The list is the layer's.
    pub(crate) fn pop(&self, id: u64) {
        let Some(top) = self.depth.get().checked_sub(1) else { return };
        if self.lost.get() || self.ids.get(top as usize).is_some_and(|last| last.get() == id) {
            self.shrink_to(top);
        } else {
            self.remove(top as usize, id);
        }
    }

    /// Notes that a span is exited whose record may have changed since: a late decision left it out.
    #[cold]
    pub(crate) fn pop_changed(&self, id: u64) {
        let depth = self.depth.get() as usize;
        if self.lost.get() || self.ids.iter().take(depth).any(|other| other.get() == id) {
            self.pop(id);
        } else {
            self.pop_unrecorded();
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
        let below = self.roots.get() & ((1 << at) - 1);
        self.roots.set(self.roots.get() >> 1 & !((1 << at) - 1) | below);
        self.shrink_to(top as u32);
    }

    fn shrink_to(&self, depth: u32) {
        self.depth.set(depth);
        self.roots.set(self.roots.get() & !u32::MAX.checked_shl(depth).unwrap_or_default());
        if depth == 0 {
            self.end();
        }
    }

    /// Ends the list. The next one may be another layer's.
    #[inline]
    fn end(&self) {
        self.layer.set(0);
        self.opened.set(0);
        self.rejected.set(0);
        self.last_rejected.set(0);
    }

    /// Notes that a span without a record is exited. The list is the layer's.
    #[inline]
    pub(crate) fn pop_unrecorded(&self) {
        self.unrecorded.set(self.unrecorded.get().saturating_sub(1));
    }

    /// Returns the span that a layer's thread is in, if it is known.
    #[inline]
    pub(crate) fn current(&self, layer: u32) -> Option<u64> {
        if self.layer.get() != layer || self.lost.get() || self.unrecorded.get() > 0 {
            return None;
        }
        let top = self.depth.get().checked_sub(1)?;
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

    impl EnteredSpans {
        fn exit(&self, layer: u32, id: u64) {
            match self.pop_last(layer, id) {
                Some(is_root) => assert_eq!(is_root, id.is_multiple_of(2)),
                None if self.is_of(layer) => self.pop(id),
                None => {}
            }
        }

        fn note(&self, layer: u32, enters: bool) {
            if self.is_of(layer) {
                if enters { self.push_unrecorded() } else { self.pop_unrecorded() }
            }
        }
    }

    fn is_recorded(id: u64) -> bool {
        !id.is_multiple_of(3)
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
                    let is_new = !stack.0.iter().any(|(other, _)| *other == id);
                    // Some are opened just before, and some of these are changed in between.
                    match which.index(4) {
                        0 if is_new && is_recorded(id) && id % 2 != 0 => entered.note_opened(id, 0),
                        1 if is_new && !is_recorded(id) => entered.note_rejected(7, id),
                        _ => {}
                    }
                    let decisions = u32::from(which.index(16) == 0);
                    if !entered.push_opened(7, id, decisions) && !entered.push_rejected(7, id) {
                        if is_recorded(id) { entered.push(7, id, (id) % 2 == 0) } else { entered.note(7, true) }
                    }
                    stack.push(id);
                } else if !stack.0.is_empty() {
                    // Mostly the last, as guards are dropped. Spans without a record always are.
                    let at = if id % 4 == 0 { which.index(stack.0.len()) } else { stack.0.len() - 1 };
                    let at = if is_recorded(stack.0[at].0) { at } else { stack.0.len() - 1 };
                    let id = stack.0[at].0;
                    if is_recorded(id) {
                        entered.exit(7, id);
                    } else if !entered.pop_rejected(7, id) {
                        entered.note(7, false);
                    }
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
        entered.exit(1, 5);
        entered.note(1, true);
        assert!(!entered.is_of(1) && entered.current(1).is_none());
        for id in 1..=32 {
            entered.push(1, id, (id) % 2 == 0);
            entered.push(2, 100 + id, (100 + id) % 2 == 0);
            entered.note(2, true);
            assert_eq!((entered.current(1), entered.current(2)), (Some(id), None));
        }
        entered.exit(2, 132);
        entered.exit(1, 9);
        assert_eq!(entered.current(1), Some(32), "one further out was exited");
        entered.note(1, true);
        assert_eq!(entered.current(1), None);
        entered.note(1, false);
        for id in (1..=32).rev().filter(|id| *id != 9) {
            assert_eq!(entered.current(1), Some(id));
            entered.exit(1, id);
        }
        entered.push(2, 1, false);
        assert_eq!((entered.current(1), entered.current(2)), (None, Some(1)), "the next layer has it now");
    }

    #[test]
    fn what_the_list_cannot_hold_is_left_to_the_registry_until_all_are_exited() {
        for ids in [(0..40).collect::<Vec<u64>>(), vec![1, 2, 1]] {
            let entered = EnteredSpans::new();
            ids.iter().for_each(|id| entered.push(1, 1 + id, (1 + id) % 2 == 0));
            assert_eq!(entered.current(1), None);
            for id in ids.iter().rev() {
                entered.exit(1, 1 + id);
                assert_eq!(entered.current(1), None);
            }
            entered.push(1, 5, (5) % 2 == 0);
            assert_eq!(entered.current(1), Some(5));
            entered.pop_changed(6);
            assert_eq!(entered.current(1), Some(5));
            entered.exit(1, 6);
            assert_eq!(entered.current(1), None, "a span that was not in the list");
            entered.pop_changed(5);
            assert!(!entered.is_of(1));
        }
    }
}
