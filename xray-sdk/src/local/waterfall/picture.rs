//! The picture: a header line, then for each span a row with its name in the tree, how it went, how long it took
//! and when, and its details beneath.
//!
//! Layout alone. What the columns hold comes from the other files of this room; this one gives each its width and
//! sees to it that no line is wider than asked for.

use std::fmt;

use super::super::trace::{Node, Trace};
use super::bar::{bar, shade};
use super::ink::{Ink, Line};
use super::label::{State, annotations, details, mark, metadata, name, pattern, status, tag};
use super::rows::{Content, Row, Stem, rows};
use super::terminal::{DEFAULT_WIDTH, Terminal};
use super::text::{self, clean, cut, flow, width};

/// Draws a trace; what it draws is its [`Display`](fmt::Display).
///
/// ```text
/// 1-66f1a2b3-0123456789abcdef01234567  1.00 s  2 segments, 4 subsegments  1970-01-01T00:00:01.000Z
///
/// ◆ checkout [ECS::Container]  503 fault     1.00 s  █████████████████████████████████████████████████
/// │  POST https://shop/cart
/// │  beta=true  retries=2  tenant=blue
/// ├─ DynamoDB [aws]            429 throttle  125 ms        ██████▌
/// │     Query carts
/// │     ThrottlingException: slow down
/// │     caused by no capacity
/// ├─ shop@db [remote]          ok            125 ms              ██████▌
/// │     SELECT * FROM items
/// ├─ prices [remote]           404 error     125 ms                    ██████▌
/// │  │  GET http://prices/
/// │  └─ ◆ prices               404 error      75 ms                     ▐███▌
/// └─ mail                      in progress        …                                      ░░░░░░░░░░░░░
/// ```
///
/// ◆ is a segment; `⋯5` stands for five levels of the tree that are left out for want of width. Yellow is an error, magenta throttling, red a fault; a shaded bar has not ended yet, or stands
/// for many. Control characters in names and values, escape sequences among them, are left out.
#[derive(Clone, Debug)]
pub struct Waterfall<'a> {
    trace: &'a Trace,
    width: usize,
    color: bool,
    all: bool,
    tree_only: bool,
    metadata: bool,
}

impl Trace {
    /// The trace as a tree without times, a line a span: for comparisons in tests.
    ///
    /// ```text
    /// ◆ shop  tenant=blue
    /// └─ charge
    /// ```
    #[must_use]
    pub fn tree(&self) -> String {
        Waterfall::new(self).tree_only(true).to_string()
    }
}

impl<'a> Waterfall<'a> {
    /// A picture 100 columns wide, without colours.
    #[must_use]
    pub fn new(trace: &'a Trace) -> Self {
        Self { trace, width: DEFAULT_WIDTH, color: false, all: false, tree_only: false, metadata: false }
    }

    /// A picture for the standard output: in the terminal's width, and with colours on a terminal.
    ///
    /// | variable | effect; the first that applies decides on colours |
    /// |---|---|
    /// | `COLUMNS` | Sets the width. Defaults to the terminal's, and to 100 elsewhere. |
    /// | `NO_COLOR` | No colours, unless it is empty. |
    /// | `FORCE_COLOR` | Colours, also in a file or a pipe; none if it is `0` or `false`. |
    /// | `CLICOLOR_FORCE` | Colours, unless it is `0`. |
    /// | `CLICOLOR=0`, `TERM=dumb` | No colours. |
    #[must_use]
    pub fn for_stdout(trace: &'a Trace) -> Self {
        let terminal = Terminal::detect();
        Self::new(trace).width(terminal.width).color(terminal.color)
    }

    /// Sets the width in columns, 60 to 1000. Defaults to 100.
    #[must_use]
    pub fn width(mut self, columns: usize) -> Self {
        self.width = columns.clamp(NARROWEST, WIDEST);
        self
    }

