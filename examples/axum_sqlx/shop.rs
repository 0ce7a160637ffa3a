//! The shop: orders in a database, prices from elsewhere. Nothing here knows of traces but the client, which has a
//! middleware.

use std::path::Path as File;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Router, routing::get};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tracing::{info, warn};
use xray_tracing_layer::XrayMiddleware;

#[derive(Clone)]
struct Shop {
    orders: SqlitePool,
    client: ClientWithMiddleware,
    prices: String,
}

pub(crate) async fn router(file: &File, prices: String) -> Result<Router, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let orders = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT, shown INTEGER DEFAULT 0)")
        .execute(&orders)
        .await?;
    sqlx::query("INSERT INTO orders (id, what) VALUES (7, 'paper')").execute(&orders).await?;
    let client = ClientBuilder::new(reqwest::Client::new()).with(XrayMiddleware::new()).build();
    Ok(Router::new().route("/orders/{id}", get(order)).with_state(Shop { orders, client, prices }))
}

async fn order(State(shop): State<Shop>, Path(id): Path<i64>) -> Result<String, StatusCode> {
    let what = shop.what(id).await.map_err(|err| {
        warn!("order {id}: {err}");
        StatusCode::NOT_FOUND
    })?;
    let answer = shop.client.get(format!("{}/prices/{what}", shop.prices)).send().await;
    let answer = answer.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let price = answer.text().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    info!("order {id} is shown");
    Ok(format!("{what} for {price}"))
}

impl Shop {
    async fn what(&self, id: i64) -> Result<String, sqlx::Error> {
        let found = sqlx::query_scalar("SELECT what FROM orders WHERE id = ?").bind(id);
        let what: String = found.fetch_one(&self.orders).await?;
        // In one transaction, and with a value where a placeholder would be better.
        let mut transaction = self.orders.begin().await?;
        let count = format!("UPDATE orders SET shown = shown + 1 WHERE what = '{what}'");
        sqlx::query(&count).execute(&mut *transaction).await?;
        let shown = sqlx::query_scalar::<_, i64>("SELECT shown FROM orders WHERE id = ?").bind(id);
        info!("order {id} was shown {} times", shown.fetch_one(&mut *transaction).await?);
        transaction.commit().await?;
        Ok(what)
    }
}
