//! The store's goals, measured: intake, resident memory, first pages of filters, the service graph.
//!
//! ```sh
//! cargo bench -p xray-local --bench goals -- --traces 1000000 --data /var/tmp/goals.db
//! ```
//!
//! A generator makes traces of three segments (a shop, its orders, its payments) with a database, a table, annotations
//! and a user, spread over six hours. With a file that is there already, only the questions are asked.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it measures, and prints what it measured"
)]

#[path = "goals/questions.rs"]
mod questions;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use xray_local::model::{Door, now};
use xray_local::store::{Options, Place, Store};

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut traces = 20_000_u64;
    let mut data = std::env::temp_dir().join(format!("xray-local-goals-{}.db", std::process::id()));
    let mut kept = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--traces" => {
                traces = arguments.next().and_then(|count| count.parse().ok()).expect("--traces COUNT");
            }
            "--data" => (data, kept) = (PathBuf::from(arguments.next().expect("--data FILE")), true),
            // What cargo adds.
            _ => {}
        }
    }
    let fresh = !data.exists();
    let options = Options { max_size: u64::MAX, ..Options::at(Place::File(data.clone())) };
    let store = Store::open(options).expect("a store");
    if fresh {
        ingest(&store, traces);
    }
    questions::ask(&store);
    println!("resident now {} MB, at most {} MB", memory("VmRSS"), memory("VmHWM"));
    drop(store);
    if !kept {
        for end in ["", "-wal", "-shm", ".lock"] {
            let _ = std::fs::remove_file(format!("{}{end}", data.display()));
        }
    }
}

/// Hands documents in as fast as the writer takes them, as datagrams are.
fn ingest(store: &Store, traces: u64) {
    let newest = now().seconds();
    let (before, sample) = (cpu_time(), traces.min(20_000));
    for number in 0..sample {
        std::hint::black_box(trace(number, newest));
    }
    // What the generator takes is not the store's.
    let made = (cpu_time() - before).mul_f64(traces as f64 / sample as f64);
    let (begun, before) = (Instant::now(), cpu_time());
    let mut segments = 0;
    for number in 0..traces {
        let start = newest - 6.0 * 3_600.0 * (traces - number) as f64 / traces as f64;
        let documents = trace(number, start);
        for document in documents {
            segments += 1;
            store.offer(document, Door::Udp);
        }
        // A sender faster than the store would only measure the bound of the queue.
        while store.counts().received - done(store) > 20_000 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    while done(store) < segments {
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = begun.elapsed();
    let cpu = (cpu_time() - before).saturating_sub(made);
    println!(
        "{traces} traces, {segments} segments in {:.1} s: {:.0} segments/s of wall time, {:.0} segments/s of CPU time \
         (the generator's {:.1} s are not counted)",
        took.as_secs_f64(),
        segments as f64 / took.as_secs_f64(),
        segments as f64 / cpu.as_secs_f64(),
        made.as_secs_f64()
    );
    println!("{:?}", store.counts());
    println!("file {} MB", std::fs::metadata(store.path()).map_or(0, |file| file.len() / 1_000_000));
}

fn done(store: &Store) -> u64 {
    let counts = store.counts();
    counts.stored + counts.refused + counts.repeated + counts.lost + counts.dropped_queue
}

/// The documents of one trace.
fn trace(number: u64, start: f64) -> Vec<Vec<u8>> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678;
    let mut next = || {
        state =
            (state ^ (state >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(0x94d0_49bb_1331_11eb);
        state ^ (state >> 27)
    };
    let id = format!("1-{:08x}-{:08x}{:016x}", start as u64, next() as u32, next());
    let ids: Vec<String> = (0..8).map(|_| format!("{:016x}", next())).collect();
    let length = 0.02 + (next() % 400) as f64 / 1_000.0;
    let (fault, error) = (next() % 100 == 0, next() % 50 == 0);
    let status = if fault {
        500
    } else if error {
        404
    } else {
        200
    };
    let at = |share: f64| start + length * share;
    let shop = json!({
        "name": "shop", "id": ids[0], "trace_id": id, "start_time": start, "end_time": at(1.0), "origin": "AWS::ECS::Container",
        "fault": fault, "error": error, "user": format!("user-{}", next() % 20_000),
        "http": {"request": {"method": "GET", "url": format!("https://shop.example/orders/{}", next() % 50_000),
                             "client_ip": "203.0.113.7", "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko"},
                 "response": {"status": status, "content_length": 1024}},
        "annotations": {"tenant": format!("tenant-{}", next() % 500), "items": next() % 40, "returning": next() % 2 == 0},
        "aws": {"xray": {"sdk": "X-Ray for Rust", "sdk_version": "0.1.0"}},
        "metadata": {"default": {"build": "2026-11-26", "feature_flags": ["a", "b", "c"]}},
        "subsegments": [{"id": ids[1], "name": "orders.internal", "namespace": "remote", "start_time": at(0.1),
                         "end_time": at(0.9), "fault": fault}],
    });
    let orders = json!({
        "name": "orders", "id": ids[2], "trace_id": id, "parent_id": ids[1], "start_time": at(0.12), "end_time": at(0.88),
        "origin": "AWS::EC2::Instance", "fault": fault,
        "subsegments": [
            {"id": ids[3], "name": "DynamoDB", "namespace": "aws", "start_time": at(0.2), "end_time": at(0.3),
             "aws": {"operation": "GetItem", "table_name": "orders", "region": "us-east-1"}},
            {"id": ids[4], "name": "orders@db", "namespace": "remote", "start_time": at(0.3), "end_time": at(0.5),
             "sql": {"sanitized_query": "SELECT * FROM orders WHERE id = $1"}},
            {"id": ids[5], "name": "payments", "namespace": "remote", "start_time": at(0.5), "end_time": at(0.85), "fault": fault},
        ],
    });
    let payments = json!({
        "name": "payments", "id": ids[6], "trace_id": id, "parent_id": ids[5], "start_time": at(0.52), "end_time": at(0.84),
        "origin": "AWS::ECS::Container", "fault": fault,
        "annotations": {"currency": "EUR"},
    });
    [shop, orders, payments].map(|document| document.to_string().into_bytes()).into()
}

/// A figure of `/proc/self/status`, in megabytes; 0 where there is none.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() / 1_000
}

/// CPU time of the process so far.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
