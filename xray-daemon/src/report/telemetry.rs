//! `PutTelemetryRecords`: what the daemon did in each minute, for X-Ray.
//!
//! Meanings are those of AWS's daemon, with two differences: connection errors are counted, and the last record is
//! sent after the last upload, so that it counts it. Nothing is sent before the first datagram has come.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use log::{debug, warn};
use serde::Serialize;

use super::host::Host;
use crate::aws::{Call, CallError, Reply};
use crate::counters::{CallErrors, Counters, Counts};

/// Cuts and sends records.
#[derive(Debug)]
pub struct Telemetry<C> {
    client: C,
    counters: Arc<Counters>,
    host: Host,
    records: VecDeque<TelemetryRecord>,
    /// The counters at the last cut.
    last: Counts,
    is_denied: bool,
}

/// The counts of one interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TelemetryRecord {
    timestamp: f64,
    segments_received_count: u64,
    segments_sent_count: u64,
    segments_spillover_count: u64,
    segments_rejected_count: u64,
    backend_connection_errors: BackendConnectionErrors,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct BackendConnectionErrors {
    #[serde(rename = "HTTPCode4XXCount")]
    http_4xx: u64,
    #[serde(rename = "HTTPCode5XXCount")]
    http_5xx: u64,
    connection_refused_count: u64,
    other_count: u64,
    timeout_count: u64,
    unknown_host_count: u64,
}

#[derive(Serialize)]
struct Request<'a> {
    #[serde(rename = "EC2InstanceId")]
    instance_id: &'a str,
    #[serde(rename = "Hostname")]
    name: &'a str,
    #[serde(rename = "ResourceARN")]
    resource_arn: &'a str,
    #[serde(rename = "TelemetryRecords")]
    records: &'a [TelemetryRecord],
}

/// The time between two records.
pub const INTERVAL: Duration = Duration::from_secs(60);

/// Records that are kept for when X-Ray can be reached again.
const KEPT: usize = 30;

/// Records in one call.
const IN_A_CALL: usize = 10;

impl<C: Call> Telemetry<C> {
    /// Telemetry of the counters, from now on.
    pub fn new(client: C, counters: Arc<Counters>, host: Host) -> Self {
        debug!("Telemetry initiated");
        Self { client, counters, host, records: VecDeque::new(), last: Counts::default(), is_denied: false }
    }

    /// Cuts a record each minute and sends what there is, until `stop` is ready.
    ///
    /// Returns itself for the last record.
    pub async fn run(mut self, mut now: impl FnMut() -> SystemTime, stop: impl Future<Output = ()>) -> Self {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return self,
                () = tokio::time::sleep(INTERVAL) => {}
            }
            tokio::select! {
                () = &mut stop => return self,
                () = self.report(now()) => {}
            }
        }
    }

    /// Cuts a record as of `now` and sends all that wait.
    ///
    /// At shutdown this is called once more, after the uploads.
    pub async fn report(&mut self, now: SystemTime) {
        self.cut(now);
        self.send_all().await;
    }

    /// Adds the counts since the last cut, unless nothing was ever received.
    fn cut(&mut self, now: SystemTime) {
        let counts = self.counters.snapshot();
        if counts.received == 0 {
            debug!("Skipped telemetry data as no segments found");
            self.last = counts;
            return;
        }
        let record = TelemetryRecord::between(&self.last, &counts, now);
        self.last = counts;
        self.add(record);
    }

    fn add(&mut self, record: TelemetryRecord) {
        if self.records.len() == KEPT {
            self.records.pop_front();
            debug!("Telemetry Buffers truncated");
        }
        self.records.push_back(record);
    }

    /// Sends ten records a call, oldest first.
    ///
    /// Those of a call that fails stay for the next minute.
    async fn send_all(&mut self) {
        let all = self.records.len();
        while !self.records.is_empty() {
            let records = self.records.make_contiguous();
            let records = &records[..records.len().min(IN_A_CALL)];
            let request = Request {
                instance_id: &self.host.instance_id,
                name: &self.host.name,
                resource_arn: &self.host.resource_arn,
                records,
            };
            let count = records.len();
            let body = match serde_json::to_vec(&request) {
                Ok(body) => Bytes::from(body),
                Err(err) => return debug!("Failed to encode telemetry: {err}"),
            };
            let result = self.client.post(PATH, body).await;
            if let Err(reason) = self.judge(result) {
                debug!(
                    "Failed to send telemetry {} record(s). Re-queue records. {reason}",
                    self.records.len()
                );
                return;
            }
            self.records.drain(..count);
        }
        if all > 0 {
            debug!("Send {all} telemetry record(s)");
        }
    }

    fn judge(&mut self, result: Result<Reply, CallError>) -> Result<(), String> {
        let reply = match result {
            Ok(reply) if reply.status.is_success() => {
                self.is_denied = false;
                return Ok(());
            }
            Ok(reply) => reply,
            Err(error) => {
                self.counters.update(|counts| count(&mut counts.errors, &error));
                return Err(error.to_string());
            }
        };
        let status = reply.status.as_u16();
        self.counters.update(|counts| match status {
            400..500 => counts.errors.http_4xx += 1,
            500..600 => counts.errors.http_5xx += 1,
            _ => counts.errors.other += 1,
        });
        let code =
            reply.headers.get("x-amzn-errortype").and_then(|code| code.to_str().ok()).unwrap_or_default();
        if status == 403 && code.starts_with("AccessDenied") && !self.is_denied {
            self.is_denied = true;
            warn!(
                "The role may not send telemetry: allow xray:PutTelemetryRecords, which the policy AWSXRayDaemonWriteAccess grants"
            );
        }
        Err(format!("status {status} {code}"))
    }
}

