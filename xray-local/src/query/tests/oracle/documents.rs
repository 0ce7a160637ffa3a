//! The documents of a trace as a list of spans, and the facts that can be read from one.

use serde_json::{Value, json};

use super::Node;

/// A segment or subsegment within the documents.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) json: Value,
    pub(super) top: usize,
    pub(super) nested: bool,
    pub(super) children: Vec<usize>,
}

pub(super) struct Documents {
    pub(super) spans: Vec<Span>,
    /// Spans that are documents of their own, inferred segments excepted.
    pub(super) tops: Vec<usize>,
    /// Inferred segments by the id of their subsegment.
    pub(super) inferred: Vec<(String, Value)>,
}

impl Documents {
    pub(super) fn read(documents: &[Value]) -> Self {
        let mut read = Self { spans: Vec::new(), tops: Vec::new(), inferred: Vec::new() };
        for document in documents {
            if document["inferred"] == json!(true) {
                read.inferred.push((text(document, "parent_id"), document.clone()));
            } else {
                let top = read.spans.len();
                read.tops.push(top);
                read.add(document, top, document["type"] == json!("subsegment"));
            }
        }
        read
    }

    pub(super) fn add(&mut self, json: &Value, top: usize, nested: bool) -> usize {
        let at = self.spans.len();
        self.spans.push(Span { json: json.clone(), top, nested, children: Vec::new() });
        for child in json["subsegments"].as_array().into_iter().flatten() {
            let child = self.add(child, top, true);
            self.spans[at].children.push(child);
        }
        at
    }

    pub(super) fn with_id(&self, id: &str) -> Option<usize> {
        self.spans.iter().position(|span| text(&span.json, "id") == id)
    }

    /// The span that called a document's segment.
    pub(super) fn caller(&self, at: usize) -> Option<usize> {
        self.with_id(&text(&self.spans[at].json, "parent_id")).filter(|&caller| caller != at)
    }

    pub(super) fn root(&self) -> usize {
        let segments = || self.tops.iter().copied().filter(|&top| !self.spans[top].nested);
        segments()
            .find(|&top| self.spans[top].json.get("parent_id").is_none())
            .or_else(|| segments().find(|&top| self.caller(top).is_none()))
            .unwrap_or(self.tops[0])
    }

    /// A span and everything in it.
    pub(super) fn within(&self, at: usize) -> Vec<usize> {
        let mut all = vec![at];
        for &child in &self.spans[at].children {
            all.extend(self.within(child));
        }
        all
    }

    pub(super) fn inferred_from(&self, at: usize) -> Option<&Value> {
        let id = text(&self.spans[at].json, "id");
        self.inferred.iter().find(|(parent, _)| *parent == id).map(|(_, document)| document)
    }
}

pub(super) fn text(json: &Value, member: &str) -> String {
    json[member].as_str().unwrap_or_default().to_owned()
}

pub(super) fn micros(json: &Value) -> i64 {
    (json.as_f64().unwrap() * 1e6).round() as i64
}

pub(super) fn is_open(json: &Value) -> bool {
    json["in_progress"] == json!(true) || json.get("end_time").is_none()
}

pub(super) fn end(json: &Value) -> Option<i64> {
    (!is_open(json)).then(|| micros(&json["end_time"]).max(micros(&json["start_time"])))
}

/// Microseconds as they are shown: seconds with three decimals.
pub(super) fn shown(micros: i64) -> Value {
    json!((micros + 500).div_euclid(1_000) as f64 / 1_000.0)
}

pub(super) fn node(json: &Value) -> Node {
    (text(json, "name"), text(json, "origin"), text(&json["aws"], "account_id"))
}
