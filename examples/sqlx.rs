//! A database: each statement that sqlx runs is a subsegment. Bound values never get into it.
//!
//! `cargo run --features sqlx --bin sqlx` keeps its orders in an SQLite database in memory.

use std::time::Duration;

use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use tracing::instrument;
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let layer = xray_tracing_layer::builder()
        .service_name("shop")
        .database("sqlite", "orders@memory") // sqlx does not say which database it talks to
        .report_problems(Duration::from_secs(10))
        .build()?;
    tracing_subscriber::registry().with(layer).init();

    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT)").execute(&pool).await?;
    println!("{} orders", order(&pool, "alice@example.com").await?);
    pool.close().await; // SQLite's thread in sqlx holds the span of a statement for a moment longer than the caller
    Ok(())
}

// With `err`, since sqlx does not report that a statement failed.
#[instrument(skip_all, err)]
async fn order(pool: &SqlitePool, customer: &str) -> Result<i64, sqlx::Error> {
    sqlx::query("INSERT INTO orders (customer) VALUES (?)").bind(customer).execute(pool).await?;
    let count = sqlx::query_scalar("SELECT count(*) FROM orders WHERE customer = ?").bind(customer);
    count.fetch_one(pool).await
}
