//! Random traces, the same for the same seed: segments that call each other, independent and orphaned subsegments,
//! faults with exceptions, every kind of value.

use serde_json::{Value, json};

use super::support::START;
use crate::query::filter::tests::generate::{Random, Vocabulary};

pub(super) const NAMES: [&str; 6] = ["api", "shop", "db", "Ünï: cödé", "worker", "DynamoDB"];
pub(super) const TYPES: [&str; 5] =
    ["AWS::Lambda", "AWS::Lambda::Function", "AWS::DynamoDB::Table", "remote", "client"];
pub(super) const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
pub(super) const KEYS: [&str; 4] = ["game", "age", "aws:api_id", "dotted.key"];
pub(super) const STRINGS: [&str; 13] = [
    "https://shop.example.com/api/game/1",
    "GET",
    "POST",
    "curl/8.1 \"quoted\" \\back",
    "203.0.113.7",
    "alice",
    "eu-west-1a",
    "i-0b22a22eec53b9321",
    "Timeout",
    "all",
    "https://shop.example.com/Straße?q=100%25_\"*'%_",
    "HTTPS://SHOP.EXAMPLE.COM/ünï/游戏/🦀",
    "a%b_c",
];
/// URLs that a pattern language or a change of case would confuse.
const URLS: [&str; 6] =
    [STRINGS[0], STRINGS[10], STRINGS[11], STRINGS[12], "https://shop.example.com/API/Game/1", "/"];
pub(super) const NUMBERS: [f64; 10] = [0.0, 1.0, 5.0, 0.25, 200.0, 404.0, 500.0, 0.001, 0.5, 0.75];

pub(super) const VOCABULARY: Vocabulary<'static> = Vocabulary {
    names: &NAMES,
    types: &TYPES,
    accounts: &ACCOUNTS,
    keys: &KEYS,
    strings: &STRINGS,
    numbers: &NUMBERS,
};

/// The id of a trace. Traces come in four minutes, in no order of their numbers.
pub(super) fn trace_id(number: u32) -> String {
    format!("1-{:08x}-{number:024x}", START as u32 + number * 7 % 4 * 60)
}

/// Makes the documents of one trace.
pub(super) struct Traffic<'r> {
    pub(super) random: &'r mut Random,
    number: u32,
    documents: Vec<Value>,
    next_id: u64,
}

impl<'r> Traffic<'r> {
    pub(super) fn documents(random: &'r mut Random, number: u32) -> Vec<Value> {
        let mut traffic = Traffic { random, number, documents: Vec::new(), next_id: u64::from(number) << 20 };
        let start = START + traffic.time();
        traffic.segment(None, start, 3);
        if traffic.random.once_in(6) {
            let missing = Some(format!("{:016x}", 7));
            let start = START + traffic.time();
            traffic.segment(missing, start, 1);
        }
        if traffic.random.once_in(8) {
            let mut orphan = traffic.subsegment(START, 0, "");
            orphan["parent_id"] = json!(format!("{:016x}", 9));
            traffic.send_alone(orphan);
        }
        // Documents arrive in any order.
        let count = traffic.documents.len();
        for at in 0..count {
            let other = traffic.random.below(count);
            traffic.documents.swap(at, other);
        }
        traffic.documents
    }

    fn id(&mut self) -> String {
        self.next_id += 1;
        format!("{:016x}", self.next_id)
    }

    /// Up to a second, often a round number of milliseconds.
    fn time(&mut self) -> f64 {
        match self.random.below(3) {
            0 => self.random.below(1_000_000) as f64 / 1e6,
            1 => self.random.below(20) as f64 * 0.05,
            _ => self.random.below(1_000) as f64 / 1e3,
        }
    }

