//! The cost of a call with and without the layer and the interceptor, on one thread, against an endpoint on another.
//! The test prints, and judges nothing:
//!
//! ```text
//! cargo test --release -p ecosystem --test aws_sdk -- cost --ignored --nocapture
//! ```

use std::time::{Duration, Instant};

use tracing::dispatcher::{Dispatch, with_default};
use tracing::{Instrument, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;
use xray_sdk::local::Collector;
use xray_sdk::sampling::{Always, Never};
use xray_tracing_layer::Builder;

use crate::endpoint::{Answer::Say, Endpoint};
use crate::shop::{Setup, Shop};

const CALLS: usize = 100;
const ROUNDS: usize = 101;

struct Program {
    name: &'static str,
    dispatch: Dispatch,
    shop: Shop,
    took: Vec<Duration>,
}

#[test]
#[ignore = "measures, and takes its time"]
fn cost() {
    let collector = Collector::start().unwrap();
    let builder = || {
        let address = collector.daemon_address();
        xray_tracing_layer::builder().service_name("shop").daemon_address(&address).sampler(Always)
    };
    let with =
        |builder: Builder| Dispatch::new(tracing_subscriber::registry().with(builder.build().unwrap()));
    let hidden = builder().filter(LevelFilter::INFO).build().unwrap();
    let unsampled_hidden = builder().sampler(Never).filter(LevelFilter::INFO).build().unwrap();
    let programs = [
        ("no layer", false, Dispatch::none()),
        ("layer", false, with(builder())),
        ("layer, interceptor", true, with(builder())),
        ("layer, interceptor, hidden", true, Dispatch::new(tracing_subscriber::registry().with(hidden))),
        ("layer, unsampled", false, with(builder().sampler(Never))),
        ("layer, interceptor, unsampled", true, with(builder().sampler(Never))),
        (
            "layer, interceptor, unsampled, hidden",
            true,
            Dispatch::new(tracing_subscriber::registry().with(unsampled_hidden)),
        ),
    ];
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answers = vec![Say(200, &[("x-amzn-requestid", "R1")], "{}"); CALLS * (ROUNDS + 1)];
    let mut programs = programs.map(|(name, interceptor, dispatch)| {
        let endpoint = servers.block_on(Endpoint::start(&answers));
        let setup = Setup { interceptor, sees_operations: true, logs_all: false };
        Program { name, dispatch, shop: Shop::new(endpoint, setup), took: Vec::new() }
    });
    for round in 0..=ROUNDS {
        for program in &mut programs {
            let took = with_default(&program.dispatch, || {
                let calls = async {
                    for _ in 0..CALLS {
                        program.shop.dynamodb.get_item().table_name("orders").send().await.unwrap();
                    }
                };
                let start = Instant::now();
                client.block_on(calls.instrument(info_span!("order")));
                start.elapsed()
            });
            // The first makes connections.
            if round > 0 {
                program.took.push(took / CALLS as u32);
            }
            program.shop.endpoint.requests();
            collector.clear();
        }
    }
    for Program { name, took, .. } in &mut programs {
        took.sort();
        let at = |share: usize| took[took.len() * share / 100];
        println!("{name:40} {:>8.1?} {:>8.1?} {:>8.1?}", at(10), at(50), at(90));
    }
}
