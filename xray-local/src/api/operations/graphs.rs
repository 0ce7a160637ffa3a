//! Service graphs, trace graphs, time series.
//!
//! Bounds of time ranges are checked here; what a graph holds is `query`'s. A graph is cut into pages by its nodes, whose
//! `ReferenceId` is the position in the whole graph.

use serde_json::{Value, json};

use crate::api::call::{Call, parse_ids, with_token};
use crate::api::error::ApiError;
use crate::api::wire;
use crate::control::groups::{self, GroupKey};
use crate::control::retrievals;
use crate::model::{Length, limits};
use crate::query::filter::Selector;
use crate::query::{self, Graph, Range, SeriesSearch};

pub(in crate::api) fn service(call: &Call) -> Result<Value, ApiError> {
    let (start, end) = call.range(limits::GRAPH_WINDOW_SECONDS, "6 hours")?;
    let group = group(call)?;
    let graph = call.read(|connection| query::service_graph(connection, Range::of_ids(start, end), group))?;
    let (services, next) = services(call, &graph)?;
    let answer = json!({
        "StartTime": graph.start.unwrap_or(start).epoch_second() as f64,
        "EndTime": end.seconds(),
        "Services": services,
        "ContainsOldGroupVersions": graph.old_group_versions,
    });
    Ok(with_token(answer, next))
}

pub(in crate::api) fn traces(call: &Call) -> Result<Value, ApiError> {
    let ids = call.trace_ids()?;
    let graph = call.read(|connection| query::trace_graph(connection, &ids))?;
    let (services, next) = services(call, &graph)?;
    Ok(with_token(json!({"Services": services}), next))
}

pub(in crate::api) fn retrieved(call: &Call) -> Result<Value, ApiError> {
    let token = call.needed("RetrievalToken");
    let retrieval = call.read(|connection| retrievals::find(connection, token, call.now))?;
    let mut ids = parse_ids(retrieval.trace_ids.iter().map(String::as_str))?;
    if retrieval.status != "COMPLETE" {
        ids.clear();
    }
    let graph = call.read(|connection| query::trace_graph(connection, &ids))?;
    let links = call.read(|connection| query::trace_links(connection, &ids))?;
    let (page, next) = call.page(limits::GRAPH_PAGE, |skip, limit| {
        let services = wire::graph_services(&graph, skip, limit).into_iter();
        let names = graph.nodes.iter().skip(skip).map(|node| &node.name);
        Ok(services.zip(names).map(|(service, name)| (service, wire::graph_links(&links, name))).collect())
    })?;
    let services: Vec<Value> =
        page.into_iter().map(|(service, links)| json!({"Service": service, "Links": links})).collect();
    Ok(with_token(json!({"RetrievalStatus": retrieval.status, "Services": services}), next))
}

pub(in crate::api) fn series(call: &Call) -> Result<Value, ApiError> {
    let (start, end) = call.range(limits::SUMMARIES_WINDOW_SECONDS, "24 hours")?;
    let group = group(call)?;
    let seconds = call.integer("Period").unwrap_or(limits::SERIES_PERIOD_SECONDS);
    if seconds <= 0 || seconds % 60 != 0 {
        return Err(ApiError::invalid(format!("Period is {seconds}, but must be a multiple of 60 seconds")));
    }
    let selector = match call.text("EntitySelectorExpression") {
        None => None,
        Some(text) => {
            let selector = Selector::parse(text);
            Some(
                selector
                    .map_err(|err| ApiError::invalid(format!("Invalid entity selector expression: {err}")))?,
            )
        }
    };
    let forecast = call.boolean("ForecastStatistics");
    if forecast && !selector.as_ref().is_some_and(Selector::is_id) {
        return Err(ApiError::invalid("ForecastStatistics needs an EntitySelectorExpression with id()"));
    }
    let period = Length(seconds * 1_000_000);
    let search = SeriesSearch { range: Range::of_ids(start, end), group, selector, period, forecast };
    let periods = call.read(|connection| query::series(connection, &search))?;
    let old_versions = call.read(|connection| match group {
        Some(_) => query::service_graph(connection, Range::of_ids(start, end), group)
            .map(|graph| graph.old_group_versions),
        None => Ok(false),
    })?;
    let (page, next) =
        call.page(limits::SERIES_PAGE, |skip, limit| Ok(periods.iter().skip(skip).take(limit).collect()))?;
    let series: Vec<Value> = page
        .into_iter()
        .map(|period| {
            let member = if period.of_service { "ServiceSummaryStatistics" } else { "EdgeSummaryStatistics" };
            let mut json = json!({
                "Timestamp": period.start.seconds(),
                member: wire::statistics(&period.statistics),
                "ResponseTimeHistogram": wire::histogram(&period.responses),
            });
            if let Some(forecast) = period.forecast {
                json["ServiceForecastStatistics"] = wire::forecast(forecast);
            }
            json
        })
        .collect();
    let answer = json!({"TimeSeriesServiceStatistics": series, "ContainsOldGroupVersions": old_versions});
    Ok(with_token(answer, next))
}

fn services(call: &Call, graph: &Graph) -> Result<(Vec<Value>, Option<String>), ApiError> {
    call.page(limits::GRAPH_PAGE, |skip, limit| Ok(wire::graph_services(graph, skip, limit)))
}

/// The number of the group that a request names, if it names one.
fn group(call: &Call) -> Result<Option<i64>, ApiError> {
    let (name, arn) = (call.text("GroupName"), call.text("GroupARN"));
    if name.is_none() && arn.is_none() {
        return Ok(None);
    }
    let key = GroupKey::of(name, arn)?;
    call.read(|connection| groups::find(connection, &key)).map(|group| Some(group.number))
}
