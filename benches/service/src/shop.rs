//! The service: a request makes two calls and a query, in five spans.

use std::fs;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use rustix::time::{ClockId, clock_gettime};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};
use xray_tracing_layer::{XrayHttpLayer, XrayMiddleware};

use crate::contender::Spans;
use crate::contenders;

/// Serves as `contender` until standard input ends.
///
/// Prints the address, and for each line of standard input the processor time so far, in nanoseconds: of the process, and
/// of the tracer's threads in it.
///
/// # Errors
/// If there is no such contender, or it cannot be installed, or no socket can be had.
pub(crate) fn serve(contender: &str, backend: &str, daemon: &str) -> io::Result<()> {
    let contender = contenders::named(contender)?;
    let _installed = (contender.install)(daemon)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let spans = contender.spans;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let shop = runtime.block_on(Shop::open(spans, backend))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", listener.local_addr()?)?;
    let app = router(spans).with_state(shop);
    runtime.spawn(async { axum::serve(listener, app).await });
    for line in io::stdin().lock().lines() {
        line?;
        let time = clock_gettime(ClockId::ProcessCPUTime);
        let time = Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32);
        writeln!(out, "{} {}", time.as_nanos(), of_tracers_threads().as_nanos())?;
    }
    runtime.shutdown_background();
    Ok(())
}

/// Processor time of the threads that a tracer has started, which are known by their names. Zero where there is no `/proc`.
fn of_tracers_threads() -> Duration {
    const NAMES: [&str; 3] = ["xray-", "OpenTelemetry", "fastrace-"];
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let times = threads.filter_map(|thread| {
        let read = |file| fs::read_to_string(thread.path().join(file)).ok();
        let name = read("comm")?;
        let is_tracers = NAMES.iter().any(|tracer| name.starts_with(tracer));
        is_tracers.then(|| read("schedstat")?.split(' ').next()?.parse::<u64>().ok()).flatten()
    });
    Duration::from_nanos(times.sum())
}

fn router(spans: Spans) -> Router<Shop> {
    match spans {
        Spans::ByHand => {
            Router::new().route("/orders/{id}", get(by_hand::order)).layer(from_fn(by_hand::request))
        }
        Spans::Integrations => {
            Router::new().route("/orders/{id}", get(integrations::order)).layer(XrayHttpLayer::new())
        }
        #[cfg(feature = "rivals")]
        Spans::Fastrace => {
            Router::new().route("/orders/{id}", get(fastraced::order)).layer(from_fn(fastraced::request))
        }
    }
}

/// What the handlers work with.
#[derive(Clone)]
struct Shop {
    orders: SqlitePool,
    plain: reqwest::Client,
    traced: reqwest_middleware::ClientWithMiddleware,
    backend: String,
}

const STATEMENT: &str = "SELECT customer FROM orders WHERE id = ?";

impl Shop {
    async fn open(spans: Spans, backend: &str) -> io::Result<Self> {
        let options: SqliteConnectOptions = "sqlite::memory:".parse().map_err(io::Error::other)?;
        // The other variants have a span of their own for it.
        let options =
            if spans == Spans::Integrations { options } else { options.disable_statement_logging() };
        let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let orders = pool.connect_with(options).await.map_err(io::Error::other)?;
        for statement in [
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT)",
            "INSERT INTO orders VALUES (7, 'alice@example.com')",
        ] {
            sqlx::query(statement).execute(&orders).await.map_err(io::Error::other)?;
        }
        let plain = reqwest::Client::new();
        let traced =
            reqwest_middleware::ClientBuilder::new(plain.clone()).with(XrayMiddleware::new()).build();
        Ok(Self { orders, plain, traced, backend: backend.to_owned() })
    }

    fn url(&self, what: &str, id: u64) -> String {
        format!("http://{}/{what}/{id}", self.backend)
    }

    async fn customer(&self, id: u64) -> Result<String, StatusCode> {
        let query = sqlx::query_scalar(STATEMENT).bind(id.cast_signed());
        query.fetch_one(&self.orders).await.map_err(|_| StatusCode::NOT_FOUND)
    }
}

fn bad_gateway<E>(_: E) -> StatusCode {
    StatusCode::BAD_GATEWAY
}

/// The request with spans of `tracing`, their fields by OpenTelemetry's conventions.
mod by_hand {
    use super::*;