    /// Sets whether to use colours, as ANSI escape sequences. Defaults to `false`.
    #[must_use]
    pub fn color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// Sets whether to show every span. Defaults to `false`: of more than 12 siblings that went well and whose names
    /// differ by digits at most, three are shown and the others are counted.
    #[must_use]
    pub fn all(mut self, all: bool) -> Self {
        self.all = all;
        self
    }

    /// Sets whether to leave out what differs from run to run, and show names, states and annotations alone, for a
    /// test to compare. Defaults to `false`.
    #[must_use]
    pub fn tree_only(mut self, tree_only: bool) -> Self {
        self.tree_only = tree_only;
        self
    }

    /// Sets whether to show metadata, as `key=value` beside the annotations; a namespace other than `default` stands
    /// before the key. Defaults to `false`.
    ///
    /// ```
    /// use xray_sdk::local::{Trace, Waterfall};
    ///
    /// let document = r#"{"trace_id":"1-66f1a2b3-0123456789abcdef01234567","id":"53995c3f42cd8ad8","name":"shop",
    ///     "start_time":1.0,"end_time":2.0,"metadata":{"default":{"cart":7}}}"#;
    /// let traces = Trace::from_documents([document]);
    /// assert_eq!(Waterfall::new(&traces[0]).tree_only(true).metadata(true).to_string(), "◆ shop  cart=7\n");
    /// ```
    #[must_use]
    pub fn metadata(mut self, metadata: bool) -> Self {
        self.metadata = metadata;
        self
    }

    /// Annotations, and metadata if asked for.
    fn pairs(&self, node: &Node<'_>) -> Vec<String> {
        let mut pairs = annotations(node);
        if self.metadata {
            pairs.extend(metadata(node));
        }
        pairs
    }

    fn lines(&self) -> Vec<Line> {
        if self.tree_only {
            return rows(self.trace, DEEPEST, self.all).iter().map(|row| self.tree_line(row)).collect();
        }
        let widest_name = self.width * 45 / 100;
        // Two thirds of the name's column for the lines before it, three columns each.
        let rows = rows(self.trace, (widest_name * 2 / 9).max(2), self.all);
        let columns = Columns::fit(self.trace, &rows, self.width, widest_name);
        let mut lines = self.header();
        lines.push(Line::default());
        let mut above = None;
        for row in &rows {
            match &row.content {
                Content::Span(node) => {
                    columns.span(&row.stem, node, self.pairs(node), above, &mut lines);
                    above = Some(*node);
                }
                Content::More(nodes) => lines.push(columns.more(&row.stem, nodes)),
            }
        }
        lines
    }

    /// One line, if that is wide enough.
    fn header(&self) -> Vec<Line> {
        let segments = self.trace.nodes().filter(|node| !node.is_subsegment()).count();
        let subsegments = self.trace.span_count() - segments;
        let plural = |count, noun| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let counts = [plural(segments, "segment"), plural(subsegments, "subsegment")];
        let counts: Vec<String> = counts.into_iter().filter(|count| !count.starts_with("0 ")).collect();
        let pieces = [
            (Ink::Strong, clean(self.trace.id())),
            (Ink::Plain, text::duration(self.trace.duration())),
            (Ink::Dim, counts.join(", ")),
            (Ink::Dim, text::utc(self.trace.start())),
        ];
        let mut lines: Vec<Line> = Vec::new();
        for (ink, piece) in pieces {
            match lines.last_mut().filter(|line| line.width() + GAP + width(&piece) <= self.width) {
                Some(line) => line.put_at(line.width() + GAP, ink, piece),
                None => {
                    let mut line = Line::default();
                    line.put(ink, cut(&piece, self.width));
                    lines.push(line);
                }
            }
        }
        if let Some(note) = self.missing_root() {
            let mut line = Line::default();
            line.put(Ink::Error, cut(&note, self.width));
            lines.push(line);
        }
        lines
    }

