//! Libraries that describe no query: `redis` with and without `deadpool`, `diesel`, `rusqlite`, and a statement of
//! `sqlx` that fails. Each by the guide's recipe.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by it, and may have threads"
)]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ecosystem::{Rig, find, flags, picture};
use redis::AsyncCommands;
use serde_json::{Value, json};
use tempfile::TempDir;
use tracing::{Instrument, info_span};
use xray_sdk::local::Trace;
use xray_tracing_layer::query;

/// Documents of the calls below the only segment, in the order in which they were done.
fn calls(trace: &Trace) -> Vec<Value> {
    find(trace, "shop").children().map(|call| call.json().clone()).collect()
}

fn statement(call: &Value) -> &str {
    call["sql"]["sanitized_query"].as_str().unwrap()
}

fn message(call: &Value) -> &str {
    call["cause"]["exceptions"][0]["message"].as_str().unwrap()
}

/// A Redis that ends with this value: the real server if it is installed, else one that knows what is asked here.
struct Redis {
    url: String,
    server: Option<(Child, TempDir)>,
}

impl Redis {
    fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let socket = dir.path().join("redis.sock");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(&socket).stdout(Stdio::null());
        match command.spawn() {
            Ok(child) => {
                let url = format!("unix://{}", socket.display());
                let server = Self { url, server: Some((child, dir)) };
                let began = Instant::now();
                while std::os::unix::net::UnixStream::connect(&socket).is_err() {
                    assert!(began.elapsed() < Duration::from_secs(60), "redis-server does not listen");
                    std::thread::sleep(Duration::from_millis(5));
                }
                server
            }
            Err(_) => Self { url: serve(), server: None },
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.server {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            std::thread::spawn(move || converse(connection?));
        }
        io::Result::Ok(())
    });
    url
}

/// Commands are arrays of strings: `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`.
fn converse(mut connection: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    loop {
        let number = |reader: &mut BufReader<TcpStream>| -> io::Result<usize> {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            line.trim_end()[1..].parse().map_err(io::Error::other)
        };
        let count = number(&mut reader)?;
        let mut words = Vec::new();
        for _ in 0..count {
            let mut word = vec![0; number(&mut reader)? + 2];
            reader.read_exact(&mut word)?;
            words.push(String::from_utf8_lossy(&word[..word.len() - 2]).into_owned());
        }
        connection.write_all(match &*words[0] {
            "GET" => b"$5\r\nalice\r\n",
            "INCR" => b"-ERR value is not an integer or out of range\r\n",
            _ => b"+OK\r\n",
        })?;
    }
}

