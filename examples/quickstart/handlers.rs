//! The shop's work for each request. Spans stand where a real shop would have them; sleep stands in for work.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use tokio::time::sleep;
use tracing::{Instrument, info, info_span, instrument};

use crate::calls::{ask_price, charge, query};
use crate::shop::Shop;

pub(crate) async fn order(State(shop): State<Shop>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    query("SELECT * FROM orders WHERE id = $1").await;
    if id == 0 {
        return Err(StatusCode::NOT_FOUND);
    }
    // Two spans side by side.
    let (price, left) = tokio::join!(ask_price(&shop, id), stock(id));
    let price = price.map_err(|_| StatusCode::BAD_GATEWAY)?;
    // One that outlives the request.
    tokio::spawn(sleep(ms(40)).instrument(info_span!("mail receipt")));
    info!(id, left, "order shown");
    Ok(format!("{left} left, the price: {price}"))
}

#[instrument(fields(annotation.warehouse = "north"))]
async fn stock(id: u32) -> u32 {
    query("SELECT pieces FROM stock WHERE id = $1").await;
    sleep(ms(10)).instrument(info_span!("count reservations")).await;
    id * 6
}

pub(crate) async fn price(Path(id): Path<u32>) -> String {
    sleep(ms(15)).await;
    format!("{id}.50")
}

pub(crate) async fn payment(Path(order): Path<u32>) -> Result<(), StatusCode> {
    charge(order).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

pub(crate) async fn report() -> String {
    query("SELECT * FROM orders").await;
    for order in 1..=120 {
        sleep(ms(2)).instrument(info_span!("add to report", order)).await;
    }
    "120 orders".to_owned()
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