    /// A note if every top span names a parent that was not received. In Lambda without active tracing, and where the
    /// caller sends elsewhere, that is how it is.
    fn missing_root(&self) -> Option<String> {
        if !self.trace.roots().all(|node| node.parent_missing()) {
            return None;
        }
        let missing = self.trace.missing_parents();
        let missing_ones = if missing.len() == 1 { "the missing parent is" } else { "missing parents are" };
        Some(clean(&format!("The root was not received; {missing_ones} {}", missing.join(", "))))
    }

    /// `├─ DynamoDB [aws]  429 throttle  retries=2`
    fn tree_line(&self, row: &Row<'_>) -> Line {
        let mut line = Line::default();
        line.put(Ink::Dim, row.stem.before_name());
        match &row.content {
            Content::Span(node) => {
                put_name(&mut line, node, usize::MAX);
                let status = status(node);
                if status != "ok" {
                    line.put(State::of(node).ink(), format!("  {status}"));
                }
                let pairs = self.pairs(node);
                if !pairs.is_empty() {
                    line.put(Ink::Plain, format!("  {}", pairs.join("  ")));
                }
                if node.parent_missing() {
                    line.put(Ink::Dim, "  (parent missing)");
                }
            }
            Content::More(nodes) => line.put(Ink::Dim, more_of(nodes)),
        }
        line
    }
}

impl fmt::Display for Waterfall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| line.write(f, self.color))
    }
}

/// Returns mark, name and tag, in at most `columns` columns: the tag goes first, then the name is cut.
fn put_name(line: &mut Line, node: &Node<'_>, columns: usize) {
    let (name, mark) = (name(node), mark(node));
    let left = columns.saturating_sub(width(mark));
    let tag = tag(node)
        .map(|tag| format!(" {tag}"))
        .filter(|tag| width(tag) + width(&name).min(SHORTEST_NAME) <= left);
    let left = left.saturating_sub(tag.as_deref().map_or(0, width));
    line.put(Ink::Ok, mark);
    line.put(if node.is_subsegment() { Ink::Plain } else { Ink::Strong }, cut(&name, left));
    line.put(Ink::Dim, tag.unwrap_or_default());
}

