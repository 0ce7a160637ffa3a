//! A naive evaluator of filter expressions over the documents of a trace as `BatchGetTraces` returns them. Shares no
//! code with the compilation and the SQL: whatever an expression can ask of a trace is written out as lists of values,
//! element by element.

mod causes;
mod documents;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::causes::causes;
use self::documents::{Documents, end, is_open, micros, node, shown};
use crate::model::CauseKind;
use crate::query::filter::{
    CauseLevel, CausePattern, Expr, NodeSelector, Operator, Predicate, Subject, Value as Operand,
};

/// Name, type, account.
type Node = (String, String, String);

/// Subject of tests: a trace, a segment, a call, an element of a root cause.
#[derive(Clone, Debug, Default)]
struct Element {
    /// Values by keyword.
    values: BTreeMap<&'static str, Vec<Value>>,
    annotations: Vec<(String, Value)>,
    node: Node,
    /// Only of calls.
    source: Node,
}

/// A trace, written out.
#[derive(Clone, Debug)]
pub(in crate::query::tests) struct Facts {
    trace: Element,
    segments: Vec<Element>,
    clients: Vec<Element>,
    calls: Vec<Element>,
    causes: Vec<Cause>,
}

#[derive(Clone, Debug)]
struct Cause {
    kind: CauseKind,
    services: Vec<Element>,
    entities: Vec<Element>,
    exceptions: Vec<Element>,
    json: Value,
}

impl Element {
    fn set(&mut self, keyword: &'static str, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() {
            self.values.entry(keyword).or_default().push(value);
        }
    }

    fn flags(&mut self, json: &Value) {
        let flag = |name: &str| json[name] == json!(true);
        let error = flag("error") || flag("throttle");
        self.set("error", error);
        self.set("throttle", flag("throttle"));
        self.set("fault", flag("fault"));
        self.set("ok", !error && !flag("fault") && !is_open(json));
    }

    fn http(&mut self, json: &Value) {
        let http = &json["http"];
        self.set("http.status", http["response"]["status"].clone());
        self.set("http.url", http["request"]["url"].clone());
        self.set("http.method", http["request"]["method"].clone());
        self.set("http.useragent", http["request"]["user_agent"].clone());
        self.set("http.clientip", http["request"]["client_ip"].clone());
    }

    fn length(&mut self, keyword: &'static str, json: &Value) {
        if let Some(end) = end(json) {
            self.set(keyword, shown(end - micros(&json["start_time"])));
        }
    }
}

impl Facts {
    /// Writes out a trace that is in these groups, given by name and ARN.
    pub(in crate::query::tests) fn of(documents: &[Value]) -> Self {
        let read = Documents::read(documents);
        let root = read.root();
        let segments: Vec<Element> = read
            .tops
            .iter()
            .map(|&top| segment(&read, top, root))
            .chain(read.inferred.iter().map(|(parent, document)| inferred(&read, parent, document)))
            .collect();
        let calls = calls(&read);
        let clients = read
            .tops
            .iter()
            .zip(&segments)
            .filter(|(top, _)| !read.spans[**top].nested && read.caller(**top).is_none())
            .map(|(_, segment)| {
                let (name, _, account) = segment.node.clone();
                Element { source: (name, "client".to_owned(), account), ..segment.clone() }
            })
            .collect();
        Self { trace: trace(&read, root), segments, clients, calls, causes: causes(&read, root) }
    }

    pub(in crate::query::tests) fn join_group(&mut self, name: &str) {
        self.trace.set("group.name", name);
        self.trace.set("group.arn", format!("arn:{name}"));
    }

    pub(in crate::query::tests) fn satisfy(&self, expr: &Expr) -> bool {
        self.holds(expr, &self.trace)
    }

    fn holds(&self, expr: &Expr, element: &Element) -> bool {
        match expr {
            Expr::And(operands) => operands.iter().all(|operand| self.holds(operand, element)),
            Expr::Or(operands) => operands.iter().any(|operand| self.holds(operand, element)),
            Expr::Not(operand) => !self.holds(operand, element),
            Expr::Test(predicate) => self.test(predicate, element),
        }
    }

