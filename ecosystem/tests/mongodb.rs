//! `mongodb`, and a server on the loopback that speaks as much of its protocol as the driver needs.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by it, and may have threads"
)]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use ecosystem::{Rig, find, picture};
use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, ServerApi, ServerApiVersion};
use mongodb::{Client, Database};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::{Instrument, info_span};
use xray_sdk::local::Node;

/// Serves any number of connections. Commands that are called `hang` are told, and never answered.
fn serve() -> (u16, UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (hangs, hanging) = unbounded_channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let hangs = hangs.clone();
            std::thread::spawn(move || converse(connection?, &hangs));
        }
        io::Result::Ok(())
    });
    (port, hanging)
}

/// Messages of the kind `OP_MSG`: a header of four numbers, flags, and a document in the only section.
fn converse(mut connection: TcpStream, hangs: &UnboundedSender<()>) -> io::Result<()> {
    const OP_MSG: i32 = 2013;
    let mut header = [0; 16];
    loop {
        connection.read_exact(&mut header)?;
        let number =
            |at: usize| i32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        assert_eq!(number(12), OP_MSG);
        let mut body = vec![0; number(0) as usize - header.len()];
        connection.read_exact(&mut body)?;
        let command = Document::from_reader(&body[5..]).unwrap();
        let Some(answer) = answer(command.keys().next().unwrap()) else {
            hangs.send(()).unwrap();
            continue;
        };
        let mut message = Vec::new();
        let document = answer.to_vec().unwrap();
        let length = (header.len() + 5 + document.len()) as i32;
        for part in [length, 0, number(4), OP_MSG, 0] {
            message.extend(part.to_le_bytes());
        }
        message.push(0);
        message.extend(document);
        connection.write_all(&message)?;
    }
}

fn answer(command: &str) -> Option<Document> {
    Some(match command {
        "hello" => doc! {
            "ok": 1, "helloOk": true, "isWritablePrimary": true, "maxBsonObjectSize": 16 << 20,
            "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000, "minWireVersion": 0, "maxWireVersion": 21,
        },
        "find" => {
            doc! { "ok": 1, "cursor": { "id": 0_i64, "ns": "shop.orders", "firstBatch": [{ "customer": "alice" }] } }
        }
        "insert" => doc! { "ok": 0, "code": 13, "codeName": "Unauthorized", "errmsg": "not authorized" },
        "hang" => return None,
        _ => doc! { "ok": 1 },
    })
}

async fn shop(port: u16) -> Database {
    let mut options =
        ClientOptions::parse(format!("mongodb://127.0.0.1:{port}/?directConnection=true")).await.unwrap();
    options.server_api = Some(ServerApi::builder().version(ServerApiVersion::V1).build());
    let shop = Client::with_options(options).unwrap().database("shop");
    shop.run_command(doc! { "ping": 1 }).await.unwrap();
    shop
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_subsegments_and_one_that_fails_is_a_fault() {
    let rig = Rig::new();
    let (port, _) = serve();
    let shop = shop(port).await;
    async {
        let found = shop.collection::<Document>("orders").find_one(doc! { "customer": "alice" }).await;
        assert_eq!(found.unwrap().unwrap().get_str("customer").ok(), Some("alice"));
        shop.collection::<Document>("orders").insert_one(doc! { "customer": "bob" }).await.unwrap_err();
    }
    .instrument(info_span!("order"))
    .await;
    let trace = rig.trace_of(3);
    assert_eq!(
        format!("\n{}", picture(&trace)),
        "
◆ shop
├─ shop@127.0.0.1 [remote]
└─ shop@127.0.0.1 [remote]  fault
"
    );
    let calls: Vec<_> = find(&trace, "shop").children().map(|call| call.json().clone()).collect();
    let [found, refused] = calls.as_slice() else { panic!("{calls:?}") };
    let all = rig.received().documents()[0].text().to_owned();
    assert!(!all.contains("alice") && !all.contains("bob"), "neither commands nor replies: {all}");
    let said = |operation: &str| json!({"default": {"db.operation.name": operation, "db.system": "mongodb"}});
    assert_eq!((&found["metadata"], &refused["metadata"]), (&said("find"), &said("insert")));
    let message = refused["cause"]["exceptions"][0]["message"].as_str().unwrap();
    assert!(message.contains("not authorized"), "{message}");
    assert!(found.get("sql").is_none() && found.get("http").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_cancelled_is_not_told_and_the_next_is_itself() {
    let rig = Rig::new();
    let (port, mut hanging) = serve();
    let shop = shop(port).await;
    async {
        tokio::select! {
            answer = shop.run_command(doc! { "hang": 1 }) => panic!("{answer:?}"),
            hangs = hanging.recv() => hangs.unwrap(),
        }
        shop.run_command(doc! { "ping": 1 }).await.unwrap();
    }
    .instrument(info_span!("order"))
    .await;
    let trace = rig.trace_of(2);
    let operation = |call: Node<'_>| call.json()["metadata"]["default"]["db.operation.name"].clone();
    let operations: Vec<_> = find(&trace, "shop").children().map(operation).collect();
    assert_eq!(operations, ["ping"]);
}
