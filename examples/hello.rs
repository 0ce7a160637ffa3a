//! The smallest program with a trace: a layer, a span. Runs with or without a daemon: unless
//! `AWS_XRAY_DAEMON_ADDRESS` names one, a collector inside this program takes its place and draws the trace.

use std::time::Duration;

use tracing_subscriber::prelude::*;
use xray_sdk::local::{Collector, Waterfall};

#[expect(clippy::print_stdout, reason = "what an example is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let collector = Collector::start()?;
    let layer = xray_tracing_layer::builder().daemon_address(&collector.daemon_address()).build()?;
    tracing_subscriber::registry().with(layer).init();

    tracing::info_span!("greet", annotation.whom = "world").in_scope(|| ());

    collector.wait_for_documents(1, Duration::from_secs(1));
    collector.received().traces().iter().for_each(|trace| println!("{}", Waterfall::for_stdout(trace)));
    Ok(())
}
