//! Documents of a small shop, for a first look: what a console has to show when nothing has been sent yet.
//!
//! ```text
//!  client ─► web ─► orders ─► games (DynamoDB), orders@db (SQL), payments ─► bank.example (remote)
//!                   orders ─► shipping (SQS) ┄link┄► worker ─► resize (Lambda pair) ─► S3
//!             web ─► search ─► 2,000 subsegments, once
//! ```
//!
//! Some requests have faults, some are throttled, and one document is refused. Everything follows from a seed, so two
//! demos of one seed differ in time alone.

use serde_json::{Value, json};
use xray_sdk::TraceId;

use crate::model::Time;

/// Makes documents. Ids and lengths come from a small generator: nothing here needs to be unguessable.
#[derive(Debug)]
struct Shop {
    state: u64,
    documents: Vec<String>,
}

/// The documents of `count` requests, spread over the ten minutes before `now`, and of one large trace.
#[must_use]
pub fn documents(now: Time, count: usize, seed: u64) -> Vec<String> {
    let mut shop = Shop { state: seed ^ 0x9e37_79b9_7f4a_7c15, documents: Vec::new() };
    for number in 0..count {
        let ago = 600.0 * (count - number) as f64 / count.max(1) as f64;
        shop.request(now.seconds() - ago, number);
    }
    shop.large(now.seconds() - 30.0);
    // One that X-Ray refuses: a name with a character that it does not take.
    let refused = json!({"name": "web?", "id": shop.id(), "trace_id": shop.trace(now.seconds()),
                         "start_time": now.seconds() - 1.0, "end_time": now.seconds()});
    shop.push(&refused);
    shop.documents
}

impl Shop {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn id(&mut self) -> String {
        format!("{:016x}", self.next())
    }

    fn trace(&mut self, start: f64) -> String {
        let random = u128::from(self.next()) << 32 | u128::from(self.next() as u32);
        TraceId::from((start as u128) << 96 | random).to_string()
    }

    /// A length around a middle, in seconds: most are close, some are long.
    fn length(&mut self, middle: f64) -> f64 {
        let spread = (self.next() % 1_000) as f64 / 1_000.0;
        middle * (0.6 + 0.8 * spread + if spread > 0.97 { 3.0 } else { 0.0 })
    }

    fn push(&mut self, document: &Value) {
        self.documents.push(document.to_string());
    }

    /// One request to the web shop and what follows from it.
    fn request(&mut self, start: f64, number: usize) {
        let trace = self.trace(start);
        let (fault, throttle, missing) = (number % 17 == 5, number % 23 == 7, number % 11 == 3);
        let (web, call) = (self.id(), self.id());
        let length = self.length(0.12);
        let status = if fault {
            502
        } else if missing {
            404
        } else {
            200
        };
        let at = |share: f64| start + length * share;
        let document = json!({
            "name": "web", "id": web, "trace_id": trace, "origin": "AWS::ECS::Container",
            "start_time": start, "end_time": at(1.0), "fault": fault, "error": missing,
            "user": format!("user-{}", number % 7),
            "http": {"request": {"method": if number.is_multiple_of(3) { "POST" } else { "GET" },
                                 "url": format!("https://shop.example/orders/{}", number % 40),
                                 "client_ip": format!("203.0.113.{}", number % 90), "user_agent": "Mozilla/5.0 (demo)"},
                     "response": {"status": status}},
            "annotations": {"tenant": TENANTS[number % TENANTS.len()], "cart_items": number % 9,
                            "returning": number.is_multiple_of(2)},
            "subsegments": [
                {"id": self.id(), "name": "authenticate", "start_time": at(0.02), "end_time": at(0.1)},
                {"id": call, "name": "orders.internal", "namespace": "remote", "fault": fault, "error": missing,
                 "start_time": at(0.12), "end_time": at(0.97),
                 "http": {"request": {"method": "GET", "url": "http://orders.internal/v1/orders"},
                          "response": {"status": status}}},
            ],
        });
        self.push(&document);
        self.orders(&trace, &call, start + length * 0.14, length * 0.8, fault, throttle, missing);
    }

    #[expect(clippy::too_many_arguments, reason = "one request's fate")]
    fn orders(
        &mut self,
        trace: &str,
        caller: &str,
        start: f64,
        length: f64,
        fault: bool,
        throttle: bool,
        missing: bool,
    ) {
        let at = |share: f64| start + length * share;
        let (orders, payment, send) = (self.id(), self.id(), self.id());
        let exception = self.id();
        let cause = fault.then(|| {
            json!({"exceptions": [{"id": exception, "type": "BankUnavailable", "message": "no answer within 50 ms",
                                   "stack": [{"path": "payments/bank.rs", "line": 42, "label": "charge"}]}]})
        });
        let mut payments = json!({"id": payment, "name": "payments", "namespace": "remote", "start_time": at(0.45),
                                  "end_time": at(0.85), "fault": fault});
        if let (Some(cause), Some(object)) = (cause, payments.as_object_mut()) {
            object.insert("cause".to_owned(), cause);
        }
        let document = json!({
            "name": "orders", "id": orders, "trace_id": trace, "parent_id": caller, "origin": "AWS::EC2::Instance",
            "start_time": start, "end_time": at(1.0), "fault": fault, "error": missing,
            "aws": {"ec2": {"instance_id": "i-0demo0000000001", "availability_zone": "us-east-1a"}},
            "http": {"request": {"method": "GET", "url": "http://orders.internal/v1/orders"},
                     "response": {"status": if fault { 502 } else if missing { 404 } else { 200 }}},
            "subsegments": [
                {"id": self.id(), "name": "DynamoDB", "namespace": "aws", "start_time": at(0.05), "end_time": at(0.2),
                 "throttle": throttle, "error": throttle,
                 "aws": {"operation": "GetItem", "table_name": "games", "region": "us-east-1"}},
                {"id": self.id(), "name": "orders@db", "namespace": "remote", "start_time": at(0.2), "end_time": at(0.42),
                 "sql": {"sanitized_query": "SELECT * FROM orders WHERE id = $1", "database_type": "PostgreSQL"}},
                payments,
                {"id": send, "name": "SQS", "namespace": "aws", "start_time": at(0.86), "end_time": at(0.95),
                 "aws": {"operation": "SendMessage",
                         "queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/shipping"}},
            ],
        });
        self.push(&document);
        self.payments(trace, &payment, at(0.47), length * 0.36, fault);
        if !fault && !missing {
            self.worker(trace, &send, at(1.2));
        }
    }