    fn segment(&mut self, parent: Option<String>, start: f64, depth: usize) {
        let id = self.id();
        let mut document = self.common(&id, start);
        document["trace_id"] = json!(trace_id(self.number));
        if let Some(parent) = parent {
            document["parent_id"] = json!(parent);
        }
        if self.random.once_in(2) {
            document["origin"] = json!(self.random.pick(&TYPES[..3]));
        }
        if self.random.once_in(3) {
            document["user"] = json!(self.random.pick(&["alice", "bob", ""]));
        }
        if self.random.once_in(4) {
            document["resource_arn"] = json!(self.random.pick(&STRINGS));
        }
        if self.random.once_in(3) {
            let mut aws = json!({});
            if self.random.once_in(2) {
                aws["ec2"] = json!({"availability_zone": "eu-west-1a", "instance_id": "i-0b22a22eec53b9321"});
            }
            if self.random.once_in(3) {
                aws["ecs"] = json!({"availability_zone": "eu-west-1b"});
            }
            if self.random.once_in(3) {
                aws["account_id"] = json!(self.random.pick(&ACCOUNTS));
            }
            document["aws"] = aws;
        }
        let children = self.random.below(4);
        let nested: Vec<Value> = (0..children)
            .map(|_| self.subsegment(start, depth, &id))
            .filter(|child| !child.is_null())
            .collect();
        if !nested.is_empty() {
            document["subsegments"] = json!(nested);
        }
        self.documents.push(document);
    }

    /// A subsegment, or null if it was sent on its own.
    fn subsegment(&mut self, start: f64, depth: usize, parent: &str) -> Value {
        let id = self.id();
        let start = start + self.time() / 2.0;
        let mut document = self.common(&id, start);
        if self.random.once_in(2) {
            document["namespace"] = json!(self.random.pick(&["aws", "remote", "local"]));
            if self.random.once_in(3) {
                document["aws"] = json!({"table_name": self.random.pick(&NAMES)});
            }
            if self.random.once_in(6) {
                document["sql"] = json!({"url": "x"});
            }
            if self.random.once_in(8) {
                document["traced"] = json!(true);
            }
            if depth > 0 && self.random.once_in(2) {
                let start = start + self.time() / 10.0;
                self.segment(Some(id.clone()), start, depth - 1);
            }
        }
        if depth > 0 && self.random.once_in(3) {
            let child = self.subsegment(start, depth - 1, &id);
            if !child.is_null() {
                document["subsegments"] = json!([child]);
            }
        }
        if !parent.is_empty() && self.random.once_in(6) {
            document["parent_id"] = json!(parent);
            self.send_alone(document);
            return Value::Null;
        }
        document
    }

    fn send_alone(&mut self, mut document: Value) {
        document["type"] = json!("subsegment");
        document["trace_id"] = json!(trace_id(self.number));
        self.documents.push(document);
    }

    fn common(&mut self, id: &str, start: f64) -> Value {
        let mut document = json!({"id": id, "name": self.random.pick(&NAMES), "start_time": start});
        if self.random.once_in(12) {
            document["in_progress"] = json!(true);
        } else {
            document["end_time"] = json!(start + self.time());
        }
        for flag in ["error", "throttle", "fault"] {
            if self.random.once_in(4) {
                document[flag] = json!(true);
            }
        }
        if self.random.once_in(3) {
            let exceptions: Vec<Value> = (0..=self.random.below(3))
                .map(|_| {
                    let id = self.id();
                    json!({"id": id, "type": self.random.pick(&STRINGS), "message": self.random.pick(&STRINGS)})
                })
                .collect();
            document["cause"] = json!({ "exceptions": exceptions });
        }
        if self.random.once_in(2) {
            let mut annotations = json!({});
            for key in KEYS {
                if self.random.once_in(3) {
                    annotations[key] = match self.random.below(3) {
                        0 => json!(self.random.once_in(2)),
                        1 => json!(NUMBERS[self.random.below(NUMBERS.len())]),
                        _ => json!(self.random.pick(&STRINGS)),
                    };
                }
            }
            document["annotations"] = annotations;
        }
        if self.random.once_in(2) {
            let mut http = json!({});
            if self.random.once_in(2) {
                http["request"] = json!({
                    "url": self.random.pick(&URLS), "method": self.random.pick(&["GET", "POST"]),
                    "user_agent": STRINGS[3], "client_ip": STRINGS[4],
                });
            }
            if self.random.once_in(2) {
                http["response"] = json!({"status": self.random.pick(&[&200, &404, &500])});
            }
            document["http"] = http;
        }
        document
    }
}
