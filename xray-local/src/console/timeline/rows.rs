//! The rows of a waterfall: spans in the order of the tree, each with its time, its state and what is odd about it.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::critical;
use super::row::{ERROR, FAULT, INFERRED, LINK, OPEN, ORPHAN, Row, SEGMENT, THROTTLE, WAITING};
use crate::ingest::Piece;
use crate::model::Time;

/// A trace as a list of rows, parents before what they hold.
#[derive(Debug)]
pub(in crate::console) struct Timeline {
    pub(in crate::console) rows: Vec<Row>,
    /// Earliest start.
    pub(in crate::console) start: i64,
    /// Microseconds from the earliest start to the latest end, at least 1.
    pub(in crate::console) span: i64,
    /// Stretches in which nothing starts or ends, relative to `start`.
    pub(in crate::console) gaps: Vec<(i64, i64)>,
}

/// A span before it has its place.
struct Span {
    row: Row,
    children: Vec<usize>,
    from: f64,
    to: Option<f64>,
    parent: Option<String>,
    is_top: bool,
}

impl Timeline {
    pub(in crate::console) fn new(pieces: Vec<Piece>) -> Self {
        let (mut spans, tops) = attach(pieces);
        let start = spans.iter().map(|span| micros(span.from)).min().unwrap_or_default();
        let ends = spans.iter().map(|span| micros(span.to.unwrap_or(span.from).max(span.from)));
        let last = ends.max().unwrap_or_default();
        for span in &mut spans {
            span.row.start = micros(span.from) - start;
            // A span in progress has lasted until the last time that is known.
            span.row.end = (span.to.map_or(last, micros) - start).max(span.row.start);
        }
        let mut rows = in_order(spans, tops);
        critical::measure(&mut rows);
        let span = (last - start).max(1);
        let gaps = critical::gaps(&rows, span);
        Self { rows, start, span, gaps }
    }

    /// Returns the start of the trace.
    pub(in crate::console) fn start(&self) -> Time {
        Time(self.start)
    }

    pub(in crate::console) fn position(&self, id: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.id == id)
    }

    /// Everything that the script needs to draw rows, column by column, as JSON.
    pub(in crate::console) fn columns(&self) -> String {
        let mut names = Names::default();
        let name = self.rows.iter().map(|row| names.number(&row.name)).collect();
        let service = self.rows.iter().map(|row| names.number(&row.service)).collect();
        let column = |of: fn(&Row) -> i64| self.rows.iter().map(of).collect::<Vec<i64>>();
        let columns = Columns {
            span: self.span,
            gaps: &self.gaps,
            ids: self.rows.iter().map(|row| row.id.as_str()).collect(),
            name,
            service,
            depth: column(|row| row.depth as i64),
            size: column(|row| row.size as i64),
            start: column(|row| row.start),
            took: column(|row| row.end - row.start),
            own: column(|row| row.own),
            flags: column(|row| i64::from(row.flags)),
            names: names.names,
        };
        serde_json::to_string(&columns).unwrap_or_default()
    }
}

/// The columns of all rows. `name` and `service` are numbers in `names`.
#[derive(Serialize)]
struct Columns<'a> {
    span: i64,
    gaps: &'a [(i64, i64)],
    ids: Vec<&'a str>,
    name: Vec<usize>,
    service: Vec<usize>,
    names: Vec<&'a str>,
    depth: Vec<i64>,
    size: Vec<i64>,
    start: Vec<i64>,
    took: Vec<i64>,
    own: Vec<i64>,
    flags: Vec<i64>,
}

/// Names by number.
#[derive(Default)]
struct Names<'a> {
    names: Vec<&'a str>,
    numbers: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn number(&mut self, name: &'a str) -> usize {
        *self.numbers.entry(name).or_insert_with(|| {
            self.names.push(name);
            self.names.len() - 1
        })
    }
}

