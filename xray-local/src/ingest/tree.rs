//! All segments and subsegments of a trace, each id once, and who belongs under whom.
//!
//! ```text
//!  segment ──contains──► subsegment ──contains──► subsegment
//!                             ▲
//!                             └──calls── segment of another service (its `parent_id`)
//! ```
//!
//! A subsegment that was sent on its own is contained in its parent once that is there, and stands alone before.
//! If two documents have one id, a complete one replaces one in progress, and otherwise the later the earlier.
//! Nothing here recurses over parents, so a chain of ten thousand is only a long list.

use std::collections::HashMap;

use super::document::{Span, id_bits};

/// The spans of one trace.
pub(super) struct Tree<'a> {
    pub(super) items: Vec<Item<'a>>,
    by_id: HashMap<u64, usize>,
}

/// A segment or subsegment, and its place. Positions are those in [`Tree::items`].
pub(super) struct Item<'a> {
    pub(super) span: &'a Span<'a>,
    pub(super) id: u64,
    /// Position of its document, and its number in it when walked parents first.
    pub(super) origin: (usize, usize),
    /// A subsegment, be it nested or sent on its own.
    pub(super) is_subsegment: bool,
    /// The id that it names as its parent, or that of what it is nested in.
    pub(super) parent_id: Option<u64>,
    /// Item that contains it. A segment is contained in nothing.
    pub(super) parent: Option<usize>,
    /// Item that called it: the parent of a segment.
    pub(super) caller: Option<usize>,
    /// Items that it contains, in order of start.
    pub(super) children: Vec<usize>,
    /// The segments that it called.
    pub(super) callees: Vec<usize>,
    /// Outermost item that contains it: itself for a segment and for a subsegment that stands alone.
    pub(super) owner: usize,
}

impl<'a> Tree<'a> {
    /// Puts together the documents of a trace, in order of arrival.
    pub(super) fn assemble(documents: impl IntoIterator<Item = &'a Span<'a>>) -> Self {
        let mut tree = Tree { items: Vec::new(), by_id: HashMap::new() };
        for (number, document) in documents.into_iter().enumerate() {
            tree.add(number, document);
        }
        tree.connect();
        tree
    }

    fn add(&mut self, document: usize, root: &'a Span<'a>) {
        let parent_id = root.parent_id.as_deref().and_then(id_bits);
        let mut pending = vec![(root, parent_id, root.is_independent())];
        let mut number = 0;
        while let Some((span, parent_id, is_subsegment)) = pending.pop() {
            let origin = (document, number);
            number += 1;
            // Without an id there is nothing to hang children on; they go the same way.
            let id = span.id_bits().filter(|_| span.start.is_some());
            if let Some(id) = id {
                self.insert(Item {
                    span,
                    id,
                    origin,
                    is_subsegment,
                    parent_id,
                    parent: None,
                    caller: None,
                    children: Vec::new(),
                    callees: Vec::new(),
                    owner: 0,
                });
            }
            // Backwards, since the last one pushed is the first one popped.
            pending.extend(span.subsegments.iter().rev().map(|child| (child, id, true)));
        }
    }

    fn insert(&mut self, item: Item<'a>) {
        if item.origin.1 > 0 && item.parent_id.is_none() {
            return;
        }
        match self.by_id.get(&item.id) {
            Some(&at) => {
                let known = &mut self.items[at];
                if known.span.is_open() || !item.span.is_open() {
                    *known = item;
                }
            }
            None => {
                self.by_id.insert(item.id, self.items.len());
                self.items.push(item);
            }
        }
    }

    fn connect(&mut self) {
        for at in 0..self.items.len() {
            let parent = self.items[at].parent_id.and_then(|id| self.by_id.get(&id)).copied();
            if self.items[at].is_subsegment {
                self.items[at].parent = parent;
            } else {
                self.items[at].caller = parent.filter(|&parent| parent != at);
            }
        }
        self.cut_rings();
        let mut by_start: Vec<usize> = (0..self.items.len()).collect();
        by_start.sort_by(|&a, &b| self.items[a].order(&self.items[b]));
        for &at in &by_start {
            if let Some(parent) = self.items[at].parent {
                self.items[parent].children.push(at);
            }
            if let Some(caller) = self.items[at].caller {
                self.items[caller].callees.push(at);
            }
        }
        for top in by_start {
            if self.items[top].parent.is_none() {
                let mut pending = vec![top];
                while let Some(at) = pending.pop() {
                    self.items[at].owner = top;
                    pending.extend(&self.items[at].children);
                }
            }
        }
    }

    /// Makes every walk over `parent` end. Each item is walked over once: a walk that meets its own steps has found
    /// a ring, which is cut there.
    fn cut_rings(&mut self) {
        let mut walked_in = vec![usize::MAX; self.items.len()];
        for walk in 0..self.items.len() {
            let mut at = walk;
            while walked_in[at] == usize::MAX {
                walked_in[at] = walk;
                let Some(parent) = self.items[at].parent else { break };
                if walked_in[parent] == walk {
                    self.items[parent].parent = None;
                    break;
                }
                at = parent;
            }
        }
    }

    /// Returns the items that nothing contains, segments and subsegments that stand alone, in order of start.
    pub(super) fn tops(&self) -> Vec<usize> {
        let mut tops: Vec<usize> =
            (0..self.items.len()).filter(|&at| self.items[at].parent.is_none()).collect();
        tops.sort_by(|&a, &b| self.items[a].order(&self.items[b]));
        tops
    }

    /// An item and all that it contains, each before its children.
    pub(super) fn contained(&self, top: usize) -> Vec<usize> {
        let (mut order, mut pending) = (Vec::new(), vec![top]);
        while let Some(at) = pending.pop() {
            order.push(at);
            pending.extend(self.items[at].children.iter().rev());
        }
        order
    }

    /// Reports whether the service infers a segment from this subsegment: it calls another service, and the callee neither
    /// sent a segment nor is expected to.
    pub(super) fn is_inferred_from(&self, at: usize) -> bool {
        let item = &self.items[at];
        item.is_subsegment && item.span.is_remote() && item.callees.is_empty() && !item.span.is_traced()
    }
}

impl Item<'_> {
    /// Order of start; of id for those that start together.
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.start().total_cmp(&other.start()).then(self.id.cmp(&other.id))
    }

    pub(super) fn start(&self) -> f64 {
        self.span.start.unwrap_or_default()
    }

    /// Returns the end, not before the start; `None` while it is in progress.
    pub(super) fn end(&self) -> Option<f64> {
        self.span.end.filter(|_| !self.span.in_progress).map(|end| end.max(self.start()))
    }
}
