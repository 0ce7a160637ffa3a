//! Random expressions from a vocabulary, the same for the same seed.

use crate::model::CauseKind;
use crate::query::filter::keyword::{Keyword, Kind, Scope};
use crate::query::filter::{
    CauseLevel, CausePattern, EntityPattern, ExceptionPattern, Expr, NodeSelector, Operator, Predicate,
    ServicePattern, Subject, Value,
};

/// A generator of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub(in crate::query) struct Random(pub(in crate::query) u64);

impl Random {
    pub(in crate::query) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`.
    pub(in crate::query) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// True once in `times`.
    pub(in crate::query) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(in crate::query) fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// The words that expressions are made of.
pub(in crate::query) struct Vocabulary<'a> {
    pub(in crate::query) names: &'a [&'a str],
    pub(in crate::query) types: &'a [&'a str],
    pub(in crate::query) accounts: &'a [&'a str],
    pub(in crate::query) keys: &'a [&'a str],
    pub(in crate::query) strings: &'a [&'a str],
    pub(in crate::query) numbers: &'a [f64],
}

impl Vocabulary<'_> {
    pub(in crate::query) fn expression(&self, random: &mut Random, scope: Scope, depth: usize) -> Expr {
        match random.below(8) {
            0 | 1 if depth > 0 => {
                let left = self.expression(random, scope, depth - 1);
                left.and(self.expression(random, scope, depth - 1))
            }
            2 if depth > 0 => {
                let left = self.expression(random, scope, depth - 1);
                left.or(self.expression(random, scope, depth - 1))
            }
            3 if depth > 0 => self.expression(random, scope, depth - 1).negated(),
            _ => Expr::Test(self.predicate(random, scope, depth)),
        }
    }

    fn predicate(&self, random: &mut Random, scope: Scope, depth: usize) -> Predicate {
        let keywords: Vec<&Keyword> = Keyword::within(scope).collect();
        let keyword = random.pick(&keywords);
        let inner =
            |random: &mut Random, scope| Box::new(self.expression(random, scope, depth.saturating_sub(1)));
        match keyword.kind {
            Kind::Service => {
                let node = self.node(random);
                let expr = (!random.once_in(3)).then(|| inner(random, Scope::Service));
                Predicate::Service(node, expr)
            }
            Kind::Edge => {
                let (from, to) = (self.node(random), self.node(random));
                let expr = (!random.once_in(3)).then(|| inner(random, Scope::Edge));
                Predicate::Edge(from, to, expr)
            }
            Kind::Cause(kind, level) => {
                Predicate::RootCause(kind, level, inner(random, Scope::Cause(kind, level)))
            }
            Kind::CauseJson => {
                Predicate::RootCauseJson((0..=random.below(2)).map(|_| self.pattern(random)).collect())
            }
            Kind::Annotation => {
                let subject = Subject::Annotation(random.pick(self.keys).to_owned());
                self.comparison(random, subject, Kind::Annotation)
            }
            kind => self.comparison(random, Subject::Field(keyword.field), kind),
        }
    }

    fn comparison(&self, random: &mut Random, subject: Subject, kind: Kind) -> Predicate {
        if random.once_in(3) {
            return Predicate::Set(subject);
        }
        let operator = kind.operators()[random.below(kind.operators().len())];
        let number = Value::Number(self.numbers[random.below(self.numbers.len())]);
        let all: Vec<&str> = [self.names, self.types, self.strings].concat();
        let mut string = random.pick(&all).to_owned();
        if random.once_in(3) {
            // A part of the string, on the bounds of characters.
            let chars: Vec<char> = string.chars().collect();
            let from = random.below(chars.len() + 1);
            let to = from + random.below(chars.len() - from + 1);
            string = chars[from..to].iter().collect();
        }
        let value = match kind {
            Kind::Flag => Value::Bool(random.once_in(2)),
            Kind::Number => number,
            Kind::Annotation => match operator {
                Operator::Equal | Operator::NotEqual => match random.below(4) {
                    0 => Value::Bool(random.once_in(2)),
                    1 => Value::String(string),
                    _ => number,
                },
                Operator::Contains | Operator::BeginsWith | Operator::EndsWith => Value::String(string),
                _ => number,
            },
            _ => Value::String(string),
        };
        Predicate::Compare(subject, operator, value)
    }

    fn node(&self, random: &mut Random) -> NodeSelector {
        let mut part = |list: &[&str], times| random.once_in(times).then(|| random.pick(list).to_owned());
        NodeSelector {
            kind: part(self.types, 4),
            account: part(self.accounts, 12),
            name: part(self.names, 1),
        }
        .without_name_in(random.once_in(4))
    }

    fn pattern(&self, random: &mut Random) -> CausePattern {
        let services = random.below(3) + 1;
        CausePattern {
            client_impacting: random.once_in(6).then(|| random.once_in(3)),
            services: (!random.once_in(8)).then(|| (0..services).map(|_| self.service(random)).collect()),
        }
    }

    fn service(&self, random: &mut Random) -> ServicePattern {
        let name = random.once_in(2).then(|| random.pick(self.names).to_owned());
        let entities = random.below(3) + 1;
        ServicePattern {
            names: (random.once_in(8)).then(|| vec![random.pick(self.names).to_owned()]),
            name,
            kind: random.once_in(4).then(|| random.pick(self.types).to_owned()),
            account: random.once_in(12).then(|| random.pick(self.accounts).to_owned()),
            inferred: random.once_in(4).then(|| random.once_in(2)),
            entities: random.once_in(2).then(|| (0..entities).map(|_| self.entity(random)).collect()),
        }
    }

    fn entity(&self, random: &mut Random) -> EntityPattern {
        EntityPattern {
            name: random.once_in(2).then(|| random.pick(self.names).to_owned()),
            remote: random.once_in(4).then(|| random.once_in(2)),
            coverage: random.once_in(12).then_some(1.0),
            exceptions: random.once_in(4).then(|| {
                (0..random.below(3))
                    .map(|_| ExceptionPattern {
                        name: random.once_in(2).then(|| random.pick(self.strings).to_owned()),
                        message: random.once_in(3).then(|| random.pick(self.strings).to_owned()),
                    })
                    .collect()
            }),
        }
    }
}

impl NodeSelector {
    fn without_name_in(mut self, without: bool) -> Self {
        if without {
            self.name = None;
        }
        self
    }
}

/// Every kind of root cause with every level that it has.
#[test]
fn the_generator_reaches_every_keyword() {
    let vocabulary = Vocabulary {
        names: &["a"],
        types: &["T"],
        accounts: &["1"],
        keys: &["k"],
        strings: &["s"],
        numbers: &[1.0],
    };
    let mut random = Random(1);
    let written: String =
        (0..2_000).map(|_| vocabulary.expression(&mut random, Scope::Trace, 3).to_string() + "\n").collect();
    for keyword in Keyword::all() {
        let name = if keyword.kind == Kind::Annotation { "annotation.k" } else { keyword.name };
        assert!(written.contains(name), "{name}");
    }
    let _ = (CauseKind::Fault, CauseLevel::Service);
}