fn micros(seconds: f64) -> i64 {
    Time::from_seconds(seconds).0
}

/// Spans with their children, and the numbers of those without a parent in the trace.
fn attach(pieces: Vec<Piece>) -> (Vec<Span>, Vec<usize>) {
    let mut spans: Vec<Span> = Vec::with_capacity(pieces.len());
    // The latest span of each depth of the current top.
    let mut path: Vec<usize> = Vec::new();
    for Piece { depth, members } in pieces {
        path.truncate(depth);
        let at = spans.len();
        let mut span = read(members, depth == 0);
        if let Some(&holder) = path.last() {
            span.row.service = Arc::clone(&spans[holder].row.service);
            spans[holder].children.push(at);
        }
        path.push(at);
        spans.push(span);
    }
    let numbers: HashMap<&str, usize> =
        spans.iter().enumerate().map(|(at, span)| (span.row.id.as_str(), at)).collect();
    let of_tops = spans.iter().enumerate().filter(|(_, span)| span.is_top);
    let parents = of_tops.map(|(at, span)| (at, span.parent.as_deref().map(|id| numbers.get(id).copied())));
    let parents: Vec<(usize, Option<Option<usize>>)> = parents.collect();
    let mut tops = Vec::new();
    for (at, parent) in parents {
        match parent {
            Some(Some(parent)) if parent != at => {
                spans[parent].row.flags &= !WAITING;
                spans[parent].children.push(at);
            }
            Some(_) => {
                spans[at].row.flags |= ORPHAN;
                tops.push(at);
            }
            None => tops.push(at),
        }
    }
    (spans, tops)
}

fn read(members: Map<String, Value>, is_top: bool) -> Span {
    let string = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is = |name: &str| members.get(name) == Some(&Value::Bool(true));
    let http = |part: &str, name: &str| members.get("http").and_then(|http| http.get(part)?.get(name));
    let is_segment = is_top && members.get("type").and_then(Value::as_str) != Some("subsegment");
    let to = members.get("end_time").and_then(Value::as_f64);
    let mut flags = 0;
    for (holds, flag) in [
        (is("error"), ERROR),
        (is("throttle"), THROTTLE),
        (is("fault"), FAULT),
        (to.is_none(), OPEN),
        (is("inferred"), INFERRED),
        (is_segment, SEGMENT),
        (
            members.get("links").is_some_and(|links| links.as_array().is_some_and(|links| !links.is_empty())),
            LINK,
        ),
        (http("request", "traced") == Some(&Value::Bool(true)), WAITING),
    ] {
        flags |= if holds { flag } else { 0 };
    }
    let name = string("name");
    let row = Row {
        id: string("id"),
        service: name.as_str().into(),
        name,
        flags,
        json: serde_json::to_string(&members).unwrap_or_default(),
        ..Row::default()
    };
    let from = members.get("start_time").and_then(Value::as_f64).unwrap_or_default();
    let parent = members.get("parent_id").and_then(Value::as_str).map(str::to_owned);
    Span { row, children: Vec::new(), from, to, parent, is_top }
}

/// The rows in the order of the tree; children in order of their start.
fn in_order(mut spans: Vec<Span>, mut tops: Vec<usize>) -> Vec<Row> {
    let order = |spans: &[Span], list: &mut Vec<usize>| {
        list.sort_by_key(|&at| (spans[at].row.start, std::cmp::Reverse(spans[at].row.end), at));
    };
    order(&spans, &mut tops);
    let mut rows: Vec<Row> = Vec::with_capacity(spans.len());
    let mut is_placed = vec![false; spans.len()];
    // Tops that hold each other are in no tree; the first of them begins one.
    let starts = tops.into_iter().chain(0..spans.len()).collect::<Vec<_>>();
    for start in starts {
        if is_placed[start] {
            continue;
        }
        let mut pending = vec![(0, start)];
        while let Some((depth, at)) = pending.pop() {
            if std::mem::replace(&mut is_placed[at], true) {
                continue;
            }
            let mut children = std::mem::take(&mut spans[at].children);
            order(&spans, &mut children);
            let mut row = std::mem::take(&mut spans[at].row);
            row.depth = depth;
            rows.push(row);
            pending.extend(children.into_iter().rev().map(|child| (depth + 1, child)));
        }
    }
    let mut path: Vec<usize> = Vec::new();
    for at in 0..rows.len() {
        while path.last().is_some_and(|&above| rows[above].depth >= rows[at].depth) {
            close(&mut rows, &mut path, at);
        }
        path.push(at);
    }
    let end = rows.len();
    while !path.is_empty() {
        close(&mut rows, &mut path, end);
    }
    rows
}