    pub(super) async fn request(request: Request, next: Next) -> Response {
        let span = info_span!(
            "request",
            otel.kind = "server",
            http.request.method = request.method().as_str(),
            http.route = "/orders/{id}",
            url.path = request.uri().path(),
            http.response.status_code = Empty,
        );
        async {
            let response = next.run(request).await;
            Span::current().record("http.response.status_code", response.status().as_u16());
            response
        }
        .instrument(span)
        .await
    }

    #[tracing::instrument(skip(shop))]
    pub(super) async fn order(State(shop): State<Shop>, Path(id): Path<u64>) -> Result<String, StatusCode> {
        let price = call(&shop, "prices", id).await?;
        let pieces = call(&shop, "stock", id).await?;
        let query =
            info_span!("query", otel.kind = "client", db.system.name = "sqlite", db.query.text = STATEMENT);
        let customer = shop.customer(id).instrument(query).await?;
        Ok(format!("{customer}: {pieces} at {price}"))
    }

    async fn call(shop: &Shop, what: &str, id: u64) -> Result<String, StatusCode> {
        let url = shop.url(what, id);
        let span = info_span!(
            "call",
            otel.kind = "client",
            http.request.method = "GET",
            url.full = url,
            http.response.status_code = Empty,
        );
        async {
            let response = shop.plain.get(url).send().await.map_err(bad_gateway)?;
            Span::current().record("http.response.status_code", response.status().as_u16());
            response.text().await.map_err(bad_gateway)
        }
        .instrument(span)
        .await
    }
}

/// The request as users of the layer write it; the trace header goes with each call.
mod integrations {
    use super::*;

    #[tracing::instrument(skip(shop))]
    pub(super) async fn order(State(shop): State<Shop>, Path(id): Path<u64>) -> Result<String, StatusCode> {
        let price = call(&shop, "prices", id).await?;
        let pieces = call(&shop, "stock", id).await?;
        let customer = shop.customer(id).await?;
        Ok(format!("{customer}: {pieces} at {price}"))
    }

    async fn call(shop: &Shop, what: &str, id: u64) -> Result<String, StatusCode> {
        let response = shop.traced.get(shop.url(what, id)).send().await.map_err(bad_gateway)?;
        response.text().await.map_err(bad_gateway)
    }
}

/// The request with spans of fastrace.
#[cfg(feature = "rivals")]
mod fastraced {
    use fastrace::future::FutureExt;
    use fastrace::local::LocalSpan;
    use fastrace::prelude::Span;

    use super::*;
    use crate::rivals::root;

    pub(super) async fn request(request: Request, next: Next) -> Response {
        let span = root("request").with_properties(|| {
            [
                ("span.kind", "server".to_owned()),
                ("http.request.method", request.method().as_str().to_owned()),
                ("http.route", "/orders/{id}".to_owned()),
                ("url.path", request.uri().path().to_owned()),
            ]
        });
        async {
            let response = next.run(request).await;
            LocalSpan::add_property(|| ("http.response.status_code", response.status().as_u16().to_string()));
            response
        }
        .in_span(span)
        .await
    }

    pub(super) async fn order(State(shop): State<Shop>, Path(id): Path<u64>) -> Result<String, StatusCode> {
        let span = Span::enter_with_local_parent("order").with_property(|| ("id", id.to_string()));
        async {
            let price = call(&shop, "prices", id).await?;
            let pieces = call(&shop, "stock", id).await?;
            let query = Span::enter_with_local_parent("query").with_properties(|| {
                [("span.kind", "client"), ("db.system.name", "sqlite"), ("db.query.text", STATEMENT)]
            });
            let customer = shop.customer(id).in_span(query).await?;
            Ok(format!("{customer}: {pieces} at {price}"))
        }
        .in_span(span)
        .await
    }

    async fn call(shop: &Shop, what: &str, id: u64) -> Result<String, StatusCode> {
        let url = shop.url(what, id);
        let span = Span::enter_with_local_parent("call").with_properties(|| {
            [
                ("span.kind", "client".to_owned()),
                ("http.request.method", "GET".to_owned()),
                ("url.full", url.clone()),
            ]
        });
        async {
            let response = shop.plain.get(url).send().await.map_err(bad_gateway)?;
            LocalSpan::add_property(|| ("http.response.status_code", response.status().as_u16().to_string()));
            response.text().await.map_err(bad_gateway)
        }
        .in_span(span)
        .await
    }
}
