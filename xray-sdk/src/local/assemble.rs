//! Documents into traces: whatever their order, whatever is nested and whatever was sent on its own.
//!
//! Every span of every document is put into an index by its id, then hung under its parent, wherever that lies. A
//! complete span replaces one in progress. Documents may be hostile (rings, chains without end, ids used twice):
//! nothing here recurses, and each step is bounded by the number of spans.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::mem;

use serde_json::Value;

use super::document::Document;
use super::trace::{Span, Trace};

/// The traces, in order of their first start, and a line for each thing about them that can't be right.
pub(super) fn assemble(documents: &[Document]) -> (Vec<Trace>, Vec<String>) {
    let mut gathered: Vec<Gathered<'_>> = Vec::new();
    let mut index = HashMap::new();
    for document in documents {
        let id = document.trace_id();
        let at = *index.entry(id).or_insert_with(|| {
            gathered.push(Gathered { id, ..Gathered::default() });
            gathered.len() - 1
        });
        gathered[at].add(document);
    }
    let mut problems = Vec::new();
    let mut traces: Vec<Trace> = gathered.into_iter().map(|trace| trace.assemble(&mut problems)).collect();
    traces.sort_by(|a, b| a.start().total_cmp(&b.start()));
    (traces, problems)
}

impl Trace {
    /// Puts documents together that X-Ray has taken, such as those that `BatchGetTraces` returns, a tree for each
    /// trace, in order of the traces' first start. What is no JSON object is skipped; nothing is checked.
    ///
    /// ```
    /// use xray_sdk::local::{Trace, Waterfall};
    ///
    /// let document = r#"{"name":"shop","id":"70de5b6f19ff9a0a","trace_id":"1-66f1a2b3-0123456789abcdef01234567",
    ///                    "start_time":1727112883.125,"end_time":1727112883.25}"#;
    /// let traces = Trace::from_documents([document]);
    /// assert_eq!(traces[0].find("shop").map(|node| node.id()), Some("70de5b6f19ff9a0a"));
    /// assert!(Waterfall::new(&traces[0]).to_string().contains("shop"));
    /// ```
    #[must_use]
    pub fn from_documents<'a>(documents: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let documents: Vec<Document> = documents.into_iter().filter_map(Document::taken).collect();
        assemble(&documents).0
    }
}

/// The spans of one trace in order of arrival, each id once.
#[derive(Default)]
struct Gathered<'a> {
    id: &'a str,
    spans: Vec<Span>,
    index: HashMap<&'a str, usize>,
    problems: Vec<String>,
}

impl<'a> Gathered<'a> {
    fn add(&mut self, document: &'a Document) {
        let root = (document.json(), document.parent_id(), document.is_subsegment());
        let mut pending = vec![root];
        while let Some((json, parent_id, is_subsegment)) = pending.pop() {
            let Some(id) = json.get("id").and_then(Value::as_str) else { continue };
            self.insert(id, span(json, id, parent_id, is_subsegment));
            let children = json.get("subsegments").and_then(Value::as_array);
            // Backwards, since the last one pushed is the first one popped.
            pending.extend(children.into_iter().flatten().rev().map(|child| (child, Some(id), true)));
        }
    }

    fn insert(&mut self, id: &'a str, span: Span) {
        match self.index.entry(id) {
            Entry::Vacant(vacant) => {
                vacant.insert(self.spans.len());
                self.spans.push(span);
            }
            Entry::Occupied(occupied) => {
                let known = &mut self.spans[*occupied.get()];
                if known.end.is_some() == span.end.is_some() {
                    let how = if span.end.is_some() { "complete" } else { "in progress" };
                    self.problems.push(format!(
                        "trace {}: {id} ({}) arrived {how} more than once",
                        self.id, span.name
                    ));
                }
                if known.end.is_none() {
                    *known = span;
                }
            }
        }
    }

    fn assemble(mut self, problems: &mut Vec<String>) -> Trace {
        for at in 0..self.spans.len() {
            self.spans[at].parent =
                self.spans[at].parent_id.as_deref().and_then(|parent| self.index.get(parent)).copied();
        }
        self.break_rings();
        let mut by_start: Vec<usize> = (0..self.spans.len()).collect();
        // A stable sort: what starts together stays in order of arrival.
        by_start.sort_by(|&a, &b| self.spans[a].start.total_cmp(&self.spans[b].start));
        for &at in &by_start {
            if let Some(parent) = self.spans[at].parent {
                self.spans[parent].children.push(at);
            }
        }
        let roots = by_start.into_iter().filter(|&at| self.spans[at].parent.is_none()).collect();
        problems.append(&mut self.problems);
        Trace { id: self.id.to_owned(), spans: in_drawing_order(self.spans, roots) }
    }

