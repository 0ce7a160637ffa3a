//! The function that the emulator starts unless it is given another. The event says what to do.
//!
//! This is a whole program: the layer in the subscriber, and `lambda_runtime` in one of several forms, chosen by the
//! variable `FUNCTION_FORM`. Everything it answers holds the header that it would send downstream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lambda_runtime::streaming::{Body, channel};
use lambda_runtime::tower::Layer;
use lambda_runtime::{Error, LambdaEvent, Runtime, StreamResponse, service_fn};
use serde_json::{Value, json};
use tracing::{Instrument, Span, info_span, instrument};
use tracing_subscriber::prelude::*;
use xray_tracing_layer::current_trace_header;
use xray_tracing_layer::lambda::InvocationLayer;

pub(crate) async fn main(form: Option<&str>) -> Result<(), Error> {
    let layer = xray_tracing_layer::builder().report_problems(Duration::from_secs(10)).build()?;
    tracing_subscriber::registry().with(layer).init();
    // Before any invocation: belongs to no trace.
    info_span!("init").in_scope(|| ());
    match form {
        Some("layer") => {
            let handler = InvocationLayer::new().trigger("sqs").layer(service_fn(handle));
            Runtime::new(handler).run_concurrent().await
        }
        // Sends what it has, long before its time is over.
        Some("margin") => {
            let layer = InvocationLayer::new().send_before_timeout(Duration::from_secs(600));
            Runtime::new(layer.layer(service_fn(handle))).run().await
        }
        Some("runtime-layer") => {
            Runtime::new(service_fn(handle)).layer(InvocationLayer::new().trigger("sqs")).run().await
        }
        Some("stream") => lambda_runtime::run(service_fn(stream)).await,
        // A function that reads its settings and finds none.
        Some("none") => Err("TABLE is not set".into()),
        Some("http") => lambda_http::run(service_fn(answer)).await,
        _ => lambda_runtime::run_concurrent(service_fn(handle)).await,
    }
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    match event.payload["do"].as_str() {
        Some("order") => order(&event.payload["order"]).await,
        Some("nothing") => Ok(header()),
        Some("many") => Ok(many().await),
        Some("tops") => Ok(tops().await),
        Some("leave") => Ok(leave().await),
        Some("share") => Ok(share().await),
        Some("fail") => fail().await,
        Some("panic") => panics().await,
        // Longer than any test's time-out.
        Some("hang") => {
            info_span!("begun").in_scope(|| ());
            tokio::time::sleep(Duration::from_secs(600)).await;
            Ok(json!(null))
        }
        Some("exit") => std::process::exit(3),
        _ => Ok(json!(null)),
    }
}

/// Five spans, one below the others' parent, some of them across threads.
#[instrument(skip_all, fields(order = %number))]
async fn order(number: &Value) -> Result<Value, Error> {
    let span = info_span!("load", db.system = "postgresql", db.query.text = "select * from orders");
    async { tokio::task::yield_now().await }.instrument(span).await;
    info_span!("price").in_scope(|| info_span!("discount").in_scope(|| ()));
    tokio::task::yield_now().await;
    info_span!("reserve", annotation.number = number.as_i64()).in_scope(|| ());
    Ok(header())
}

/// Several spans directly below the function's segment.
async fn tops() -> Value {
    info_span!("parse").in_scope(|| ());
    tokio::task::yield_now().await;
    async { tokio::task::yield_now().await }.instrument(info_span!("store")).await;
    info_span!("notify").in_scope(header)
}

/// More documents than the socket of the daemon has room for, in bursts that fit.
async fn many() -> Value {
    for _ in 0..3 {
        (0..100).for_each(|number| info_span!("part", number).in_scope(|| ()));
        tokio::time::sleep(2 * AFTERWARDS).await;
    }
    header()
}

/// Goes on in a task of its own, below the handler's span.
#[instrument]
async fn leave() -> Value {
    info_span!("answered").in_scope(|| ());
    tokio::spawn(tokio::time::sleep(AFTERWARDS).instrument(info_span!("afterwards")));
    tokio::task::yield_now().await;
    header()
}

/// Goes on in the handler's span itself.
#[instrument]
async fn share() -> Value {
    let polled = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&polled);
    let afterwards = async move {
        told.store(true, Ordering::Relaxed);
        tokio::time::sleep(4 * AFTERWARDS).await;
        info_span!("afterwards").in_scope(|| ());
    };
    tokio::spawn(afterwards.instrument(Span::current()));
    // Until the task holds the span on its own, and has left it, however busy the machine is.
    while !polled.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(AFTERWARDS / 2).await;
    header()
}

#[instrument]
async fn fail() -> Result<Value, Error> {
    tokio::task::yield_now().await;
    Err("out of stock".into())
}

#[instrument]
async fn panics() -> Result<Value, Error> {
    tokio::task::yield_now().await;
    panic!("the shelf fell over");
}

/// A response in three pieces, from a task.
#[instrument(skip_all)]
async fn stream(event: LambdaEvent<Value>) -> Result<StreamResponse<Body>, Error> {
    let fails = event.payload["do"] == "fail";
    let (mut sender, body) = channel();
    tokio::spawn(async move {
        for piece in ["one ", "two ", "three"] {
            if sender.send_data(piece.into()).await.is_err() {
                return;
            }
        }
        if fails {
            sender.abort();
        }
    });
    Ok(StreamResponse::from(body))
}

/// Behind API Gateway: what a middleware does, which takes the header from the request.
async fn answer(request: lambda_http::Request) -> Result<String, Error> {
    let header = request.headers().get("x-amzn-trace-id").and_then(|value| value.to_str().ok());
    let span = info_span!(
        "GET /orders",
        xray.trace_header = header,
        http.request.method = "GET",
        http.response.status_code = 200,
        client.address = "192.0.2.1",
    );
    Ok(span.in_scope(|| self::header().to_string()))
}

/// How long a task that is left behind goes on. Longer than the handler, on a busy machine, too.
const AFTERWARDS: Duration = Duration::from_millis(50);

fn header() -> Value {
    json!({ "header": current_trace_header().map(|header| header.to_string()) })
}
