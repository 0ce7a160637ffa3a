//! Traces in and out: segments, telemetry, documents, summaries, retrievals.
//!
//! `PutTraceSegments` answers after its commit. Reading operations ask `query` and put its neutral types into the API's
//! JSON.

use serde_json::{Value, json};
use xray_sdk::TraceId;

use crate::api::call::{Call, parse_ids, with_token};
use crate::api::error::ApiError;
use crate::api::wire;
use crate::control::{retrievals, telemetry};
use crate::model::{Refused, TraceKey, limits};
use crate::query::filter::Filter;
use crate::query::{self, Range, RangeKind, Sample, Search};

pub(in crate::api) fn put_segments(call: &Call) -> Result<Value, ApiError> {
    let documents = call.texts("TraceSegmentDocuments");
    if call.limits().exceeded(documents.len(), limits::DOCUMENTS_PER_REQUEST) {
        let message = format!("Exceeding maximum segment count: {}", limits::DOCUMENTS_PER_REQUEST);
        return Err(ApiError::invalid(message));
    }
    let documents = documents.into_iter().map(String::into_bytes).collect();
    let verdicts = call.store().put_blocking(documents, call.door)?;
    let unprocessed: Vec<Value> = verdicts.iter().flatten().map(refused).collect();
    Ok(json!({"UnprocessedTraceSegments": unprocessed}))
}

fn refused(refused: &Refused) -> Value {
    let mut json = json!({"ErrorCode": refused.code, "Message": refused.message});
    if let Some(id) = &refused.id {
        json["Id"] = Value::from(id.as_str());
    }
    json
}

pub(in crate::api) fn put_telemetry(call: &Call) -> Result<Value, ApiError> {
    let sender = ["Hostname", "EC2InstanceId", "ResourceARN"].into_iter().find_map(|name| call.text(name));
    let sender = sender.unwrap_or_default().to_owned();
    let (records, now) = (call.list("TelemetryRecords").to_vec(), call.now);
    call.write(move |connection| telemetry::put(connection, &sender, &records, now))?;
    Ok(json!({}))
}

pub(in crate::api) fn batch_get_traces(call: &Call) -> Result<Value, ApiError> {
    // All traces of a request are one page, so no token can be right.
    let _: Option<u64> = call.position()?;
    let ids = call.trace_ids()?;
    let found = call.read(|connection| query::traces(connection, &ids))?;
    let traces: Vec<Value> = found
        .traces
        .iter()
        .map(|trace| {
            let segments =
                trace.segments.iter().map(|(id, document)| json!({"Id": id, "Document": document}));
            json!({
                "Id": trace.id.to_string(),
                "Duration": trace.duration.rounded_seconds(),
                "LimitExceeded": trace.limit_exceeded,
                "Segments": segments.collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(json!({"Traces": traces, "UnprocessedTraceIds": texts(&found.missing)}))
}

pub(in crate::api) fn summaries(call: &Call) -> Result<Value, ApiError> {
    let (start, end) = call.range(limits::SUMMARIES_WINDOW_SECONDS, "24 hours")?;
    let kind = match call.text("TimeRangeType") {
        Some("Event") => RangeKind::Event,
        Some("Service") => RangeKind::Service,
        _ => RangeKind::TraceId,
    };
    let filter = Filter::parse(call.text("FilterExpression").unwrap_or_default())
        .map_err(|err| ApiError::invalid(err.to_string()))?;
    let mut search = Search::new(Range { start, end, kind }, filter);
    search.sample = sample(call)?;
    search.before = call.position()?.map(TraceKey);
    let page = call.read(|connection| query::summaries(connection, &search))?;
    let answer = json!({
        "TraceSummaries": page.summaries.iter().map(wire::summary).collect::<Vec<_>>(),
        "ApproximateTime": page.approximate.seconds(),
        "TracesProcessedCount": page.processed,
    });
    Ok(with_token(answer, page.next.map(|key| call.token(key.0))))
}

fn sample(call: &Call) -> Result<Sample, ApiError> {
    if !call.boolean("Sampling") {
        return Ok(Sample::All);
    }
    let strategy = call.object("SamplingStrategy");
    let value = strategy.get("Value").and_then(Value::as_f64);
    match (strategy.get("Name").and_then(Value::as_str), value) {
        (Some("FixedRate"), Some(rate)) if (0.0..=1.0).contains(&rate) => Ok(Sample::FixedRate(rate)),
        (Some("FixedRate"), _) => {
            Err(ApiError::invalid("SamplingStrategy FixedRate must have a Value between 0 and 1"))
        }
        _ => Ok(Sample::PartialScan),
    }
}

pub(in crate::api) fn start_retrieval(call: &Call) -> Result<Value, ApiError> {
    let (start, end) = (call.time("StartTime"), call.time("EndTime"));
    if start > end {
        return Err(ApiError::invalid("StartTime must not be after EndTime"));
    }
    let ids = call.texts("TraceIds");
    parse_ids(ids.iter().map(String::as_str))?;
    let (token, now) = (call.token(call.now.0), call.now);
    let kept = token.clone();
    call.write(move |connection| retrievals::start(connection, &kept, &ids, now))?;
    Ok(json!({"RetrievalToken": token}))
}

pub(in crate::api) fn list_retrieved(call: &Call) -> Result<Value, ApiError> {
    if call.text("TraceFormat") == Some("OTEL") {
        return Err(ApiError::invalid("xray-local keeps segment documents; TraceFormat must be XRAY"));
    }
    let token = call.needed("RetrievalToken");
    let retrieval = call.read(|connection| retrievals::find(connection, token, call.now))?;
    let ids = parse_ids(retrieval.trace_ids.iter().map(String::as_str))?;
    let (page, next) = call.page(limits::RETRIEVAL_PAGE, |skip, limit| {
        let is_complete = retrieval.status == "COMPLETE";
        Ok(ids.iter().copied().filter(|_| is_complete).skip(skip).take(limit).collect::<Vec<TraceId>>())
    })?;
    let found = call.read(|connection| query::traces(connection, &page))?;
    let traces: Vec<Value> = found
        .traces
        .iter()
        .map(|trace| {
            let spans = trace.segments.iter().map(|(id, document)| json!({"Id": id, "Document": document}));
            json!({
                "Id": trace.id.to_string(),
                "Duration": trace.duration.rounded_seconds(),
                "Spans": spans.collect::<Vec<_>>(),
            })
        })
        .collect();
    let answer = json!({"RetrievalStatus": retrieval.status, "TraceFormat": "XRAY", "Traces": traces});
    Ok(with_token(answer, next))
}

pub(in crate::api) fn cancel_retrieval(call: &Call) -> Result<Value, ApiError> {
    let (token, now) = (call.needed("RetrievalToken").to_owned(), call.now);
    call.write(move |connection| retrievals::cancel(connection, &token, now))?;
    Ok(json!({}))
}

fn texts(ids: &[TraceId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
