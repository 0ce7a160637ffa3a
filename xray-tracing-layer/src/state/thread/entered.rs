//! The spans that a thread is in, as one layer hears of them: their kinds and the current span without the registry.
//!
//! The list has every span that the thread entered, recorded or not. The layer that began the list owns it until all of them
//! are exited. The list is not used, and the table and the registry are asked, in these cases:
//!
//! | case | until |
//! |---|---|
//! | another layer began the list | all of its spans are exited |
//! | more spans than have room | the same |
//! | a span is entered that the thread is in already: the registry does not take it for the current one | the same |
//!
//! An async span is entered at each poll of its future, below the same spans as the last time. So a span that is exited stays
//! in its place above the list, and so does one that was just opened, until another one takes the place. If it is entered
//! again, nothing is looked up. The places above it are forgotten when a place gets another span.
//!
//! A late decision may change a span's kind, and ids come back after some thousand spans. Both change the layer's version, see
//! [`UnsampledScopes`](crate::state::unsampled::UnsampledScopes). A list of another version is renewed before it is used.

use std::cell::Cell;

use crate::state::record::{Kind, SpanId};
use crate::state::unsampled::LAYER;

/// The list of one thread.
pub(crate) struct EnteredSpans {
    /// The version of the layer that the list belongs to, at which it was right. 0 before the first.
    version: Cell<u64>,
    depth: Cell<u32>,
    states: [Cell<State>; ROOM],
    /// In the place above the depth: the span that was there last, or was opened since; 0 for none. The last place stays free.
    ids: [Cell<u64>; ROOM],
}

/// The kind of an entered span, and that of the innermost span with a record, this one or around it.
#[derive(Clone, Copy)]
struct State(u8);

impl State {
    const NONE: Self = Self(0);
    const KIND: u8 = 0b11;
    /// Set if the record of the innermost unsampled root knows that something was opened inside.
    const KNOWS_CHILD: u8 = 0b1_0000;

    #[inline]
    const fn new(kind: Kind, around: Self) -> Self {
        if matches!(kind, Kind::Absent) { Self::without_record(around) } else { Self::of_record(kind) }
    }

    #[inline]
    const fn of_record(kind: Kind) -> Self {
        let own = kind as u8;
        Self(own | own << 2)
    }

    #[inline]
    const fn without_record(around: Self) -> Self {
        Self(around.0 & !Self::KIND)
    }

    #[inline]
    const fn kind(self) -> Kind {
        Kind::of_bits(self.0 as u64)
    }

    /// Returns whether spans inside belong to an unsampled root.
    #[inline]
    const fn is_unsampled(self) -> bool {
        self.0 >> 2 & Self::KIND == Kind::Unrecorded as u8
    }
}

impl EnteredSpans {
    pub(super) const fn new() -> Self {
        Self {
            version: Cell::new(0),
            depth: Cell::new(0),
            states: [const { Cell::new(State::NONE) }; ROOM],
            ids: [const { Cell::new(0) }; ROOM],
        }
    }

    /// Returns whether the list is right at this version of a layer.
    #[inline]
    pub(crate) fn is_at(&self, version: u64) -> bool {
        self.version.get() == version
    }

    /// Returns whether the list is the layer's, in whatever version, or is empty.
    #[inline]
    fn is_of(&self, version: u64) -> bool {
        (self.version.get() ^ version) & LAYER == 0
    }

    fn is_lost(&self) -> bool {
        self.version.get() | LAYER == u64::MAX
    }

    /// Brings the list to a layer's version, if it is the layer's or empty: asks for the kinds again, and forgets the spans
    /// above the depth. Returns `false` if the list can't be used.
    pub(crate) fn renew(&self, version: u64, kind_of: impl Fn(u64) -> Kind) -> bool {
        let depth = self.depth.get();
        if depth > 0 && (!self.is_of(version) || self.is_lost()) {
            return false;
        }
        self.version.set(version);
        let mut around = State::NONE;
        for (state, id) in self.states.iter().zip(&self.ids).take(depth as usize) {
            around = State::new(kind_of(id.get()), around);
            state.set(around);
        }
        self.id(depth).set(0);
        true
    }

    /// Notes that a span with a record of that kind was opened. The list is at the layer's version.
    #[inline]
    pub(crate) fn note_opened(&self, id: u64, kind: Kind) {
        self.put(self.depth.get(), id, State::of_record(kind));
    }

