//! Draws the traces that programs on this machine send, in place of the X-Ray daemon.
//!
//! `cargo run --bin watch` listens at the daemon's default address, `127.0.0.1:2000`, or at the one in
//! `AWS_XRAY_DAEMON_ADDRESS`. Any program with the layer is drawn while it runs.

use std::collections::HashMap;
use std::time::Duration;

use xray_sdk::DaemonAddress;
use xray_sdk::local::{Collector, Waterfall};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::var("AWS_XRAY_DAEMON_ADDRESS").ok().filter(|address| !address.trim().is_empty());
    let address: DaemonAddress = address.map_or(Ok(DaemonAddress::default()), |address| address.parse())?;
    let collector = Collector::bind(address.udp())?;
    println!("listening on {}", collector.address());

    let mut drawn = HashMap::new();
    loop {
        let received = collector.received();
        for trace in received.traces() {
            // Again, if more of it came.
            if drawn.insert(trace.id().to_owned(), trace.span_count()) != Some(trace.span_count()) {
                println!("\n{}", Waterfall::for_stdout(&trace));
            }
        }
        let mut documents = received.documents().len();
        if documents > 1000 {
            collector.clear();
            (documents, drawn) = (0, HashMap::new());
        }
        collector.wait_for_documents(documents + 1, Duration::from_secs(3600));
    }
}
