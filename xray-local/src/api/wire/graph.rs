//! Services, edges, statistics and histograms.
//!
//! Members that are absent rather than null or zero are so in responses of the service: `Type` and `AccountId` when
//! there is none, `Root` when it is false, statistics of clients.

use serde_json::{Value, json};

use crate::model::{EdgeKind, NodeName, Time, limits};
use crate::query::{Edge, Graph, Histogram, Node, Statistics, TraceLink};

/// The services of a graph from position `from`, at most `limit`.
pub(in crate::api) fn graph_services(graph: &Graph, from: usize, limit: usize) -> Vec<Value> {
    let page = graph.nodes.iter().enumerate().skip(from).take(limit);
    page.map(|(reference, node)| service(graph, reference, node)).collect()
}

/// The links into a service, at most a hundred.
pub(in crate::api) fn graph_links(links: &[TraceLink], of: &NodeName) -> Vec<Value> {
    let own = links.iter().filter(|link| link.node == *of).take(limits::GRAPH_LINKS);
    own.map(|link| {
        let ids: Vec<String> = link.destinations.iter().map(ToString::to_string).collect();
        json!({
            "ReferenceType": limits::LINK_REFERENCE,
            "SourceTraceId": link.source.to_string(),
            "DestinationTraceIds": ids,
        })
    })
    .collect()
}

fn service(graph: &Graph, reference: usize, node: &Node) -> Value {
    let mut service = json!({
        "ReferenceId": reference,
        "Name": node.name.name,
        "Names": [node.name.name],
        "State": if node.active { "active" } else { "unknown" },
        "StartTime": floor(node.start),
        "EndTime": ceil(node.end),
        "Edges": node.edges.iter().map(|edge| edge_json(graph, edge)).collect::<Vec<_>>(),
    });
    put_kind_and_account(&mut service, &node.name);
    if node.root {
        service["Root"] = Value::from(true);
    }
    if let Some(statistics) = &node.statistics {
        service["SummaryStatistics"] = self::statistics(statistics);
        service["DurationHistogram"] = histogram(&node.durations);
        service["ResponseTimeHistogram"] = histogram(&node.responses);
    }
    service
}

fn edge_json(graph: &Graph, edge: &Edge) -> Value {
    let target = graph.nodes.get(edge.target);
    let aliases: Vec<Value> = edge
        .aliases
        .iter()
        .map(|alias| {
            let mut alias = json!({"Name": alias, "Names": [alias]});
            if let Some(kind) = target.map(|node| node.name.kind.as_str()).filter(|kind| !kind.is_empty()) {
                alias["Type"] = Value::from(kind);
            }
            alias
        })
        .collect();
    let mut json = json!({
        "ReferenceId": edge.target,
        "StartTime": floor(edge.start),
        "EndTime": ceil(edge.end),
        "SummaryStatistics": statistics(&edge.statistics),
        "Aliases": aliases,
    });
    match edge.kind {
        EdgeKind::Call => json["ResponseTimeHistogram"] = histogram(&edge.responses),
        EdgeKind::Link => {
            json["EdgeType"] = Value::from("link");
            json["ReceivedEventAgeHistogram"] = histogram(&edge.ages);
        }
    }
    json
}

/// `SummaryStatistics` of nodes and edges.
pub(in crate::api) fn statistics(statistics: &Statistics) -> Value {
    json!({
        "OkCount": statistics.ok,
        "ErrorStatistics": {
            "ThrottleCount": statistics.throttle,
            "OtherCount": statistics.error,
            "TotalCount": statistics.throttle + statistics.error,
        },
        "FaultStatistics": {"OtherCount": statistics.fault, "TotalCount": statistics.fault},
        "TotalCount": statistics.total(),
        "TotalResponseTime": statistics.total_time.rounded_seconds(),
    })
}

/// `ServiceForecastStatistics`.
pub(in crate::api) fn forecast((low, high): (u64, u64)) -> Value {
    json!({"FaultCountLow": low, "FaultCountHigh": high})
}

/// Seconds with counts. Beyond [`limits::EXACT_HISTOGRAM_VALUES`] distinct milliseconds, values have two digits.
pub(in crate::api) fn histogram(histogram: &Histogram) -> Value {
    let is_exact = histogram.counts.len() <= limits::EXACT_HISTOGRAM_VALUES;
    let mut merged: Vec<(i64, u64)> = Vec::with_capacity(histogram.counts.len());
    for (milliseconds, count) in &histogram.counts {
        let value = if is_exact { *milliseconds } else { two_digits(*milliseconds) };
        match merged.last_mut() {
            Some((last, sum)) if *last == value => *sum += count,
            _ => merged.push((value, *count)),
        }
    }
    merged
        .into_iter()
        .map(|(value, count)| json!({"Value": value as f64 / 1_000.0, "Count": count}))
        .collect()
}

fn two_digits(milliseconds: i64) -> i64 {
    let digits = milliseconds.unsigned_abs().checked_ilog10().unwrap_or(0);
    let unit = 10_i64.pow(digits.saturating_sub(1));
    (milliseconds + unit / 2) / unit * unit
}

/// Whole seconds, as the service states them in graphs: starts rounded down, ends rounded up.
pub(in crate::api) fn floor(time: Time) -> f64 {
    time.epoch_second() as f64
}

fn ceil(time: Time) -> f64 {
    -((-time.0).div_euclid(1_000_000)) as f64
}

/// `Type` and `AccountId`, which are absent when there is none.
pub(super) fn put_kind_and_account(value: &mut Value, name: &NodeName) {
    for (member, text) in [("Type", &name.kind), ("AccountId", &name.account)] {
        if !text.is_empty() {
            value[member] = Value::from(text.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_at_most_a_hundred_links_and_none_of_others() {
        let node = |name: &str| NodeName { name: name.to_owned(), ..NodeName::default() };
        let link = |number: u128, name: &str| TraceLink {
            node: node(name),
            source: number.into(),
            destinations: vec![(number + 1).into()],
        };
        let mut links: Vec<TraceLink> = (0..101).map(|number| link(number, "worker")).collect();
        links.push(link(500, "other"));
        assert_eq!(graph_links(&links, &node("worker")).len(), 100);
        let [only] = &graph_links(&links, &node("other"))[..] else { panic!("{links:?}") };
        assert_eq!(only["ReferenceType"], "parent");
        assert_eq!(graph_links(&links, &node("nobody")), [Value::Null; 0]);
    }

    #[test]
    fn many_values_are_merged_into_two_digits() {
        let exact = Histogram { counts: vec![(1, 5), (1_234, 1)] };
        assert_eq!(histogram(&exact), json!([{"Value": 0.001, "Count": 5}, {"Value": 1.234, "Count": 1}]));
        let many = Histogram { counts: (1..=1_000).map(|value| (value, 1)).collect() };
        let json = histogram(&many);
        let values = json.as_array().unwrap();
        assert!(values.len() < 200);
        assert_eq!(values.iter().map(|value| value["Count"].as_u64().unwrap()).sum::<u64>(), 1_000);
        assert_eq!(
            (two_digits(0), two_digits(7), two_digits(1_249), two_digits(1_250)),
            (0, 7, 1_200, 1_300)
        );
    }
}