    fn test(&self, predicate: &Predicate, element: &Element) -> bool {
        let inner = |expr: &Option<Box<Expr>>, element: &Element| {
            expr.as_ref().is_none_or(|expr| self.holds(expr, element))
        };
        match predicate {
            Predicate::Set(Subject::Annotation(key)) => {
                element.annotations.iter().any(|(name, value)| name == key && *value != json!(false))
            }
            Predicate::Compare(Subject::Annotation(key), operator, operand) => element
                .annotations
                .iter()
                .any(|(name, value)| name == key && compare_annotation(value, *operator, operand)),
            Predicate::Set(Subject::Field(field)) => {
                let values = element.values.get(field.keyword().name);
                values.is_some_and(|values| values.iter().any(|value| *value != json!(false)))
            }
            Predicate::Compare(Subject::Field(field), operator, operand) => {
                let values = element.values.get(field.keyword().name);
                values.is_some_and(|values| values.iter().any(|value| compare(value, *operator, operand)))
            }
            Predicate::Service(selector, expr) if selector.kind.as_deref() == Some("client") => {
                self.clients.iter().any(|client| means(selector, &client.source) && inner(expr, client))
            }
            Predicate::Service(selector, expr) => {
                self.segments.iter().any(|segment| means(selector, &segment.node) && inner(expr, segment))
            }
            Predicate::Edge(from, to, expr) => self
                .calls
                .iter()
                .any(|call| means(from, &call.source) && means(to, &call.node) && inner(expr, call)),
            Predicate::RootCause(kind, level, expr) => self.causes.iter().any(|cause| {
                let elements = match level {
                    CauseLevel::Service => &cause.services,
                    CauseLevel::Entity => &cause.entities,
                    CauseLevel::Exception => &cause.exceptions,
                };
                cause.kind == *kind && elements.iter().any(|element| self.holds(expr, element))
            }),
            Predicate::RootCauseJson(patterns) => {
                patterns.iter().all(|pattern| self.causes.iter().any(|cause| fits(pattern, &cause.json)))
            }
        }
    }
}

fn trace(read: &Documents, root: usize) -> Element {
    let mut element = Element::default();
    let json = &read.spans[root].json;
    element.flags(json);
    element.http(json);
    element.length("responsetime", json);
    let starts = || read.spans.iter().map(|span| micros(&span.json["start_time"]));
    let ends =
        read.spans.iter().map(|span| end(&span.json).unwrap_or_else(|| micros(&span.json["start_time"])));
    element.set("duration", shown(ends.max().unwrap() - starts().min().unwrap()));
    let is_partial = read.tops.iter().any(|&top| is_open(&read.spans[top].json))
        || read.inferred.iter().any(|(_, document)| is_open(document));
    element.set("partial", is_partial);
    element.set("inferred", !read.inferred.is_empty());
    for span in &read.spans {
        span_values(&mut element, &span.json);
        let aws = &span.json["aws"];
        let place = if aws.get("ec2").is_some() { &aws["ec2"] } else { &aws["ecs"] };
        element.set("availabilityzone", place["availability_zone"].clone());
        element.set("instance.id", aws["ec2"]["instance_id"].clone());
        element.set("resource.arn", span.json["resource_arn"].clone());
    }
    element
}

/// Adds the facts of a span within an element.
fn span_values(element: &mut Element, json: &Value) {
    element.set("user", json["user"].clone());
    for (key, value) in json["annotations"].as_object().into_iter().flatten() {
        element.annotations.push((key.clone(), value.clone()));
    }
}

fn segment(read: &Documents, top: usize, root: usize) -> Element {
    let span = &read.spans[top];
    let json = &span.json;
    let mut element = Element { node: node(json), ..Element::default() };
    element.flags(json);
    element.http(json);
    element.length("responsetime", json);
    element.set("partial", is_open(json));
    element.set("inferred", false);
    element.set("root", top == root || (!span.nested && json.get("parent_id").is_none()));
    element.set("name", element.node.0.clone());
    if !element.node.1.is_empty() {
        element.set("type", element.node.1.clone());
    }
    if end(json).is_some() {
        let last = read.within(top).into_iter().filter_map(|at| end(&read.spans[at].json)).max().unwrap();
        element.set("duration", shown(last - micros(&json["start_time"])));
    }
    for at in read.within(top) {
        span_values(&mut element, &read.spans[at].json);
    }
    element
}

