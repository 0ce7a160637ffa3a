//! Generated traces and generated expressions: the store and the naive evaluator find the same traces.

use std::collections::BTreeSet;

use serde_json::Value;
use xray_sdk::TraceId;

use super::documents::{Traffic, VOCABULARY, trace_id};
use super::oracle::Facts;
use super::support::{put, store_with_groups};
use crate::model::TraceKey;
use crate::query::filter::Filter;
use crate::query::filter::keyword::Scope;
use crate::query::filter::tests::generate::Random;
use crate::query::search::{Pace, find_at};
use crate::query::{Range, Search, traces};

/// Groups with the names that the vocabulary has.
const GROUPS: [(&str, &str); 3] =
    [("api", "service(\"api\") { fault }"), ("shop", "responsetime > 0.25"), ("all", "")];

fn agree(seed: u64, trace_count: u32, filters: usize) {
    let mut random = Random(seed);
    let store = store_with_groups(&GROUPS);
    for number in 1..=trace_count {
        put(&store, &Traffic::documents(&mut random, number));
    }
    let facts: Vec<Facts> = (1..=trace_count)
        .map(|number| {
            let id: TraceId = trace_id(number).parse().unwrap();
            let found = store.read(|connection| traces(connection, &[id])).unwrap();
            let documents: Vec<Value> = found.traces[0]
                .segments
                .iter()
                .map(|(_, json)| serde_json::from_str(json).unwrap())
                .collect();
            let mut facts = Facts::of(&documents);
            for (name, expression) in GROUPS {
                let filter = Filter::parse(expression).unwrap();
                if filter.expr().is_none_or(|expr| facts.satisfy(expr)) {
                    facts.join_group(name);
                }
            }
            facts
        })
        .collect();
    let pace = Pace {
        first: 3,
        largest: 20,
        subtracted: 10,
        most_shapes: 40,
        steps_before_keys: 1,
        steps_before_seek: 1,
        most_candidates: 60,
        few_candidates: 4,
    };
    let mut found_some = 0;
    for _ in 0..filters {
        let expr = VOCABULARY.expression(&mut random, Scope::Trace, 3);
        let expected: BTreeSet<u32> =
            (1..=trace_count).filter(|number| facts[*number as usize - 1].satisfy(&expr)).collect();
        let search =
            Search { limit: 1 + random.below(50), ..Search::new(Range::ALL, Filter::from(expr.clone())) };
        let mut found: Vec<TraceKey> = Vec::new();
        let mut next = None;
        loop {
            let search = Search { before: next, ..search.clone() };
            let page = store.read(|connection| find_at(connection, &search, &pace)).unwrap();
            found.extend(&page.keys);
            next = page.next;
            if next.is_none() {
                break;
            }
            assert_eq!(page.keys.len(), search.limit);
        }
        assert!(found.is_sorted_by(|a, b| a > b), "newest first: {expr}");
        let found: BTreeSet<u32> = found.iter().map(|key| (key.0 & 0x7fff_ffff) as u32).collect();
        assert_eq!(found, expected, "{expr}");
        found_some += usize::from(!expected.is_empty() && expected.len() < trace_count as usize);
    }
    // Expressions that find all or nothing show little.
    assert!(found_some * 3 > filters, "{found_some} of {filters}");
}

#[test]
fn the_store_and_the_naive_evaluator_find_the_same_traces() {
    agree(1, 120, 400);
    agree(2, 30, 400);
}
