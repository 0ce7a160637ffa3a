//! Two services and a database, and the trace of a request through all of them.
//!
//! `cargo run --bin axum_sqlx --features sql` serves a shop on a loopback port, with its orders in an SQLite file, and
//! a service for prices on another, asks the shop, and draws the traces. They go to the daemon that
//! `AWS_XRAY_DAEMON_ADDRESS` names, else to a collector inside this program, which checks them as well. The log lines
//! between have the trace's id.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program talks to people")]

mod prices;
mod shop;

use std::error::Error;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tracing_subscriber::{Layer, Registry, filter::LevelFilter, fmt, prelude::*};
use xray_sdk::local::{Collector, Waterfall};
use xray_sdk::sampling::Always;
use xray_tracing_layer::{XrayHttpLayer, fmt::with_trace_id};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start()?;
    let logs = fmt::layer().without_time().with_target(false).map_event_format(with_trace_id);
    let xray = layer("shop", &collector)?;
    tracing_subscriber::registry().with(xray).with(logs.with_filter(LevelFilter::INFO)).init();

    let prices = prices::start(layer("prices", &collector)?)?;
    let file = std::env::temp_dir().join(format!("axum_sqlx-{}.db", std::process::id()));
    let answers = ask(serve(shop::router(&file, prices).await?).await?).await;
    std::fs::remove_file(&file)?;
    let asked = answers? as usize;

    if std::env::var("AWS_XRAY_DAEMON_ADDRESS").is_ok_and(|address| !address.is_empty()) {
        return Ok(());
    }
    // Of the first, the segments of both services, the price, the call of it, and three statements.
    let is_whole = |trace: &xray_sdk::local::Trace| trace.span_count() == 7 && trace.find("prices").is_some();
    let arrived = collector.wait_for(Duration::from_secs(5), |received| {
        let traces = received.traces();
        traces.len() == asked && traces.iter().filter(|trace| is_whole(trace)).count() == 1
    });
    let received = collector.received();
    received.traces().iter().for_each(|trace| println!("\n{}", Waterfall::for_stdout(trace)));
    let problems = received.problems();
    let literals = received.documents().iter().any(|document| document.text().contains("'paper'"));
    match arrived && problems.is_empty() && !literals {
        true => Ok(()),
        false => Err(format!("a span is missing, or a value is not: {problems:?}").into()),
    }
}

/// Each service has a layer of its own, by which its segments are named.
fn layer(service: &str, collector: &Collector) -> Result<impl Layer<Registry> + use<>, Box<dyn Error>> {
    let builder = xray_tracing_layer::builder().service_name(service).sampler(Always);
    let builder = builder.database("sqlite", "orders@shop.db");
    Ok(builder.daemon_address(&collector.daemon_address()).build()?) // the environment goes before it
}

/// Serves on a port of its own, and answers the address.
async fn serve(router: Router) -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, router.layer(XrayHttpLayer::new())).await });
    Ok(url)
}

/// Asks for an order that there is, and for one that there isn't. Answers how often it asked.
async fn ask(shop: String) -> Result<u16, reqwest::Error> {
    for order in [7, 8] {
        let answer = reqwest::get(format!("{shop}/orders/{order}")).await?;
        println!("order {order}: {}, {:?}", answer.status(), answer.text().await?);
    }
    Ok(2)
}