    fn payments(&mut self, trace: &str, caller: &str, start: f64, length: f64, fault: bool) {
        let document = json!({
            "name": "payments", "id": self.id(), "trace_id": trace, "parent_id": caller,
            "origin": "AWS::ECS::Container", "start_time": start, "end_time": start + length, "fault": fault,
            "subsegments": [{"id": self.id(), "name": "bank.example", "namespace": "remote", "fault": fault,
                             "start_time": start + length * 0.1, "end_time": start + length * 0.9,
                             "http": {"request": {"method": "POST", "url": "https://bank.example/charge"},
                                      "response": {"status": if fault { 503 } else { 200 }}}}],
        });
        self.push(&document);
    }

    /// A worker that takes the message, in a trace of its own with a link, and calls a Lambda function.
    fn worker(&mut self, sender: &str, send: &str, start: f64) {
        let trace = self.trace(start);
        let (worker, invoke, lambda, function) = (self.id(), self.id(), self.id(), self.id());
        let length = self.length(0.3);
        let at = |share: f64| start + length * share;
        self.push(&json!({
            "name": "worker", "id": worker, "trace_id": trace, "origin": "AWS::ECS::Container",
            "start_time": start, "end_time": at(1.0), "links": [{"trace_id": sender, "id": send, "attributes": {}}],
            "subsegments": [{"id": invoke, "name": "Lambda", "namespace": "aws", "start_time": at(0.05),
                             "end_time": at(0.95), "aws": {"operation": "Invoke", "function_name": "resize"}}],
        }));
        self.push(&json!({
            "name": "resize", "id": lambda, "trace_id": trace, "parent_id": invoke, "origin": "AWS::Lambda",
            "start_time": at(0.1), "end_time": at(0.9), "http": {"response": {"status": 200}},
        }));
        let bucket = self.id();
        self.push(&json!({
            "name": "resize", "id": function, "trace_id": trace, "parent_id": lambda, "origin": "AWS::Lambda::Function",
            "resource_arn": "arn:aws:lambda:us-east-1:123456789012:function:resize",
            "start_time": at(0.12), "end_time": at(0.88),
            "subsegments": [{"id": bucket, "name": "S3", "namespace": "aws", "start_time": at(0.5),
                             "end_time": at(0.8), "aws": {"operation": "PutObject", "bucket_name": "pictures"}}],
        }));
    }

    /// A trace of 2,000 subsegments, sent in pieces as an SDK streams them.
    fn large(&mut self, start: f64) {
        let trace = self.trace(start);
        let root = self.id();
        for piece in 0..PIECES {
            let parent = self.id();
            let (first, step) = (start + piece as f64 * 0.4, 0.4 / ROWS as f64);
            let rows: Vec<Value> = (0..ROWS)
                .map(|row| {
                    let begin = first + row as f64 * step;
                    json!({"id": self.id(), "name": format!("rank {}", row % 10), "start_time": begin,
                           "end_time": begin + step * 0.9})
                })
                .collect();
            self.push(&json!({
                "name": format!("shard {piece}"), "type": "subsegment", "id": parent, "trace_id": trace,
                "parent_id": root, "start_time": first, "end_time": first + 0.4, "subsegments": rows,
            }));
        }
        self.push(&json!({
            "name": "search", "id": root, "trace_id": trace, "origin": "AWS::ECS::Container",
            "start_time": start, "end_time": start + PIECES as f64 * 0.4,
            "http": {"request": {"method": "GET", "url": "https://shop.example/search?q=chess"},
                     "response": {"status": 200}},
        }));
    }
}

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

/// Pieces of the large trace, and subsegments of each.
const PIECES: usize = 10;
const ROWS: usize = 199;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ingest;

    #[test]
    fn all_but_one_document_are_accepted() {
        let documents = documents(Time::from_seconds(1_700_000_000.0), 60, 7);
        let refused: Vec<_> =
            documents.iter().filter_map(|text| ingest::accept(text.as_bytes()).err()).collect();
        assert_eq!(refused.iter().map(|refused| refused.code).collect::<Vec<_>>(), ["InvalidName"]);
        let ids: BTreeSet<_> =
            documents.iter().filter_map(|text| ingest::trace_id(text.as_bytes())).collect();
        assert!(ids.len() > 60, "{}", ids.len());
    }

    #[test]
    fn documents_of_one_seed_are_equal() {
        let at = Time::from_seconds(1_700_000_000.0);
        assert_eq!(documents(at, 5, 1), documents(at, 5, 1));
        assert_ne!(documents(at, 5, 1), documents(at, 5, 2));
    }
}