/// `… 96 more db.query`; `… 96 more item-*` where names differ by digits.
fn more_of(nodes: &[Node<'_>]) -> String {
    let first = nodes.first().map(name).unwrap_or_default();
    let alike = nodes.iter().all(|node| name(node) == first);
    format!("… {} more {}", nodes.len(), if alike { first } else { pattern(&first) })
}

/// `, 3.2 ms to 8.9 ms`
fn range(nodes: &[Node<'_>]) -> String {
    let durations = || nodes.iter().filter_map(Node::duration);
    let (shortest, longest) = (durations().min().unwrap_or_default(), durations().max().unwrap_or_default());
    format!(", {} to {}", text::duration(shortest), text::duration(longest))
}

/// The places of the columns, and the scale of the last one.
struct Columns {
    /// The name's begins at 0.
    status: usize,
    /// The duration is flush right against this column.
    duration_end: usize,
    bar: usize,
    end: usize,
    start: f64,
    seconds: f64,
}

impl Columns {
    fn fit(trace: &Trace, rows: &[Row<'_>], width: usize, widest_name: usize) -> Self {
        let (mut name, mut status_width, mut duration_width, mut more) = (0, 0, 0, 0);
        for row in rows {
            let mut line = Line::default();
            line.put(Ink::Dim, row.stem.before_name());
            match &row.content {
                Content::Span(node) => {
                    put_name(&mut line, node, usize::MAX);
                    name = name.max(line.width());
                    status_width = status_width.max(text::width(&short_status(node)));
                    duration_width = duration_width.max(text::width(&short_duration(node)));
                }
                Content::More(nodes) => {
                    line.put(Ink::Dim, more_of(nodes) + &range(nodes));
                    more = more.max(line.width());
                }
            }
        }
        // A count runs on through the next two columns, so it needs room up to the end of those.
        let name = name.max(more.saturating_sub(GAP + status_width + GAP + duration_width));
        let status = name.min(widest_name) + GAP;
        let duration_end = status + status_width + GAP + duration_width;
        let (start, seconds) = (trace.start(), trace.end() - trace.start());
        Self { status, duration_end, bar: (duration_end + GAP).min(width), end: width, start, seconds }
    }

    /// A span's row, and its details beneath, unless those are the same as those of the span above.
    fn span(
        &self,
        stem: &Stem,
        node: &Node<'_>,
        pairs: Vec<String>,
        above: Option<Node<'_>>,
        lines: &mut Vec<Line>,
    ) {
        let mut line = Line::default();
        line.put(Ink::Dim, stem.before_name());
        let left = (self.status - GAP).saturating_sub(line.width());
        put_name(&mut line, node, left);
        let ink = State::of(node).ink();
        line.put_at(self.status, ink, short_status(node));
        let duration = short_duration(node);
        line.put_at(self.duration_end.saturating_sub(width(&duration)), Ink::Plain, duration);
        let (blanks, bar) = match node.end() {
            Some(end) => bar(self.fraction(node.start()), self.fraction(end), self.end - self.bar),
            None => shade(self.fraction(node.start()), 1.0, self.end - self.bar),
        };
        line.put_at(self.bar + blanks, ink, bar);
        lines.push(line);
        let before = stem.before_detail(node.children().next().is_some());
        let left = self.end.saturating_sub(width(&before));
        let mut beneath = details(node);
        if above.is_some_and(|above| above.name() == node.name() && details(&above) == beneath) {
            beneath.clear();
        }
        beneath.extend(flow(pairs, left).into_iter().map(|line| (Ink::Plain, line)));
        for (ink, detail) in beneath {
            let mut line = Line::default();
            line.put(Ink::Dim, before.as_str());
            line.put(ink, cut(&detail, left));
            lines.push(line);
        }
    }

    fn more(&self, stem: &Stem, nodes: &[Node<'_>]) -> Line {
        let range = range(nodes);
        let mut line = Line::default();
        line.put(Ink::Dim, stem.before_name());
        let left = self.duration_end.saturating_sub(line.width());
        let what = cut(&more_of(nodes), left.saturating_sub(width(&range)));
        line.put(Ink::Dim, cut(&(what + &range), left));
        let start = nodes.iter().map(Node::start).min_by(f64::total_cmp).unwrap_or_default();
        let end = nodes.iter().filter_map(Node::end).max_by(f64::total_cmp).unwrap_or_default();
        let (blanks, bar) = shade(self.fraction(start), self.fraction(end), self.end - self.bar);
        line.put_at(self.bar + blanks, Ink::Ok, bar);
        line
    }

    fn fraction(&self, time: f64) -> f64 {
        if self.seconds > 0.0 { (time - self.start) / self.seconds } else { 0.0 }
    }
}

fn short_status(node: &Node<'_>) -> String {
    cut(&status(node), WIDEST_STATUS)
}

fn short_duration(node: &Node<'_>) -> String {
    node.duration().map_or_else(|| "…".to_owned(), |duration| cut(&text::duration(duration), WIDEST_DURATION))
}

/// Room for the widest status and duration, and for a name.
const NARROWEST: usize = 60;
const WIDEST: usize = 1000;
/// `503 in progress`, `59 min 59 s`: what is wider comes from nonsense, and is cut.
const WIDEST_STATUS: usize = 15;
const WIDEST_DURATION: usize = 11;
/// Between columns.
const GAP: usize = 2;
/// A name is cut to this before its tag is kept.
const SHORTEST_NAME: usize = 12;
/// Levels of the tree drawn when there is no width to keep to.
const DEEPEST: usize = 40;