    /// Following the parents upwards must end at a root. Each span is walked over once: a walk that meets
    /// its own steps has found a ring, which is cut there, one that meets an earlier walk's is done.
    fn break_rings(&mut self) {
        let mut walked_in = vec![usize::MAX; self.spans.len()];
        for walk in 0..self.spans.len() {
            let mut at = walk;
            while walked_in[at] == usize::MAX {
                walked_in[at] = walk;
                let Some(parent) = self.spans[at].parent else { break };
                if walked_in[parent] == walk {
                    let (name, id) = (&self.spans[parent].name, &self.spans[parent].id);
                    self.problems.push(format!("trace {}: {id} ({name}) is its own ancestor", self.id));
                    self.spans[parent].parent = None;
                    break;
                }
                at = parent;
            }
        }
    }
}

/// Every span before its children, and these together.
fn in_drawing_order(mut spans: Vec<Span>, roots: Vec<usize>) -> Vec<Span> {
    let mut moved_to = vec![0; spans.len()];
    let mut order = Vec::with_capacity(spans.len());
    let mut pending: Vec<(usize, usize)> = roots.into_iter().rev().map(|root| (root, 0)).collect();
    while let Some((at, depth)) = pending.pop() {
        moved_to[at] = order.len();
        order.push(at);
        spans[at].depth = depth;
        pending.extend(spans[at].children.iter().rev().map(|&child| (child, depth + 1)));
    }
    for span in &mut spans {
        span.parent = span.parent.map(|parent| moved_to[parent]);
        span.children.iter_mut().for_each(|child| *child = moved_to[*child]);
    }
    let mut spans: Vec<Option<Span>> = spans.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| mem::take(&mut spans[at])).collect()
}

