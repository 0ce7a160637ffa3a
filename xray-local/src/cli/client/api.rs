//! Calls of the X-Ray API as commands make them: single ones, and whole lists over all their pages.

use serde_json::{Value, json};

use super::address::Address;
#[cfg(feature = "aws")]
use super::aws::Aws;
use super::plain::Plain;
use crate::cli::failure::Failure;
use crate::model::Time;

/// An X-Ray that is asked.
#[derive(Debug)]
pub(in crate::cli) struct Client {
    transport: Transport,
}

/// The way to an X-Ray.
#[derive(Debug)]
enum Transport {
    Plain(Box<Plain>),
    #[cfg(feature = "aws")]
    Aws(Box<Aws>),
}

/// Longest range of one `GetTraceSummaries`, in microseconds: six hours, which every X-Ray takes.
const WINDOW: i64 = 6 * 3_600 * 1_000_000;

impl Client {
    /// # Errors
    /// There is no region, or the root certificates can't be read.
    pub(in crate::cli) fn new(address: Address, region: Option<&str>) -> Result<Self, Failure> {
        #[cfg(feature = "aws")]
        let secure = |url| {
            let aws = Aws::new(url, region).map_err(Failure::usage)?;
            Ok(Self { transport: Transport::Aws(Box::new(aws)) })
        };
        match address {
            Address::Plain(url) => {
                Ok(Self { transport: Transport::Plain(Box::new(Plain::new(url, region))) })
            }
            #[cfg(feature = "aws")]
            Address::Secure(url) => secure(Some(url)),
            #[cfg(feature = "aws")]
            Address::Region => secure(None),
        }
    }

    /// Calls an operation.
    ///
    /// # Errors
    /// There is no response, or the response is an error of the service.
    pub(in crate::cli) fn call(&self, path: &str, request: &Value) -> Result<Value, Failure> {
        let body = request.to_string();
        let answer = match &self.transport {
            Transport::Plain(plain) => plain.post(path, &body),
            #[cfg(feature = "aws")]
            Transport::Aws(aws) => aws.post(path, &body),
        };
        let answer = answer.map_err(Failure::new)?;
        let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        if (200..300).contains(&answer.status) {
            return Ok(body);
        }
        // AWS may append the address of the error's namespace.
        let kind = answer.kind.as_deref().and_then(|kind| kind.split(':').next()).unwrap_or("error");
        let message = body.get("Message").or_else(|| body.get("message")).and_then(Value::as_str);
        Err(Failure::new(format!("{kind} ({}): {}", answer.status, message.unwrap_or("no message"))))
    }

    /// Summaries of matching traces, newest first, at most `limit`.
    pub(in crate::cli) fn summaries(
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
    pub(in crate::cli) fn traces(&self, ids: &[String]) -> Result<Vec<Value>, Failure> {
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
    pub(in crate::cli) fn graph(&self, path: &str, request: &Value) -> Result<Vec<Value>, Failure> {
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
