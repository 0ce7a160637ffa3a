//! The root causes of a trace: its paths to what failed, or took the time.

use serde_json::{Value, json};

use super::documents::{Documents, end, node, text};
use super::{Cause, Element};
use crate::model::CauseKind;

/// A step of a root cause's path.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Span(usize),
    Inferred(usize),
}

fn below(read: &Documents, step: Step) -> Vec<Step> {
    let Step::Span(at) = step else { return Vec::new() };
    let mut below: Vec<Step> = read.spans[at].children.iter().map(|&child| Step::Span(child)).collect();
    let callees =
        read.tops.iter().filter(|&&top| !read.spans[top].nested && top != at && read.caller(top) == Some(at));
    below.extend(callees.map(|&top| Step::Span(top)));
    below.extend(read.inferred_from(at).map(|_| Step::Inferred(at)));
    below
}

pub(super) fn causes(read: &Documents, root: usize) -> Vec<Cause> {
    let flag = |at: usize, names: &[&str]| names.iter().any(|name| read.spans[at].json[*name] == json!(true));
    let mut causes = Vec::new();
    for (kind, names) in [(CauseKind::Fault, &["fault"][..]), (CauseKind::Error, &["error", "throttle"][..])]
    {
        if flag(root, names) {
            let mut paths = Vec::new();
            descend(read, vec![Step::Span(root)], &|at| flag(at, names), &mut paths);
            let mut found: Vec<Cause> = Vec::new();
            for path in paths {
                let cause = describe(read, kind, &path, None);
                if found.len() < 5 && !found.iter().any(|other| other.json == cause.json) {
                    found.push(cause);
                }
            }
            causes.extend(found);
        }
    }
    let length = |step: Step| {
        let (Step::Span(at) | Step::Inferred(at)) = step;
        let json = &read.spans[at].json;
        end(json)
            .map(|_| json["end_time"].as_f64().unwrap().max(json["start_time"].as_f64().unwrap()))
            .map(|end| end - json["start_time"].as_f64().unwrap())
    };
    if let Some(whole) = length(Step::Span(root)).filter(|whole| *whole > 0.0) {
        let mut path = vec![Step::Span(root)];
        loop {
            let mut longest: Option<(Step, f64)> = None;
            for step in below(read, path[path.len() - 1]) {
                if let Some(length) = length(step)
                    && longest.is_none_or(|(_, most)| length >= most)
                {
                    longest = Some((step, length));
                }
            }
            match longest {
                Some((step, length)) if length / whole >= 0.5 => path.push(step),
                _ => break,
            }
        }
        if path.len() > 1 {
            let shares = path
                .iter()
                .map(|&step| (length(step).unwrap_or(0.0) / whole).clamp(0.0, 1.0))
                .map(|share| (share * 1_000.0).round() / 1_000.0)
                .collect();
            causes.push(describe(read, CauseKind::ResponseTime, &path, Some(shares)));
        }
    }
    causes
}

fn descend(read: &Documents, path: Vec<Step>, flag: &dyn Fn(usize) -> bool, paths: &mut Vec<Vec<Step>>) {
    let has_flag = |step: &Step| match step {
        Step::Span(at) | Step::Inferred(at) => flag(*at),
    };
    let next: Vec<Step> = below(read, path[path.len() - 1]).into_iter().filter(has_flag).collect();
    for step in &next {
        let mut longer = path.clone();
        longer.push(*step);
        descend(read, longer, flag, paths);
    }
    if next.is_empty() {
        paths.push(path);
    }
}

fn describe(read: &Documents, kind: CauseKind, path: &[Step], shares: Option<Vec<f64>>) -> Cause {
    let mut cause =
        Cause { kind, services: Vec::new(), entities: Vec::new(), exceptions: Vec::new(), json: Value::Null };
    let mut services: Vec<Value> = Vec::new();
    for (number, &step) in path.iter().enumerate() {
        let (Step::Span(at) | Step::Inferred(at)) = step;
        let span = &read.spans[at];
        let is_inferred = matches!(step, Step::Inferred(_));
        let of = if is_inferred { read.inferred_from(at).unwrap() } else { &span.json };
        let begins = number == 0 || is_inferred || !span.nested;
        if begins {
            let (name, kind, account) = node(of);
            let mut element = Element::default();
            element.set("name", name.clone());
            if !kind.is_empty() {
                element.set("type", kind.clone());
            }
            element.set("inferred", is_inferred);
            element.set("root", number == 0);
            element.set("index", services.len() as f64);
            element.set("first", number == 0);
            if let Some(shares) = &shares {
                element.set("coverage", shares[number]);
            }
            cause.services.push(element);
            let mut json = json!({"Name": name, "Names": [name], "Type": kind, "Inferred": is_inferred});
            if !account.is_empty() {
                json["AccountId"] = json!(account);
            }
            json["EntityPath"] = json!([]);
            services.push(json);
        }
        let is_remote = !is_inferred
            && span.nested
            && ["aws", "remote"].contains(&text(&span.json, "namespace").as_str());
        let is_last = number + 1 == path.len();
        let service = services.last_mut().unwrap();
        let mut element = Element::default();
        element.set("name", text(of, "name"));
        element.set("remote", is_remote);
        element.set("inferred", service["Inferred"].clone());
        element.set("index", number as f64);
        element.set("first", number == 0);
        element.set("last", is_last);
        let mut entity = json!({"Name": text(of, "name"), "Remote": is_remote});
        match &shares {
            Some(shares) => {
                element.set("coverage", shares[number]);
                entity["Coverage"] = json!(shares[number]);
            }
            None => {
                let list = span.json["cause"]["exceptions"].as_array().filter(|_| is_last);
                let list = list.cloned().unwrap_or_default();
                for (position, exception) in list.iter().enumerate() {
                    let mut element = Element::default();
                    element.set("name", text(exception, "type"));
                    element.set("message", text(exception, "message"));
                    element.set("index", position as f64);
                    element.set("first", position == 0);
                    element.set("last", position + 1 == list.len());
                    cause.exceptions.push(element);
                }
                let described = list
                    .iter()
                    .map(|exception| json!({"Name": exception["type"], "Message": exception["message"]}));
                entity["Exceptions"] = described.collect();
            }
        }
        cause.entities.push(element);
        service["EntityPath"].as_array_mut().unwrap().push(entity);
    }
    let count = cause.services.len();
    for (number, element) in cause.services.iter_mut().enumerate() {
        element.set("last", number + 1 == count);
    }
    cause.json = json!({"ClientImpacting": true, "Services": services});
    cause
}