    /// Notes that a span without a record was opened, to which no late decision gives one before the version ends. The list is
    /// at the layer's version.
    #[inline]
    pub(crate) fn note_opened_without_record(&self, id: u64) {
        let depth = self.depth.get();
        self.put(depth, id, State::without_record(self.around(depth)));
    }

    /// Puts a span in its place, if there is one.
    #[inline]
    fn put(&self, depth: u32, id: u64, state: State) {
        if depth < LAST {
            self.id(depth).set(id);
            self.state(depth).set(state);
            self.id(depth + 1).set(0);
        }
    }

    /// Returns what is known of the spans around that depth.
    #[inline]
    fn around(&self, depth: u32) -> State {
        self.state(depth.wrapping_sub(1)).get()
    }

    /// Notes that a span is entered, if it is known. Returns whether it is. The list is at the layer's version.
    #[inline]
    pub(crate) fn enter_known(&self, id: u64) -> bool {
        let depth = self.depth.get();
        let is_known = self.id(depth).get() == id;
        if is_known {
            self.depth.set(depth + 1);
        }
        is_known
    }

    /// Notes that any span is entered.
    pub(crate) fn push(&self, version: u64, id: u64, kind: Kind) {
        let depth = self.depth.get();
        if depth == 0 {
            self.version.set(version);
        } else if !self.is_of(version) {
            return;
        }
        self.depth.set(depth + 1);
        if self.is_lost() {
            return;
        }
        if depth < LAST && !self.ids.iter().take(depth as usize).any(|other| other.get() == id) {
            self.put(depth, id, State::new(kind, self.around(depth)));
        } else {
            self.lose();
        }
    }

    /// Gives the list up, but for the depth.
    #[cold]
    fn lose(&self) {
        self.version.set(self.version.get() | !LAYER);
    }

    /// Notes that the span is exited that was entered last, and returns its kind. Returns `None`, and notes nothing, for any
    /// other. The list is at the layer's version.
    #[inline]
    pub(crate) fn pop_last(&self, id: u64) -> Option<Kind> {
        let top = self.depth.get().wrapping_sub(1);
        if self.id(top).get() != id {
            return None;
        }
        self.depth.set(top);
        Some(self.state(top).get().kind())
    }

    /// Notes that any span is exited.
    pub(crate) fn pop(&self, version: u64, id: u64) {
        let Some(top) = self.depth.get().checked_sub(1) else { return };
        if !self.is_of(version) {
            return;
        }
        if self.is_lost() || self.id(top).get() == id {
            self.depth.set(top);
        } else if let Some(at) = self.ids.iter().take(top as usize).rposition(|other| other.get() == id) {
            self.remove(at, top);
        }
        // Any other was entered while the list was another layer's.
    }

    /// Removes a span that is not the last. What is known of spans around those above it, is not known any more.
    #[cold]
    fn remove(&self, at: usize, top: u32) {
        let places = || self.ids.iter().zip(&self.states);
        for ((id, state), (above, its_state)) in places().zip(places().skip(1)).take(top as usize).skip(at) {
            id.set(above.get());
            let kind = its_state.get().kind();
            state.set(State::new(kind, State::NONE));
        }
        self.id(top).set(0);
        self.depth.set(top);
    }

    /// Returns whether no layer's list has spans.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.depth.get() == 0
    }

    /// Returns the span that the thread is in. The list is at the layer's version.
    #[inline]
    pub(crate) fn current(&self) -> Option<SpanId> {
        // The place below the first has none.
        SpanId::new(self.id(self.depth.get().wrapping_sub(1)).get())
    }

    /// Returns the span that the thread is in, if that is a recorded one inside a root. The list is at the layer's version.
    #[inline]
    pub(crate) fn current_part(&self) -> Option<SpanId> {
        let top = self.depth.get().wrapping_sub(1);
        if self.state(top).get().kind() == Kind::Part { SpanId::new(self.id(top).get()) } else { None }
    }

    /// Returns whether what opens or happens now, belongs to an unsampled root. The list is at the layer's version.
    #[inline]
    pub(crate) fn is_unsampled(&self) -> bool {
        self.around(self.depth.get()).is_unsampled()
    }

    /// Notes that a span without a record was opened inside of an unsampled root. Returns whether the root's record knows that
    /// it has such. The list is at the layer's version.
    #[inline]
    pub(crate) fn note_unsampled_child(&self, id: u64) -> bool {
        let depth = self.depth.get();
        let top = self.state(depth.wrapping_sub(1));
        let knew_child = top.get().0 & State::KNOWS_CHILD != 0;
        top.set(State(top.get().0 | State::KNOWS_CHILD));
        self.note_opened_without_record(id);
        knew_child
    }

    /// Returns the innermost unsampled root, if there is one.
    pub(crate) fn unsampled_root(&self) -> Option<u64> {
        let places = self.ids.iter().zip(&self.states).take(self.depth.get() as usize).rev();
        let mut roots = places.filter(|(_, state)| state.get().kind() == Kind::Unrecorded);
        roots.next().map(|(id, _)| id.get())
    }

    #[inline]
    fn id(&self, depth: u32) -> &Cell<u64> {
        &self.ids[depth as usize % ROOM]
    }

    #[inline]
    fn state(&self, depth: u32) -> &Cell<State> {
        &self.states[depth as usize % ROOM]
    }
}