fn close(rows: &mut [Row], path: &mut Vec<usize>, end: usize) {
    if let Some(above) = path.pop() {
        rows[above].size = end - above;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn piece(depth: usize, members: Value) -> Piece {
        Piece { depth, members: members.as_object().cloned().unwrap() }
    }

    fn timeline() -> Timeline {
        Timeline::new(vec![
            piece(0, json!({"id": "a", "name": "web", "start_time": 1.0, "end_time": 2.0})),
            piece(
                1,
                json!({"id": "b", "name": "call", "namespace": "remote", "start_time": 1.5, "end_time": 1.9}),
            ),
            piece(1, json!({"id": "c", "name": "first", "start_time": 1.1, "end_time": 1.3, "fault": true})),
            piece(0, json!({"id": "d", "name": "api", "parent_id": "b", "start_time": 1.6, "end_time": 1.8})),
            piece(0, json!({"id": "e", "name": "late", "parent_id": "gone", "start_time": 1.7})),
        ])
    }

    #[test]
    fn rows_follow_the_tree_and_the_time() {
        let timeline = timeline();
        let rows: Vec<_> = timeline.rows.iter().map(|row| (row.id.as_str(), row.depth, row.size)).collect();
        assert_eq!(rows, [("a", 0, 4), ("c", 1, 1), ("b", 1, 2), ("d", 2, 1), ("e", 0, 1)]);
        assert_eq!((timeline.start, timeline.span), (1_000_000, 1_000_000));
        assert_eq!(&*timeline.rows[3].service, "api");
        assert_eq!(&*timeline.rows[2].service, "web");
    }

    #[test]
    fn what_is_odd_is_a_flag() {
        let timeline = timeline();
        assert!(timeline.rows[4].has(ORPHAN) && timeline.rows[4].has(OPEN));
        assert!(timeline.rows[1].has(FAULT) && !timeline.rows[0].has(FAULT));
        assert!(timeline.rows[3].has(SEGMENT) && !timeline.rows[2].has(SEGMENT));
    }

    #[test]
    fn own_time_leaves_out_what_children_take() {
        let timeline = timeline();
        // 1.0 s less 0.2 s and 0.4 s.
        assert_eq!(timeline.rows[0].own, 400_000);
        assert_eq!(timeline.rows[2].own, 200_000);
    }

    #[test]
    fn a_row_that_ends_before_it_starts_has_no_length() {
        let timeline = Timeline::new(vec![piece(
            0,
            json!({"id": "a", "name": "a", "start_time": 5.0, "end_time": 1.0}),
        )]);
        let row = &timeline.rows[0];
        assert_eq!((row.start, row.end, row.own, timeline.span), (0, 0, 0, 1));
    }

    #[test]
    fn segments_that_hold_each_other_are_shown_once() {
        let timeline = Timeline::new(vec![
            piece(0, json!({"id": "a", "name": "a", "parent_id": "b", "start_time": 1.0, "end_time": 2.0})),
            piece(0, json!({"id": "b", "name": "b", "parent_id": "a", "start_time": 1.0, "end_time": 2.0})),
        ]);
        assert_eq!(timeline.rows.len(), 2);
    }
}
