//! Queries of databases whose library describes none: [`query`] opens a span, [`Query`] runs the work in it.
//!
//! No driver is known here. What is recorded of a statement is decided in `fields`, as for every other span.

use std::error::Error;
use std::future::Future;

use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use crate::span_ext::XraySpanExt;

/// Opens the subsegment of a query, for libraries that describe none: redis, diesel, rusqlite, tokio-postgres.
///
/// `system` is the database's name in OpenTelemetry's conventions, such as `postgresql`, `mysql`, `sqlite` or
/// `redis`. The statement is sanitized in the system's dialect: literals become `?`. For a store without SQL, such
/// as redis, the command's first word is kept, with a `?` for each argument.
///
/// The span's target is `xray_tracing_layer::query`, its level INFO.
///
/// ```
/// # use std::num::ParseIntError;
/// # fn count(sql: &str) -> Result<u32, ParseIntError> { "7".parse() }
/// # async fn load(sql: &str) -> Result<u32, ParseIntError> { "7".parse() }
/// use xray_tracing_layer::query;
///
/// let sql = "SELECT count(*) FROM orders WHERE customer = 'bob'";
/// // Work that blocks, and work that is awaited. An error is the subsegment's fault.
/// let orders = query("sqlite", sql).in_scope(|| count(sql))?;
/// # let later = async {
/// let query = query("postgresql", sql).database("orders").host("db.example");
/// let orders = query.instrument(load(sql)).await?;
/// # Ok::<_, ParseIntError>(orders) };
/// # Ok::<_, ParseIntError>(())
/// ```
pub fn query(system: &str, statement: impl AsRef<str>) -> Query {
    Query {
        span: info_span!(
            target: "xray_tracing_layer::query",
            "query",
            db.system.name = system,
            db.query.text = statement.as_ref(),
            db.namespace = Empty,
            server.address = Empty,
        ),
    }
}

/// A query that has not ended. A drop ends the query.
#[derive(Debug)]
#[must_use = "the subsegment ends when this is dropped"]
pub struct Query {
    span: Span,
}

impl Query {
    /// Names the database. Defaults to [`Builder::database`](crate::Builder::database)'s name.
    pub fn database(self, name: &str) -> Self {
        self.span.record("db.namespace", name);
        self
    }

    /// Names the server, by its host name or address.
    pub fn host(self, host: &str) -> Self {
        self.span.record("server.address", host);
        self
    }

    /// Runs work that blocks in the query's span. Records its error, with its sources, as a fault.
    ///
    /// A library that reports a missing row as an error has a way to make it an `Option`, such as `optional()` of
    /// diesel and rusqlite. Call it inside, or the missing row is a fault.
    ///
    /// # Errors
    /// Returns the work's own error.
    pub fn in_scope<T, E: Error + 'static>(self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let done = self.span.in_scope(work);
        if let Err(err) = &done {
            self.record_error(err);
        }
        done
    }

    /// Awaits work in the query's span. Records its error, with its sources, as a fault.
    ///
    /// The query lasts until the work is done, or the future is dropped.
    ///
    /// # Errors
    /// Returns the work's own error.
    pub async fn instrument<T, E: Error + 'static>(
        self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let done = work.instrument(self.span.clone()).await;
        if let Err(err) = &done {
            self.record_error(err);
        }
        done
    }

    /// Records an error as a fault, where neither [`in_scope`](Self::in_scope) nor [`instrument`](Self::instrument)
    /// surrounds the work: in the callbacks of a library.
    pub fn record_error(&self, err: &(dyn Error + 'static)) {
        self.span.record_error(err);
    }

    /// Returns the span, for what else is known of the query.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }
}