/// A power of two, so that a place needs no check.
const ROOM: usize = 64;

/// The place that stays free: the one below the first, too. More spans than a request has layers of middleware.
const LAST: u32 = ROOM as u32 - 1;

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

    /// A list with the layer that it is asked for, and the table that the layer would ask.
    struct Rig {
        entered: EnteredSpans,
        version: u64,
        kinds: Vec<Kind>,
    }

    impl Rig {
        fn new(layer: u64) -> Self {
            let kinds = [Kind::Part, Kind::Root, Kind::Unrecorded, Kind::Absent].repeat(32);
            Self { entered: EnteredSpans::new(), version: layer, kinds }
        }

        fn kind(&self, id: u64) -> Kind {
            self.kinds[id as usize]
        }

        fn change(&mut self, id: u64, kind: Kind) {
            self.kinds[id as usize] = kind;
            self.version += LAYER + 1;
        }

        fn knows(&self) -> bool {
            self.entered.is_at(self.version) || self.entered.renew(self.version, |id| self.kind(id))
        }

        fn open(&self, id: u64) {
            match self.kind(id) {
                _ if !self.knows() => {}
                Kind::Absent => self.entered.note_opened_without_record(id),
                kind => self.entered.note_opened(id, kind),
            }
        }

        /// Returns whether the span was known.
        fn enter(&self, id: u64) -> bool {
            let is_known = self.entered.is_at(self.version) && self.entered.enter_known(id);
            if !is_known {
                self.entered.push(self.version, id, self.kind(id));
            }
            is_known
        }

        /// Returns whether the span was known.
        fn exit(&self, id: u64) -> bool {
            if !self.knows() {
                self.entered.pop(self.version, id);
                return false;
            }
            let known = self.entered.pop_last(id);
            match known {
                Some(kind) => assert_eq!(kind, self.kind(id)),
                None => self.entered.pop(self.version, id),
            }
            known.is_some()
        }

        fn is_unsampled(&self) -> bool {
            self.knows() && self.entered.is_unsampled()
        }

        fn current(&self) -> Option<u64> {
            self.current_of(self.version)
        }

        fn current_of(&self, version: u64) -> Option<u64> {
            self.entered.current().filter(|_| self.entered.is_at(version)).map(SpanId::get)
        }
    }

    proptest! {
        #[test]
        fn the_current_span_is_the_registrys_or_unknown(
            steps in prop::collection::vec((any::<bool>(), 0_u64..100, any::<prop::sample::Index>()), 0..300),
            few in 1_u64..100,
        ) {
            let (mut rig, mut stack) = (Rig::new(7), Stack::default());
            for (enters, id, which) in steps {
                if enters {
                    let id = 1 + id % few;
                    let is_new = !stack.0.iter().any(|(other, _)| *other == id);
                    // Some are opened just before, and some are changed in between.
                    if is_new && which.index(4) == 0 {
                        rig.open(id);
                    }
                    if which.index(16) == 0 {
                        rig.change(id, [Kind::Part, Kind::Root, Kind::Unrecorded, Kind::Absent][which.index(4)]);
                    }
                    rig.enter(id);
                    stack.push(id);
                } else if !stack.0.is_empty() {
                    // Mostly the last, as guards are dropped.
                    let at = if id % 4 == 0 { which.index(stack.0.len()) } else { stack.0.len() - 1 };
                    let id = stack.0[at].0;
                    rig.exit(id);
                    stack.pop(id);
                }
                prop_assert_eq!(rig.current_of(8), None);
                if let Some(current) = rig.current() {
                    prop_assert_eq!(Some(current), stack.current());
                }
                let innermost = stack.0.iter().rev().map(|(id, _)| rig.kind(*id)).find(|kind| *kind != Kind::Absent);
                if rig.is_unsampled() {
                    prop_assert_eq!(innermost, Some(Kind::Unrecorded));
                    prop_assert_eq!(rig.entered.unsampled_root().map(|id| rig.kind(id)), Some(Kind::Unrecorded));
                }
            }
        }
    }

    #[test]
    fn the_usual_case_is_known() {
        let (rig, other) = (Rig::new(1), 2);
        assert!(!rig.exit(5) && rig.current().is_none());
        for id in 1..=32 {
            rig.enter(id);
            rig.entered.push(other, 100 + id, Kind::Part);
            assert_eq!((rig.current(), rig.current_of(other)), (Some(id), None));
        }
        rig.entered.pop(other, 132);
        rig.entered.pop(other, 32);
        assert!(!rig.exit(9));
        assert_eq!(rig.current(), Some(32), "one further out was exited");
        for id in (1..=32).rev().filter(|id| *id != 9) {
            assert_eq!(rig.current(), Some(id));
            assert!(rig.exit(id));
        }
        assert!(rig.entered.is_empty());
        rig.entered.push(other, 1, Kind::Part);
        assert_eq!((rig.current(), rig.current_of(other)), (None, Some(1)), "the next layer has it now");
    }

    #[test]
    fn what_is_entered_below_the_same_spans_again_is_known() {
        let mut rig = Rig::new(1);
        let (root, order, one, two) = (5, 4, 8, 12);
        let poll = |rig: &Rig, spans: &[u64]| {
            let known: Vec<bool> = spans.iter().map(|id| rig.enter(*id)).collect();
            assert!(spans.iter().rev().all(|id| rig.exit(*id)));
            known
        };
        assert_eq!(poll(&rig, &[root, order, one]), [false; 3]);
        assert_eq!(poll(&rig, &[root, order, one]), [true; 3]);
        assert_eq!(poll(&rig, &[root, order, two]), [true, true, false]);
        assert_eq!(poll(&rig, &[root, order]), [true; 2]);
        assert_eq!(poll(&rig, &[root, order, two]), [true; 3]);
        // What was above another span is not known.
        assert_eq!(poll(&rig, &[root, one]), [true, false]);
        assert_eq!(poll(&rig, &[root, one, two]), [true, true, false]);
        rig.change(order, Kind::Unrecorded);
        assert_eq!(poll(&rig, &[root, one, two]), [false; 3], "all is asked for again");
        // A span that is opened is known.
        rig.enter(root);
        rig.open(order);
        assert!(rig.enter(order) && rig.is_unsampled());
        rig.change(order, Kind::Part);
        assert!(!rig.is_unsampled() && rig.current() == Some(order));
        assert!(rig.exit(order) && rig.exit(root));
    }

    #[test]
    fn an_unsampled_root_is_left_for_the_time_of_a_recorded_span_inside() {
        let rig = Rig::new(1);
        let (root, inside, recorded) = (2, 3, 4);
        assert_eq!(
            [root, inside, recorded].map(|id| rig.kind(id)),
            [Kind::Unrecorded, Kind::Absent, Kind::Part]
        );
        assert!(!rig.is_unsampled());
        let mut known = Vec::new();
        for _ in 0..2 {
            rig.enter(root);
            assert!(rig.is_unsampled());
            known.push(rig.entered.note_unsampled_child(inside));
            assert!(rig.enter(inside) && rig.is_unsampled());
            known.push(rig.entered.note_unsampled_child(7));
            assert_eq!(rig.entered.unsampled_root(), Some(root));
            rig.enter(recorded);
            assert!(!rig.is_unsampled());
            assert!(rig.exit(recorded) && rig.is_unsampled() && rig.exit(inside) && rig.exit(root));
            assert!(!rig.is_unsampled());
        }
        assert_eq!(known, [false, true, true, true], "the root is asked once");
    }

    #[test]
    fn what_the_list_cannot_hold_is_left_to_the_registry_until_all_are_exited() {
        for ids in [(0..70).collect::<Vec<u64>>(), vec![1, 2, 1]] {
            let rig = Rig::new(1);
            for id in &ids {
                rig.enter(1 + id);
            }
            assert_eq!(rig.current(), None);
            for id in ids.iter().rev() {
                assert!(!rig.exit(1 + id));
                assert_eq!(rig.current(), None);
            }
            rig.enter(5);
            assert_eq!(rig.current(), Some(5));
            rig.exit(6);
            assert_eq!(rig.current(), Some(5), "a span that was not in the list");
            rig.exit(5);
            assert!(rig.entered.is_empty());
        }
    }
}