fn inferred(read: &Documents, parent: &str, document: &Value) -> Element {
    let mut element = Element { node: node(document), ..Element::default() };
    // Flags and times are those of the subsegment.
    let json = &read.spans[read.with_id(parent).unwrap()].json;
    element.flags(json);
    element.http(json);
    element.length("responsetime", json);
    element.length("duration", json);
    element.set("partial", is_open(json));
    element.set("inferred", true);
    element.set("root", false);
    element.set("name", element.node.0.clone());
    element.set("type", element.node.1.clone());
    element
}

fn calls(read: &Documents) -> Vec<Element> {
    let mut calls = Vec::new();
    let mut call = |source: Node, target: Node, seen: &Value| {
        let mut element = Element { source, node: target, ..Element::default() };
        element.flags(seen);
        element.length("responsetime", seen);
        element.length("duration", seen);
        calls.push(element);
    };
    let top_node = |at: usize| node(&read.spans[read.spans[at].top].json);
    for &top in &read.tops {
        let span = &read.spans[top];
        let target = node(&span.json);
        match read.caller(top) {
            _ if span.nested => {}
            Some(caller) if read.spans[caller].nested => {
                call(top_node(caller), target, &read.spans[caller].json);
            }
            // The caller is a segment, so the callee's view is all there is.
            Some(caller) => call(top_node(caller), target, &span.json),
            None => call((target.0.clone(), "client".to_owned(), target.2.clone()), target, &span.json),
        }
    }
    for (parent, document) in &read.inferred {
        let at = read.with_id(parent).unwrap();
        call(top_node(at), node(document), &read.spans[at].json);
    }
    calls
}

fn means(selector: &NodeSelector, node: &Node) -> bool {
    let part = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    let is_client_meant = selector.is_any() || selector.kind.as_deref() == Some("client");
    part(&selector.name, &node.0)
        && part(&selector.kind, &node.1)
        && part(&selector.account, &node.2)
        && (is_client_meant || node.1 != "client")
}

fn compare(value: &Value, operator: Operator, operand: &Operand) -> bool {
    match (value, operand) {
        (Value::Bool(value), Operand::Bool(operand)) => (value == operand) == (operator == Operator::Equal),
        (Value::Number(value), Operand::Number(operand)) => {
            let value = value.as_f64().unwrap();
            match operator {
                Operator::Equal => value == *operand,
                Operator::NotEqual => value != *operand,
                Operator::Less => value < *operand,
                Operator::LessOrEqual => value <= *operand,
                Operator::Greater => value > *operand,
                Operator::GreaterOrEqual => value >= *operand,
                _ => false,
            }
        }
        (Value::String(value), Operand::String(operand)) => match operator {
            Operator::Equal => value == operand,
            Operator::NotEqual => value != operand,
            Operator::Contains => value.contains(operand),
            Operator::BeginsWith => value.starts_with(operand),
            Operator::EndsWith => value.ends_with(operand),
            _ => false,
        },
        _ => false,
    }
}

fn compare_annotation(value: &Value, operator: Operator, operand: &Operand) -> bool {
    if operator == Operator::NotEqual {
        return !compare(value, Operator::Equal, operand);
    }
    compare(value, operator, operand)
}

/// A pattern is JSON too: what it has must be equal.
fn fits(pattern: &CausePattern, cause: &Value) -> bool {
    has(cause, &pattern.to_json())
}

fn has(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
            found.get(key).is_some_and(|found| has(found, wanted))
                // A service without an account has none to compare with.
                || (key == "AccountId" && *wanted == json!("") && !found.contains_key(key))
        }),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| has(found, wanted))
        }
        (Value::Number(found), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        _ => found == wanted,
    }
}
