//! `sqlx`, `sqlx-tracing` and `sea-orm`, each with a database file.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use ecosystem::{Rig, find, picture};
use futures_util::StreamExt;
use log::LevelFilter;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Executor, Row};
use std::time::Duration;
use tempfile::TempDir;
use tracing::{Instrument, info_span};
use xray_sdk::local::Trace;

/// One connection to a new file, with a table of orders.
async fn shop(options: SqliteConnectOptions) -> (SqlitePool, TempDir) {
    let dir = TempDir::new().unwrap();
    let options = options.filename(dir.path().join("shop.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    pool.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT UNIQUE)").await.unwrap();
    (pool, dir)
}

/// Documents of the calls below the only segment, in the order in which they were done.
fn calls(trace: &Trace) -> Vec<Value> {
    find(trace, "shop").children().map(|call| call.json().clone()).collect()
}

fn texts(calls: &[Value]) -> Vec<&str> {
    calls.iter().map(|call| call["sql"]["sanitized_query"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_of_sqlx_is_a_subsegment_of_the_span_it_was_made_in() {
    let rig = Rig::new();
    let (pool, _dir) = shop(SqliteConnectOptions::new()).await;
    async {
        let insert = sqlx::query("INSERT INTO orders (id, customer) VALUES (?, 'alice')").bind(7);
        insert.execute(&pool).await.unwrap();
        let select = sqlx::query("SELECT id FROM orders WHERE customer = $1").bind("alice");
        assert_eq!(select.fetch_one(&pool).await.unwrap().get::<i64, _>(0), 7);
        pool.execute("SELECT 17").await.unwrap();
    }
    .instrument(info_span!("order"))
    .await;
    let trace = rig.trace_of(4);
    let picture = picture(&trace);
    assert_eq!(
        format!("\n{picture}"),
        "
◆ shop
├─ shop database [remote]
├─ shop database [remote]
└─ shop database [remote]
"
    );
    let (root, calls) = (trace.roots().next().unwrap(), calls(&trace));
    let expected = [
        ("INSERT INTO orders (id, customer) VALUES (?, ?)", 0),
        ("SELECT id FROM orders WHERE customer = $1", 1),
        ("SELECT ?", 1), // four words and fewer are in another field
    ];
    assert_eq!(texts(&calls), expected.map(|(text, _)| text));
    // For a SELECT, SQLite tells again what the statement before it had affected.
    assert_eq!(calls[0]["metadata"]["default"], json!({"rows_affected": 1, "rows_returned": 0}));
    for (call, (text, returned)) in calls.iter().zip(expected) {
        assert_eq!(call["sql"], json!({"sanitized_query": text}));
        assert_eq!(call["metadata"]["default"]["rows_returned"], returned, "{text}");
        let (start, end) = (call["start_time"].as_f64().unwrap(), call["end_time"].as_f64().unwrap());
        assert!(root.start() <= start && start < end && Some(end) <= root.end(), "{call} in {}", root.json());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_statement_is_told_at_another_level_and_no_error() {
    for level in [LevelFilter::Warn, LevelFilter::Error, LevelFilter::Info] {
        let rig = Rig::new();
        let options = SqliteConnectOptions::new().log_slow_statements(level, Duration::from_nanos(1));
        let (pool, _dir) = shop(options).await;
        async { pool.execute("SELECT id FROM orders WHERE id = 1").await.unwrap() }
            .instrument(info_span!("order"))
            .await;
        let trace = rig.trace_of(2);
        let call = &calls(&trace)[0];
        assert_eq!(texts(&calls(&trace)), ["SELECT id FROM orders WHERE id = ?"]);
        assert_eq!(call["metadata"]["default"]["slow_threshold"], "1ns");
        assert!(call.get("fault").is_none() && find(&trace, "shop").json().get("fault").is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_fails_is_shown_as_sqlx_tells_it_and_its_error_where_it_is_recorded() {
    #[tracing::instrument(err, skip_all)]
    async fn order(pool: &SqlitePool) -> Result<(), sqlx::Error> {
        for _ in 0..2 {
            pool.execute("INSERT INTO orders (customer) VALUES ('bob')").await?;
        }
        Ok(())
    }
    let rig = Rig::new();
    let (pool, _dir) = shop(SqliteConnectOptions::new()).await;
    order(&pool).await.unwrap_err();
    let trace = rig.trace_of(3);
    let calls = calls(&trace);
    let rows = |call: &Value| call["metadata"]["default"]["rows_affected"].clone();
    assert_eq!(calls.iter().map(rows).collect::<Vec<_>>(), [1, 0]);
    assert!(calls.iter().all(|call| call.get("fault").is_none()), "sqlx does not say");
    let root = find(&trace, "shop").json().clone();
    assert_eq!(root["fault"], true);
    let message = root["cause"]["exceptions"][0]["message"].as_str().unwrap();
    assert!(message.contains("UNIQUE constraint failed"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_in_a_transaction_belong_to_the_span_that_makes_them() {
    let rig = Rig::new();
    let (pool, _dir) = shop(SqliteConnectOptions::new()).await;
    async {
        let mut transaction = pool.begin().await.unwrap();
        async {
            transaction.execute("INSERT INTO orders (customer) VALUES ('bob')").await.unwrap();
            transaction.execute("DELETE FROM orders WHERE id = 7").await.unwrap();
        }
        .instrument(info_span!("change"))
        .await;
        transaction.rollback().await.unwrap();
    }
    .instrument(info_span!("order"))
    .await;
    assert_eq!(
        format!("\n{}", picture(&rig.trace_of(4))),
        "
◆ shop
└─ change
   ├─ shop database [remote]
   └─ shop database [remote]
"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_is_cancelled_ends_when_its_driver_gives_it_up() {
    let rig = Rig::new();
    let (pool, _dir) = shop(SqliteConnectOptions::new()).await;
    const COUNT: &str = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c";
    async {
        let mut rows = sqlx::query(COUNT).fetch(&pool);
        assert!(rows.next().await.unwrap().is_ok());
        // There are more, without end.
    }
    .instrument(info_span!("order"))
    .await;
    let call = calls(&rig.trace_of(2)).remove(0);
    assert!(call["metadata"]["default"]["rows_returned"].as_u64().unwrap() >= 1, "{call}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_outside_of_a_span_is_not_recorded() {
    let rig = Rig::new();
    let before = rig.handle().stats().closed;
    let (pool, _dir) = shop(SqliteConnectOptions::new()).await;
    pool.execute("SELECT id FROM orders WHERE id = 1").await.unwrap();
    pool.close().await;
    assert_eq!(rig.handle().stats().closed, before);
    assert!(rig.received().traces().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_spans_of_sqlx_tracing_are_the_statements_and_the_events_add_to_them() {
    let rig = Rig::new();
    let (pool, dir) = shop(SqliteConnectOptions::new()).await;
    pool.close().await;
    let url = format!("sqlite:{}", dir.path().join("shop.db").display());
    let pool = sqlx_0_8::SqlitePool::connect(&url).await.unwrap();
    let pool = sqlx_tracing::PoolBuilder::from(pool).with_database("shop").with_host("db.example").build();
    async {
        let insert = sqlx_0_8::query("INSERT INTO orders (id, customer) VALUES (7, ?)").bind("alice");
        insert.execute(&pool).await.unwrap();
        let missing = sqlx_0_8::query("SELECT id FROM orders WHERE id = ?").bind(8);
        assert!(missing.fetch_one(&pool).await.is_err());
    }
    .instrument(info_span!("order"))
    .await;
    let trace = rig.trace_of(3);
    assert_eq!(
        format!("\n{}", picture(&trace)),
        "
◆ shop
├─ shop@db.example [remote]
└─ shop@db.example [remote]  fault
"
    );
    let calls = calls(&trace);
    let sql = |text: &str| json!({"database_type": "sqlite", "sanitized_query": text});
    assert_eq!(calls[0]["sql"], sql("INSERT INTO orders (id, customer) VALUES (?, ?)"));
    assert_eq!(calls[1]["sql"], sql("SELECT id FROM orders WHERE id = ?"));
    assert_eq!(calls[0]["metadata"]["default"]["rows_affected"], 1);
}

#[expect(unreachable_pub, reason = "the derive wants it so")]
mod orders {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "orders")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub customer: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_spans_of_sea_orm_are_the_statements_too() {
    use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, SqlxSqliteConnector};
    let rig = Rig::new();
    let (pool, _dir) = shop(SqliteConnectOptions::new()).await;
    let db = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
    async {
        let alice = orders::ActiveModel { customer: Set(Some("alice".to_owned())), ..Default::default() };
        let id = orders::Entity::insert(alice).exec(&db).await.unwrap().last_insert_id;
        assert!(orders::Entity::find_by_id(id).one(&db).await.unwrap().is_some());
        db.execute_unprepared("DELETE FROM orders WHERE customer = 'alice'").await.unwrap();
        db.execute_unprepared("DELETE FROM nothing").await.unwrap_err();
    }
    .instrument(info_span!("order"))
    .await;
    let trace = rig.trace_of(5);
    let calls = calls(&trace);
    assert_eq!(
        format!("\n{}", picture(&trace)),
        "
◆ shop
├─ shop database [remote]
├─ shop database [remote]
├─ shop database [remote]
└─ shop database [remote]  fault
"
    );
    assert_eq!(
        texts(&calls),
        [
            r#"INSERT INTO "orders" ("customer") VALUES (?)"#,
            r#"SELECT "orders"."id", "orders"."customer" FROM "orders" WHERE "orders"."id" = ? LIMIT ?"#,
            "DELETE FROM orders WHERE customer = ?",
            "DELETE FROM nothing",
        ]
    );
}
