//! A request that was let in, as operations read it.
//!
//! Members have their types by now, so accessors return what is there or an empty value. Paging lives here as well, since
//! a token belongs to the request that it goes on with.

use rusqlite::Connection;
use serde_json::{Map, Value};
use xray_sdk::TraceId;

use super::error::ApiError;
use super::server::Server;
use super::token;
use crate::access::Caller;
use crate::control::Limits;
use crate::model::{Door, Home, Time, limits, parse_trace_id};
use crate::store::{Store, StoreError};

/// A call of an operation.
#[derive(Debug)]
pub struct Call {
    /// The server.
    pub server: Server,
    /// The operation's name.
    pub operation: &'static str,
    /// The body: an object whose members have the operation's types.
    pub body: Value,
    /// Caller.
    pub caller: Caller,
    /// Through which door.
    pub door: Door,
    /// Time.
    pub now: Time,
}

impl Call {
    pub(super) fn store(&self) -> &Store {
        &self.server.0.store
    }

    pub(super) fn home(&self) -> &Home {
        self.server.0.store.home()
    }

    pub(super) fn limits(&self) -> Limits {
        self.server.0.limits
    }

    pub(super) fn read<T, E: Into<ApiError>>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, ApiError> {
        self.store().read(|connection| question(connection).map_err(Into::into))
    }

    pub(super) fn write<T, E>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: From<StoreError> + Into<ApiError> + Send + 'static,
    {
        self.store().write_blocking(change).map_err(Into::into)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }

    /// A string that the operation's table says is there.
    pub(super) fn needed(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    pub(super) fn boolean(&self, name: &str) -> bool {
        self.body.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.body.get(name).and_then(Value::as_i64)
    }

    pub(super) fn time(&self, name: &str) -> Time {
        time(self.body.get(name))
    }

    pub(super) fn list(&self, name: &str) -> &[Value] {
        self.body.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.list(name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub(super) fn object(&self, name: &str) -> Map<String, Value> {
        self.body.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// `[{"Key": …, "Value": …}, …]`
    pub(super) fn tags(&self) -> Vec<(String, String)> {
        let member =
            |tag: &Value, name: &str| tag.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.list("Tags").iter().map(|tag| (member(tag, "Key"), member(tag, "Value"))).collect()
    }

    /// The trace ids of `TraceIds`, at most five.
    pub(super) fn trace_ids(&self) -> Result<Vec<TraceId>, ApiError> {
        let ids = self.list("TraceIds");
        if self.limits().exceeded(ids.len(), limits::TRACE_IDS_PER_REQUEST) {
            return Err(ApiError::invalid(format!(
                "Exceeding maximum query size: {}",
                limits::TRACE_IDS_PER_REQUEST
            )));
        }
        if ids.is_empty() {
            return Err(ApiError::invalid("TraceIds must hold at least one trace id"));
        }
        parse_ids(ids.iter().filter_map(Value::as_str))
    }

    /// Start and end, which must not be further apart than the limit.
    pub(super) fn range(&self, longest: i64, words: &str) -> Result<(Time, Time), ApiError> {
        let (start, end) = (self.time("StartTime"), self.time("EndTime"));
        if start > end {
            return Err(ApiError::invalid("StartTime must not be after EndTime"));
        }
        let length = usize::try_from((end - start).0 / 1_000_000).unwrap_or(usize::MAX);
        if self.limits().exceeded(length, usize::try_from(longest).unwrap_or(usize::MAX)) {
            return Err(ApiError::invalid(format!("Time range cannot be longer than {words}")));
        }
        Ok((start, end))
    }

    /// The position that the request's token names.
    pub(super) fn position<T: std::str::FromStr>(&self) -> Result<Option<T>, ApiError> {
        let Some(position) = token::read(self.operation, &self.body)? else { return Ok(None) };
        let position = position.parse().map_err(|_| ApiError::invalid("Invalid NextToken"))?;
        Ok(Some(position))
    }

    /// The token of the next page of this request.
    pub(super) fn token(&self, position: impl ToString) -> String {
        token::write(self.operation, &self.body, &position.to_string())
    }

    /// A page of a list that is read by skipping: up to `size` items, and the next page's token.
    pub(super) fn page<T>(
        &self,
        size: usize,
        read: impl FnOnce(usize, usize) -> Result<Vec<T>, ApiError>,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let skip: usize = self.position()?.unwrap_or(0);
        let mut items = read(skip, size + 1)?;
        let has_more = items.len() > size;
        items.truncate(size);
        Ok((items, has_more.then(|| self.token(skip + size))))
    }
}

/// Seconds since 1970 as a time.
pub(super) fn time(value: Option<&Value>) -> Time {
    Time::from_seconds(value.and_then(Value::as_f64).unwrap_or(0.0))
}

/// Reads trace ids.
pub(super) fn parse_ids<'a>(ids: impl Iterator<Item = &'a str>) -> Result<Vec<TraceId>, ApiError> {
    ids.map(|id| parse_trace_id(id).map_err(|_| ApiError::invalid(format!("Invalid trace id: {id}"))))
        .collect()
}

/// Adds a token to an answer that has a next page.
pub(super) fn with_token(mut answer: Value, token: Option<String>) -> Value {
    if let Some(token) = token {
        answer["NextToken"] = Value::from(token);
    }
    answer
}