fn assert_commands_of_redis(trace: &Trace, name: &str) {
    assert_eq!(
        picture(trace),
        format!("◆ shop\n├─ {name} [remote]\n├─ {name} [remote]\n└─ {name} [remote]  fault\n")
    );
    let calls = calls(trace);
    assert_eq!(calls.iter().map(statement).collect::<Vec<_>>(), ["SET ? ?", "GET ?", "INCR ?"]);
    assert!(calls.iter().all(|call| call["metadata"]["default"]["db.system"] == "redis"));
    assert!(message(&calls[2]).contains("not an integer"), "{}", calls[2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_of_redis_are_subsegments_without_their_arguments() {
    let rig = Rig::new();
    let server = Redis::start();
    let client = redis::Client::open(&*server.url).unwrap();
    async {
        let mut redis = client.get_multiplexed_async_connection().await.unwrap();
        let set = query("redis", "SET customer:7 alice");
        let () = set.instrument(redis.set("customer:7", "alice")).await.unwrap();
        let name: String =
            query("redis", "GET customer:7").instrument(redis.get("customer:7")).await.unwrap();
        assert_eq!(name, "alice");
        let bad = query("redis", "INCR customer:7").instrument(redis.incr("customer:7", 1));
        let _: i64 = redis::RedisResult::<i64>::unwrap_err(bad.await).code().map_or(0, |_| 1);
    }
    .instrument(info_span!("order"))
    .await;
    assert_commands_of_redis(&rig.trace_of(4), "redis");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_on_a_connection_of_deadpool_are_too() {
    let rig = Rig::new();
    let server = Redis::start();
    let pool = deadpool_redis::Config::from_url(&*server.url).create_pool(None).unwrap();
    async {
        let mut redis = pool.get().instrument(info_span!("connect")).await.unwrap();
        let on = |command: &str| query("redis", command).database("0").host("cache.example");
        let () = on("SET customer:7 alice").instrument(redis.set("customer:7", "alice")).await.unwrap();
        let _: String = on("GET customer:7").instrument(redis.get("customer:7")).await.unwrap();
        let bad: Result<i64, _> = on("INCR customer:7").instrument(redis.incr("customer:7", 1)).await;
        bad.unwrap_err();
    }
    .instrument(info_span!("order"))
    .await;
    let trace = rig.trace_of(5);
    assert_eq!(
        format!("\n{}", picture(&trace)),
        "
◆ shop
├─ connect
├─ 0@cache.example [remote]
├─ 0@cache.example [remote]
└─ 0@cache.example [remote]  fault
"
    );
}

#[test]
fn statements_of_rusqlite_are_subsegments_without_their_literals() {
    use rusqlite::OptionalExtension;
    let rig = Rig::new();
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT UNIQUE)").unwrap();
    info_span!("order").in_scope(|| {
        let insert = "INSERT INTO orders (id, customer) VALUES (7, 'alice')";
        query("sqlite", insert).in_scope(|| db.execute(insert, [])).unwrap();
        let select = "SELECT id FROM orders WHERE customer = ?1";
        let row = query("sqlite", select).database("orders");
        let found = row.in_scope(|| db.query_row(select, ["bob"], |row| row.get::<_, i64>(0)).optional());
        assert_eq!(found.unwrap(), None);
        query("sqlite", insert).in_scope(|| db.execute(insert, [])).unwrap_err();
    });
    let trace = rig.trace_of(4);
    assert_eq!(
        format!("\n{}", picture(&trace)),
        "
◆ shop
├─ shop database [remote]
├─ orders [remote]
└─ shop database [remote]  fault
"
    );
    let calls = calls(&trace);
    let sql = |text: &str| json!({"database_type": "sqlite", "sanitized_query": text});
    assert_eq!(calls[0]["sql"], sql("INSERT INTO orders (id, customer) VALUES (?, ?)"));
    assert_eq!(calls[1]["sql"], sql("SELECT id FROM orders WHERE customer = ?1"));
    assert_eq!(flags(&calls[1]), [""; 0], "a row that may be missing");
    assert!(message(&calls[2]).contains("UNIQUE constraint failed"), "{}", calls[2]);
    let sent = rig.received().documents()[0].text().to_owned();
    assert!(!sent.contains("alice") && !sent.contains("bob"), "{sent}");
}

mod with_diesel {
    use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
    use diesel::prelude::*;

    use super::*;

    diesel::table! {
        orders (id) {
            id -> Integer,
            customer -> Nullable<Text>,
        }
    }

    fn instrumentation() -> Option<Box<dyn Instrumentation>> {
        let mut open = None;
        Some(Box::new(move |event: InstrumentationEvent<'_>| match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                open = Some(xray_tracing_layer::query("sqlite", query.to_string()));
            }
            InstrumentationEvent::FinishQuery { error, .. } => {
                if let (Some(query), Some(err)) = (open.take(), error) {
                    query.record_error(err);
                }
            }
            _ => {}
        }))
    }

    #[test]
    fn every_query_of_diesel_is_a_subsegment_by_its_instrumentation() {
        let rig = Rig::new();
        set_default_instrumentation(instrumentation).unwrap();
        let mut db = SqliteConnection::establish(":memory:").unwrap();
        let create = "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT UNIQUE)";
        diesel::sql_query(create).execute(&mut db).unwrap();
        let before = rig.handle().stats().closed;
        info_span!("order").in_scope(|| {
            let alice = (orders::id.eq(7), orders::customer.eq("alice"));
            diesel::insert_into(orders::table).values(alice).execute(&mut db).unwrap();
            let found = orders::table.filter(orders::customer.eq("bob")).select(orders::id);
            assert_eq!(found.first::<i32>(&mut db).optional().unwrap(), None);
            diesel::insert_into(orders::table).values(alice).execute(&mut db).unwrap_err();
        });
        assert_eq!(rig.handle().stats().closed, before + 4);
        let traces = rig.received().traces();
        let trace = traces.iter().find(|trace| trace.span_count() == 4).unwrap();
        assert_eq!(
            format!("\n{}", picture(trace)),
            "
◆ shop
├─ shop database [remote]
├─ shop database [remote]
└─ shop database [remote]  fault
"
        );
        let calls = calls(trace);
        let insert = "INSERT INTO `orders` (`id`, `customer`) VALUES (?, ?)";
        assert_eq!(statement(&calls[0]).trim_end(), insert);
        assert!(statement(&calls[1]).starts_with("SELECT `orders`.`id` FROM `orders` WHERE"), "{}", calls[1]);
        assert!(message(&calls[2]).contains("UNIQUE constraint failed"), "{}", calls[2]);
        let sent = rig.received().documents().iter().map(xray_sdk::local::Document::text).collect::<String>();
        assert!(!sent.contains("alice") && !sent.contains("bob"), "bound values are in a comment: {sent}");
    }
}

/// sqlx's event has no error. A query around the statement takes the event in, and has the error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_of_sqlx_that_fails_is_a_fault_within_a_query() {
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
    let rig = Rig::new();
    let dir = TempDir::new().unwrap();
    let options = SqliteConnectOptions::new().filename(dir.path().join("shop.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY)").execute(&pool).await.unwrap();
    async {
        for fails in [false, true] {
            let sql = "INSERT INTO orders (id) VALUES (7)";
            let done = query("sqlite", sql).database("orders").instrument(sqlx::query(sql).execute(&pool));
            assert_eq!(done.await.is_err(), fails);
        }
    }
    .instrument(info_span!("order"))
    .await;
    let trace = rig.trace_of(3);
    assert_eq!(picture(&trace), "◆ shop\n├─ orders [remote]\n└─ orders [remote]  fault\n");
    let calls = calls(&trace);
    assert!(calls.iter().all(|call| statement(call) == "INSERT INTO orders (id) VALUES (?)"));
    let rows = |call: &Value| call["metadata"]["default"]["rows_affected"].clone();
    assert_eq!(calls.iter().map(rows).collect::<Vec<_>>(), [1, 0]);
    assert!(message(&calls[1]).contains("UNIQUE constraint failed"), "{}", calls[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_is_given_up_ends_without_an_error() {
    let rig = Rig::new();
    async {
        let never = std::future::pending::<Result<(), io::Error>>();
        let slow = query("postgresql", "SELECT pg_sleep(10)").instrument(never);
        tokio::time::timeout(Duration::from_millis(5), slow).await.unwrap_err();
        drop(query("postgresql", "SELECT 1").instrument(std::future::pending::<Result<(), io::Error>>()));
    }
    .instrument(info_span!("order"))
    .await;
    let calls = calls(&rig.trace_of(3));
    assert_eq!(calls.iter().map(statement).collect::<Vec<_>>(), ["SELECT pg_sleep(?)", "SELECT ?"]);
    assert!(calls.iter().all(|call| flags(call).is_empty()));
}