const PATH: &str = "/TelemetryRecords";

fn count(errors: &mut CallErrors, error: &CallError) {
    match error {
        CallError::ConnectionRefused(_) => errors.refused += 1,
        CallError::Timeout(_) => errors.timeout += 1,
        CallError::UnknownHost(_) => errors.unknown_host += 1,
        CallError::NoCredentials(_) | CallError::Tls(_) | CallError::Other(_) => errors.other += 1,
    }
}

impl TelemetryRecord {
    fn between(before: &Counts, after: &Counts, now: SystemTime) -> Self {
        let difference = |pick: fn(&Counts) -> u64| pick(after).saturating_sub(pick(before));
        let errors = |pick: fn(&CallErrors) -> u64| pick(&after.errors).saturating_sub(pick(&before.errors));
        Self {
            timestamp: now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            segments_received_count: difference(|counts| counts.received),
            segments_sent_count: difference(|counts| counts.sent),
            segments_spillover_count: difference(|counts| counts.dropped.total()),
            segments_rejected_count: difference(Counts::rejected),
            backend_connection_errors: BackendConnectionErrors {
                http_4xx: errors(|errors| errors.http_4xx),
                http_5xx: errors(|errors| errors.http_5xx),
                connection_refused_count: errors(|errors| errors.refused),
                other_count: errors(|errors| errors.other),
                timeout_count: errors(|errors| errors.timeout),
                unknown_host_count: errors(|errors| errors.unknown_host),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use http::{HeaderMap, StatusCode};
    use serde_json::Value;

    use super::*;
    use crate::counters::Reason;

    /// An X-Ray that accepts what its script says, then everything.
    #[derive(Debug, Clone, Default)]
    struct Scripted {
        results: Arc<Mutex<VecDeque<Result<u16, CallError>>>>,
        bodies: Arc<Mutex<Vec<Value>>>,
    }

    impl Call for Scripted {
        async fn post(&self, path: &str, body: Bytes) -> Result<Reply, CallError> {
            assert_eq!(path, "/TelemetryRecords");
            self.bodies.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            let status = self.results.lock().unwrap().pop_front().unwrap_or(Ok(200))?;
            let status = StatusCode::from_u16(status).unwrap();
            Ok(Reply { status, headers: HeaderMap::new(), body: Bytes::new() })
        }

        fn refresh_credentials(&self) {}

        fn correct_clock(&self, _: i64) {}
    }

    fn telemetry(
        results: impl IntoIterator<Item = Result<u16, CallError>>,
    ) -> (Telemetry<Scripted>, Scripted) {
        let client = Scripted::default();
        client.results.lock().unwrap().extend(results);
        let host = Host { name: "host".into(), instance_id: "i-1".into(), resource_arn: "arn".into() };
        (Telemetry::new(client.clone(), Arc::default(), host), client)
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn received(telemetry: &Telemetry<Scripted>, documents: u64) {
        telemetry.counters.update(|counts| counts.received += documents);
    }

    #[test]
    fn a_record_starts_with_zeros() {
        let record = TelemetryRecord::between(&Counts::default(), &Counts::default(), UNIX_EPOCH);
        assert_eq!(record, TelemetryRecord::default());
    }

    #[tokio::test]
    async fn nothing_is_sent_before_the_first_segment_and_zeros_after() {
        let (mut telemetry, client) = telemetry([]);
        telemetry.report(at(60)).await;
        assert!(client.bodies.lock().unwrap().is_empty());
        received(&telemetry, 1);
        telemetry.report(at(120)).await;
        telemetry.report(at(180)).await;
        let bodies = client.bodies.lock().unwrap();
        assert_eq!(bodies[0]["TelemetryRecords"][0]["SegmentsReceivedCount"], 1);
        assert_eq!(bodies[1]["TelemetryRecords"][0]["SegmentsReceivedCount"], 0);
    }

    #[tokio::test]
    async fn a_record_has_the_originals_shape_and_the_intervals_counts() {
        let (mut telemetry, client) = telemetry([]);
        received(&telemetry, 100);
        telemetry.report(at(60)).await;
        telemetry.counters.update(|counts| {
            counts.received += 10;
            counts.sent += 4;
            (counts.rejected_header, counts.rejected_by_service) = (1, 2);
            counts.dropped.add(Reason::Memory, 3);
            counts.errors =
                CallErrors { http_4xx: 1, http_5xx: 2, refused: 3, timeout: 4, unknown_host: 5, other: 6 };
        });
        telemetry.report(at(120)).await;
        let expected = serde_json::json!({
            "EC2InstanceId": "i-1",
            "Hostname": "host",
            "ResourceARN": "arn",
            "TelemetryRecords": [{
                "Timestamp": 120.0,
                "SegmentsReceivedCount": 10,
                "SegmentsSentCount": 4,
                "SegmentsSpilloverCount": 3,
                "SegmentsRejectedCount": 3,
                "BackendConnectionErrors": {
                    "HTTPCode4XXCount": 1,
                    "HTTPCode5XXCount": 2,
                    "ConnectionRefusedCount": 3,
                    "OtherCount": 6,
                    "TimeoutCount": 4,
                    "UnknownHostCount": 5,
                },
            }],
        });
        assert_eq!(client.bodies.lock().unwrap()[1], expected);
    }

    #[tokio::test]
    async fn records_wait_for_x_ray_ten_go_in_a_call_and_thirty_are_kept() {
        let refused = || Err(CallError::ConnectionRefused("x".into()));
        let (mut telemetry, client) = telemetry((0..40).map(|_| refused()));
        received(&telemetry, 1);
        for minute in 1..=40 {
            telemetry.report(at(minute * 60)).await;
        }
        assert_eq!(telemetry.records.len(), 30);
        client.bodies.lock().unwrap().clear();
        telemetry.report(at(41 * 60)).await;
        let bodies = client.bodies.lock().unwrap();
        let sizes: Vec<usize> =
            bodies.iter().map(|body| body["TelemetryRecords"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [10, 10, 10]);
        assert_eq!(bodies[0]["TelemetryRecords"][0]["Timestamp"], 12.0 * 60.0, "the oldest went");
        assert!(telemetry.records.is_empty());
    }

    #[tokio::test]
    async fn failures_of_telemetry_itself_are_counted() {
        let errors = [
            Ok(403),
            Ok(500),
            Err(CallError::Timeout("t".into())),
            Err(CallError::UnknownHost("h".into())),
            Err(CallError::Tls("c".into())),
        ];
        let (mut telemetry, _) = telemetry(errors);
        received(&telemetry, 1);
        for minute in 1..=5 {
            telemetry.report(at(minute * 60)).await;
        }
        let expected =
            CallErrors { http_4xx: 1, http_5xx: 1, refused: 0, timeout: 1, unknown_host: 1, other: 1 };
        assert_eq!(telemetry.counters.snapshot().errors, expected);
    }
}
