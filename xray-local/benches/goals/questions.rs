//! The questions of the goals: first pages of filters, the service graph, a series, and what the console asks.

use std::hint::black_box;
use std::time::{Duration, Instant};

use xray_local::model::{Length, Time, now};
use xray_local::query::filter::{Filter, Selector};
use xray_local::query::{
    Range, RangeKind, Search, SeriesSearch, blockers, chips, compare, graph_of, histogram, series,
    service_graph, summaries,
};
use xray_local::store::{Store, StoreError};

/// Expressions, from those with an index of their own to those that read everything.
const EXPRESSIONS: &[&str] = &[
    "",
    "ok",
    "fault",
    "fault AND error",
    "http.status = 500",
    "http.status >= 500",
    "responsetime > 0.41",
    "responsetime > 9",
    "user = \"user-77\"",
    "annotation.tenant = \"tenant-7\"",
    "annotation.tenant = \"tenant-7\" AND annotation.items > 38 AND fault",
    "annotation.nothing = 5",
    "service(\"payments\")",
    "service(\"payments\") { fault }",
    "service(\"payments\") { fault } AND !fault",
    "service(\"payments\") { responsetime > 0.2 AND fault }",
    "service(\"nobody\")",
    "!service(\"payments\")",
    "edge(\"orders\", \"payments\") { fault }",
    "edge(\"orders\", \"payments\") { error }",
    "rootcause.fault.service { name = \"payments\" }",
    "rootcause.responsetime.entity { last AND coverage > 0.99 }",
    "http.url CONTAINS \"/orders/777\"",
    "http.url CONTAINS \"nowhere\"",
    "http.url ENDSWITH \"nowhere\" AND fault",
    "http.url CONTAINS \"nowhere\" OR annotation.nothing",
    "service() { responsetime > 9 }",
    "http.useragent CONTAINS \"nothing\"",
    "http.clientip CONTAINS \"nothing\"",
    "user CONTAINS \"nobody\"",
    "annotation.tenant CONTAINS \"nobody\"",
    "annotation.tenant != \"tenant-7\" AND !annotation.tenant",
    "!user",
    "!http.url",
    "!duration > 0.001",
    "!edge(\"orders\", \"payments\")",
    "!service(\"shop\") { http.status >= 200 }",
    "!service(\"payments\") { responsetime > 0.001 }",
    "service(\"payments\") { responsetime < 0.001 }",
    "service(\"shop\") { http.url CONTAINS \"nowhere\" }",
    "service() { responsetime < 0.001 }",
    "!rootcause.responsetime.service { name = \"shop\" }",
];

/// How often each question is asked. Odd, for a median.
const RUNS: u32 = 5;

/// Asks each question several times, prints the median and the longest time, and the mean CPU time.
pub(super) fn ask(store: &Store) {
    let range = Range::of_ids(Time((now().seconds() * 1e6) as i64 - 7 * 3_600_000_000), now());
    for expression in EXPRESSIONS {
        let search = Search::new(range, Filter::parse(expression).expect("an expression"));
        time(&format!("first page of {expression:?}"), store, |connection| {
            let page = summaries(connection, &search)?;
            Ok(format!("{} found, {} looked at", page.summaries.len(), page.processed))
        });
    }
    for kind in [RangeKind::Event, RangeKind::Service] {
        let range = Range { start: Time(range.end.0 - 60_000_000), kind, ..range };
        let search = Search::new(range, Filter::parse("fault").expect("an expression"));
        time(&format!("first page of \"fault\" in a minute by {kind:?}"), store, |connection| {
            Ok(format!("{} found", summaries(connection, &search)?.summaries.len()))
        });
    }
    let minutes =
        Range { start: Time(now().0.div_euclid(60_000_000) * 60_000_000 - 6 * 3_600_000_000), ..range };
    for (name, range) in
        [("whole minutes", minutes), ("any second", Range { start: Time(minutes.start.0 + 17), ..range })]
    {
        time(&format!("service graph of six hours, {name}"), store, |connection| {
            let graph = service_graph(connection, range, None)?;
            let counted = graph
                .nodes
                .iter()
                .filter_map(|node| node.statistics)
                .map(|counts| counts.total())
                .sum::<u64>();
            Ok(format!("{} nodes, {counted} counted", graph.nodes.len()))
        });
    }
    for selector in [None, Some("service(id(name: \"payments\"))"), Some("service(\"payments\") { fault }")] {
        let search = SeriesSearch {
            range: minutes,
            group: None,
            selector: selector.map(|selector| Selector::parse(selector).expect("a selector")),
            period: Length(60_000_000),
            forecast: false,
        };
        time(&format!("series of minutes of {selector:?}"), store, |connection| {
            Ok(format!("{} periods", series(connection, &search)?.len()))
        });
    }
    console(store, range);
}

fn console(store: &Store, range: Range) {
    let search = |expression: &str| Search {
        limit: 2_000,
        ..Search::new(range, Filter::parse(expression).expect("an expression"))
    };
    let (all, none) = (search(""), search("http.url CONTAINS \"nowhere\" AND fault"));
    let slow = Filter::parse("responsetime > 0.4").expect("an expression");
    let slow = slow.expr().expect("a condition");
    time("map of 2,000 traces", store, |connection| {
        Ok(format!("{} nodes", graph_of(connection, &all)?.nodes.len()))
    });
    time("chips of 2,000 traces", store, |connection| {
        Ok(format!("{} chips", chips(connection, &all, 10)?.len()))
    });
    time("histogram of 2,000 traces", store, |connection| {
        Ok(format!("{} buckets", histogram(connection, &all, 40)?.buckets.len()))
    });
    time("slow traces against the rest, 2,000 each", store, |connection| {
        Ok(format!("{} differences", compare(connection, &all, slow)?.differences.len()))
    });
    time("which condition removed everything", store, |connection| {
        Ok(format!(
            "{:?}",
            blockers(connection, &none)?.iter().map(|blocker| blocker.alone).collect::<Vec<_>>()
        ))
    });
}

fn time(name: &str, store: &Store, question: impl Fn(&rusqlite::Connection) -> Result<String, StoreError>) {
    let mut times: Vec<Duration> = Vec::new();
    let mut found = String::new();
    let before = super::cpu_time();
    for _ in 0..RUNS {
        let begun = Instant::now();
        found = black_box(store.read(&question)).expect("an answer");
        times.push(begun.elapsed());
    }
    // On a machine with other work, the time that passes is not the time that a question takes.
    let cpu = (super::cpu_time() - before) / RUNS;
    times.sort_unstable();
    println!(
        "{:8.2} ms, at most {:8.2}, {:4.0} of CPU  {name}: {found}",
        milliseconds(times[times.len() / 2]),
        milliseconds(times[times.len() - 1]),
        milliseconds(cpu)
    );
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
