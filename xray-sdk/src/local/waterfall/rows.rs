//! The tree as rows, from top to bottom: which spans are shown, and the lines that connect them.
//!
//! Where a parent has many children that are alike, a few are shown and the others become one row. Nothing
//! recurses, and however deep a span lies, the lines before it stay within [`Stem`]'s bound.

use std::collections::HashMap;

use super::super::trace::{Node, Trace};
use super::label::{State, pattern, tag};

pub(super) struct Row<'a> {
    pub(super) stem: Stem,
    pub(super) content: Content<'a>,
}

pub(super) enum Content<'a> {
    Span(Node<'a>),
    More(Vec<Node<'a>>),
}

/// The rows of a trace. `levels` bounds the lines before a name; `all` shows every span.
pub(super) fn rows(trace: &Trace, levels: usize, all: bool) -> Vec<Row<'_>> {
    let calm = calm(trace);
    let mut rows = Vec::new();
    let top = siblings(trace.roots().collect(), &calm, all);
    let mut pending: Vec<Row<'_>> =
        top.into_iter().rev().map(|content| Row { stem: Stem::default(), content }).collect();
    while let Some(row) = pending.pop() {
        if let Content::Span(node) = &row.content {
            let children = siblings(node.children().collect(), &calm, all);
            let count = children.len();
            let children = children.into_iter().enumerate().rev();
            pending.extend(
                children.map(|(at, content)| Row { stem: row.stem.child(at + 1 < count, levels), content }),
            );
        }
        rows.push(row);
    }
    rows
}

/// Puts those that are alike into one row, where there are more than [`ALIKE`] of them: the same tag
/// and a name that differs by digits at most, with nothing wrong in them or beneath. Whatever went wrong is always shown.
fn siblings<'a>(nodes: Vec<Node<'a>>, calm: &[bool], all: bool) -> Vec<Content<'a>> {
    if all || nodes.len() <= ALIKE {
        return nodes.into_iter().map(Content::Span).collect();
    }
    let kind = |node: &Node<'a>| calm[node.index()].then(|| (pattern(node.name()), tag(node)));
    let mut counts: HashMap<_, usize> = HashMap::new();
    for kind in nodes.iter().filter_map(kind) {
        *counts.entry(kind).or_default() += 1;
    }
    let mut shown: HashMap<_, (usize, Option<usize>)> = HashMap::new();
    let mut out: Vec<Content<'a>> = Vec::new();
    for node in nodes {
        let Some(kind) = kind(&node).filter(|kind| counts.get(kind).is_some_and(|&count| count > ALIKE))
        else {
            out.push(Content::Span(node));
            continue;
        };
        let (count, more) = shown.entry(kind).or_default();
        *count += 1;
        match more.map(|at| &mut out[at]) {
            Some(Content::More(nodes)) => nodes.push(node),
            _ if *count > SHOWN => {
                *more = Some(out.len());
                out.push(Content::More(vec![node]));
            }
            _ => out.push(Content::Span(node)),
        }
    }
    out
}

/// For each span whether it and all beneath it went well.
fn calm(trace: &Trace) -> Vec<bool> {
    let mut calm: Vec<bool> = trace.nodes().map(|node| State::of(&node) == State::Ok).collect();
    // Children come after their parents.
    let nodes: Vec<Node<'_>> = trace.nodes().collect();
    for node in nodes.iter().rev() {
        if let Some(parent) = node.parent().filter(|_| !calm[node.index()]) {
            calm[parent.index()] = false;
        }
    }
    calm
}

/// The lines before a name: for each level whether a sibling follows further down. Of a deep stem only the last
/// levels are kept.
#[derive(Clone, Default)]
pub(super) struct Stem {
    follows: Vec<bool>,
    /// Levels that were left out.
    cut: usize,
}

impl Stem {
    fn child(&self, follows: bool, levels: usize) -> Self {
        let mut child = self.clone();
        child.follows.push(follows);
        if child.follows.len() > levels {
            child.follows.remove(0);
            child.cut += 1;
        }
        child
    }

    /// Returns the lines before a name: `│  ├─ `, or `⋯5 │  ├─ ` where five levels are left out.
    pub(super) fn before_name(&self) -> String {
        let Some((&own, above)) = self.follows.split_last() else { return String::new() };
        self.lines(&self.levels_cut(), above) + if own { "├─ " } else { "└─ " }
    }

    /// Returns the lines before a detail: those of the name go on, and so does the one to the children.
    pub(super) fn before_detail(&self, has_children: bool) -> String {
        let blanks = " ".repeat(self.levels_cut().chars().count());
        self.lines(&blanks, &self.follows) + if has_children { "│  " } else { "   " }
    }

    fn levels_cut(&self) -> String {
        if self.cut == 0 { String::new() } else { format!("{:<3}", format!("⋯{} ", self.cut)) }
    }

    fn lines(&self, start: &str, levels: &[bool]) -> String {
        levels.iter().fold(start.to_owned(), |lines, &follows| lines + if follows { "│  " } else { "   " })
    }
}

/// More siblings than this that are alike become a few and a count.
const ALIKE: usize = 12;
/// The number of levels that are shown.
const SHOWN: usize = 3;