fn span(json: &Value, id: &str, parent_id: Option<&str>, is_subsegment: bool) -> Span {
    let time = |key| json.get(key).and_then(Value::as_f64);
    let own = json.as_object().into_iter().flatten().filter(|(key, _)| *key != "subsegments");
    let in_progress = json.get("in_progress") == Some(&Value::Bool(true));
    Span {
        id: id.to_owned(),
        name: json.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        parent_id: parent_id.map(str::to_owned),
        start: time("start_time").unwrap_or_default(),
        end: time("end_time").filter(|_| !in_progress),
        is_subsegment,
        json: own.map(|(key, value)| (key.clone(), value.clone())).collect(),
        depth: 0,
        parent: None,
        children: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "1-66f1a2b3-0123456789abcdef01234567";

    fn id(n: u64) -> String {
        format!("{n:016x}")
    }

    fn document(json: &str) -> Document {
        Document::judge(json.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?} in {json}"))
    }

    fn segment(n: u64, parent: Option<u64>, start: f64, nested: &str) -> Document {
        let parent = parent.map(|parent| format!(r#","parent_id":"{}""#, id(parent))).unwrap_or_default();
        document(&format!(
            r#"{{"id":"{}","trace_id":"{TRACE}"{parent},"name":"s{n}","start_time":{start},"end_time":{},"subsegments":[{nested}]}}"#,
            id(n),
            start + 1.0
        ))
    }

    fn streamed(n: u64, parent: u64, start: f64, end: &str) -> Document {
        document(&format!(
            r#"{{"id":"{}","type":"subsegment","trace_id":"{TRACE}","parent_id":"{}","name":"s{n}","start_time":{start},{end}}}"#,
            id(n),
            id(parent)
        ))
    }

    fn nested(n: u64, start: f64, children: &str) -> String {
        format!(
            r#"{{"id":"{}","name":"s{n}","start_time":{start},"end_time":{},"subsegments":[{children}]}}"#,
            id(n),
            start + 0.5
        )
    }

    /// `s1(s2 s3(s4))`: the tree on one line.
    fn shape(trace: &Trace) -> String {
        fn write(node: Node<'_>, out: &mut String) {
            out.push_str(node.name());
            let children: Vec<String> = node
                .children()
                .map(|child| {
                    let mut out = String::new();
                    write(child, &mut out);
                    out
                })
                .collect();
            if !children.is_empty() {
                out.push_str(&format!("({})", children.join(" ")));
            }
        }
        use super::super::trace::Node;
        let mut out = Vec::new();
        for root in trace.roots() {
            let mut text = String::new();
            write(root, &mut text);
            out.push(if root.parent_missing() { format!("?{text}") } else { text });
        }
        out.join(" ")
    }

    fn only(documents: &[Document]) -> (Trace, Vec<String>) {
        let (mut traces, problems) = assemble(documents);
        assert_eq!(traces.len(), 1);
        (traces.remove(0), problems)
    }

    #[test]
    fn every_order_of_arrival_gives_the_same_tree() {
        let documents = [
            segment(1, None, 10.0, &nested(2, 10.1, &nested(3, 10.2, ""))),
            streamed(4, 3, 10.25, r#""end_time":10.26"#),
            streamed(5, 1, 10.05, r#""end_time":10.06"#),
            segment(6, Some(4), 10.255, ""),
        ];
        let mut orders = 0;
        for a in 0..4 {
            for b in (0..4).filter(|&b| b != a) {
                for c in (0..4).filter(|&c| c != a && c != b) {
                    let order = [a, b, c, 6 - a - b - c].map(|at| documents[at].clone());
                    let (trace, problems) = only(&order);
                    assert_eq!((shape(&trace).as_str(), problems.len()), ("s1(s5 s2(s3(s4(s6))))", 0));
                    orders += 1;
                }
            }
        }
        assert_eq!(orders, 24);
    }

    #[test]
    fn a_complete_document_replaces_one_in_progress_whichever_comes_first() {
        let (open, done) =
            (streamed(2, 1, 5.0, r#""in_progress":true"#), streamed(2, 1, 5.0, r#""end_time":6"#));
        for order in [[open.clone(), done.clone()], [done, open.clone()]] {
            let (trace, problems) = only(&order);
            assert_eq!((trace.span_count(), problems.len()), (1, 0));
            assert_eq!(trace.find("s2").and_then(|node| node.end()), Some(6.0));
        }
        assert_eq!(only(&[open]).0.find("s2").and_then(|node| node.end()), None);
    }

    #[test]
    fn a_segment_is_found_by_the_name_of_its_root_span_as_well() {
        let (trace, _) = only(&[document(&format!(
            r#"{{"id":"{}","trace_id":"{TRACE}","name":"shop","start_time":1,"end_time":2,"subsegments":[{}],"metadata":{{"default":{{"operation":"checkout"}}}}}}"#,
            id(1),
            nested(2, 1.1, "")
        ))]);
        assert_eq!(trace.find("checkout").map(|node| node.id().to_owned()), Some(id(1)));
        assert_eq!(trace.find("s2").map(|node| node.id().to_owned()), Some(id(2)));
        assert!(trace.find("never").is_none());
    }

    #[test]
    fn an_id_that_arrives_complete_twice_is_a_problem_and_the_first_one_stays() {
        let (trace, problems) =
            only(&[segment(1, None, 1.0, &nested(2, 1.1, "")), streamed(2, 1, 1.2, r#""end_time":2"#)]);
        assert_eq!(problems, [format!("trace {TRACE}: {} (s2) arrived complete more than once", id(2))]);
        assert_eq!(trace.find("s2").map(|node| node.start()), Some(1.1));
    }

    #[test]
    fn spans_without_their_parent_are_roots_and_say_so() {
        let (trace, problems) = only(&[
            streamed(2, 9, 2.0, r#""end_time":3"#),
            segment(1, None, 1.0, ""),
            streamed(3, 9, 1.5, r#""end_time":3"#),
        ]);
        assert_eq!((shape(&trace).as_str(), problems.len()), ("s1 ?s3 ?s2", 0));
        assert_eq!(trace.missing_parents(), [id(9)]);
    }

    #[test]
    fn rings_are_cut_and_reported_once() {
        let ring = [
            streamed(1, 3, 1.0, r#""end_time":2"#),
            streamed(2, 1, 2.0, r#""end_time":3"#),
            streamed(3, 2, 3.0, r#""end_time":4"#),
            streamed(4, 2, 3.5, r#""end_time":4"#),
            streamed(5, 5, 9.0, r#""end_time":9"#),
        ];
        let (trace, problems) = only(&ring);
        assert_eq!(shape(&trace), "?s1(s2(s3 s4)) ?s5");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].ends_with("(s1) is its own ancestor"), "{problems:?}");
    }

    #[test]
    fn a_chain_of_ten_thousand_is_only_a_long_list() {
        let mut chain: Vec<Document> =
            (1..10_000).rev().map(|n| streamed(n, n - 1, n as f64, r#""in_progress":true"#)).collect();
        chain.push(segment(0, None, 0.0, ""));
        let (trace, problems) = only(&chain);
        assert_eq!((trace.span_count(), trace.roots().count(), problems.len()), (10_000, 1, 0));
        assert_eq!(trace.nodes().last().map(|node| node.depth()), Some(9_999));
    }

    #[test]
    fn traces_come_in_order_of_their_first_start_and_span_it() {
        let other = TRACE.replace("01234567", "76543210");
        let late = segment(1, None, 20.0, "");
        let early = document(&segment(2, None, 10.0, &nested(3, 9.5, "")).text().replace(TRACE, &other));
        let (traces, _) = assemble(&[late, early]);
        assert_eq!(traces.iter().map(Trace::id).collect::<Vec<_>>(), [other.as_str(), TRACE]);
        assert_eq!((traces[0].start(), traces[0].end()), (9.5, 11.0));
        assert_eq!(traces[0].duration().as_millis(), 1500);
    }

    #[test]
    fn a_nodes_json_is_its_own() {
        let (trace, _) = only(&[segment(1, None, 1.0, &nested(2, 1.1, &nested(3, 1.2, "")))]);
        for node in trace.nodes() {
            assert_eq!(node.json()["id"], node.id());
            assert_eq!(node.json().get("subsegments"), None);
        }
        assert_eq!(trace.find("s3").and_then(|node| node.parent()).map(|node| node.name()), Some("s2"));
    }
}
