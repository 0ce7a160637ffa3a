//! A client of the X-Ray API, for the commands that read.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use super::failure::Failure;
use super::sign::Signer;
use crate::model::Time;

/// An endpoint, and keys if there are any.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    endpoint: String,
    host: String,
    signer: Option<Signer>,
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of an answer.
const ANSWER: u64 = 256 * 1024 * 1024;

/// Longest range of one `GetTraceSummaries`, in microseconds: six hours, which every X-Ray takes.
const WINDOW: i64 = 6 * 3_600 * 1_000_000;

impl Client {
    /// # Errors
    /// The endpoint is no `http://` address.
    pub(super) fn new(endpoint: &str, region: &str) -> Result<Self, Failure> {
        let endpoint = endpoint.trim_end_matches('/');
        let Some(host) =
            endpoint.strip_prefix("http://").filter(|host| !host.is_empty() && !host.contains('/'))
        else {
            return Err(Failure::usage(format!(
                "\"{endpoint}\" can't be used as endpoint; write http://HOST:PORT (this build speaks no TLS)"
            )));
        };
        let config =
            Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).proxy(None);
        Ok(Self {
            agent: config.build().into(),
            endpoint: endpoint.to_owned(),
            host: host.to_owned(),
            signer: Signer::from_environment(region),
        })
    }

    /// Calls an operation.
    ///
    /// # Errors
    /// Nobody answers, or the answer is an error of the service.
    pub(super) fn call(&self, path: &str, request: &Value) -> Result<Value, Failure> {
        let (url, body) = (format!("{}{path}", self.endpoint), request.to_string());
        let mut post = self.agent.post(&url).header("content-type", "application/json");
        if let Some(signer) = &self.signer {
            for (name, value) in signer.headers(&url, &self.host, body.as_bytes()).map_err(Failure::new)? {
                post = post.header(name, value);
            }
        }
        let mut response = post.send(&body).map_err(|err| self.unreachable(&err))?;
        let status = response.status();
        let bytes = response
            .body_mut()
            .with_config()
            .limit(ANSWER)
            .read_to_vec()
            .map_err(|err| self.unreachable(&err))?;
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let kind =
            response.headers().get("x-amzn-errortype").and_then(|kind| kind.to_str().ok()).unwrap_or("error");
        let message = answer.get("Message").or_else(|| answer.get("message")).and_then(Value::as_str);
        Err(Failure::new(format!("{kind} ({}): {}", status.as_u16(), message.unwrap_or("no message"))))
    }

    fn unreachable(&self, err: &ureq::Error) -> Failure {
        Failure::new(format!(
            "no answer from {}: {err}; start an X-Ray there with `xray-local`, or name another with --endpoint",
            self.endpoint
        ))
    }

    /// Summaries of matching traces, newest first, at most `limit`.
    pub(super) fn summaries(
        &self,
        filter: Option<&str>,
        (from, to): (Time, Time),
        limit: usize,
    ) -> Result<Vec<Value>, Failure> {
        let (mut found, mut end) = (Vec::new(), to);
        while found.len() < limit && end > from {
            let start = Time(end.0 - WINDOW).max(from);
            let mut token = Value::Null;
            loop {
                let mut request = json!({"StartTime": start.seconds(), "EndTime": end.seconds()});
                if let Some(members) = request.as_object_mut() {
                    members.extend(filter.map(|filter| ("FilterExpression".to_owned(), filter.into())));
                    members.extend((!token.is_null()).then(|| ("NextToken".to_owned(), token)));
                }
                let mut page = self.call("/TraceSummaries", &request)?;
                if let Some(Value::Array(page)) = page.get_mut("TraceSummaries").map(Value::take) {
                    found.extend(page);
                }
                token = page.get_mut("NextToken").map(Value::take).unwrap_or_default();
                if token.is_null() || found.len() >= limit {
                    break;
                }
            }
            end = start;
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Traces with their documents, in the order of the ids.
    pub(super) fn traces(&self, ids: &[String]) -> Result<Vec<Value>, Failure> {
        let mut traces = Vec::new();
        for ids in ids.chunks(crate::model::limits::TRACE_IDS_PER_REQUEST) {
            let mut token = Value::Null;
            loop {
                let mut request = json!({"TraceIds": ids});
                if let Some(members) = request.as_object_mut().filter(|_| !token.is_null()) {
                    members.insert("NextToken".to_owned(), token);
                }
                let mut page = self.call("/Traces", &request)?;
                if let Some(Value::Array(page)) = page.get_mut("Traces").map(Value::take) {
                    traces.extend(page);
                }
                token = page.get_mut("NextToken").map(Value::take).unwrap_or_default();
                if token.is_null() {
                    break;
                }
            }
        }
        Ok(traces)
    }

    /// The nodes of a graph, of all pages.
    pub(super) fn graph(&self, path: &str, request: &Value) -> Result<Vec<Value>, Failure> {
        let (mut nodes, mut request) = (Vec::new(), request.clone());
        loop {
            let mut page = self.call(path, &request)?;
            if let Some(Value::Array(page)) = page.get_mut("Services").map(Value::take) {
                nodes.extend(page);
            }
            match page.get_mut("NextToken").map(Value::take) {
                Some(token) if !token.is_null() => request["NextToken"] = token,
                _ => return Ok(nodes),
            }
        }
    }
}
