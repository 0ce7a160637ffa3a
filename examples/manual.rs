//! Segments by hand, with `xray-sdk` alone: for code that does not use `tracing`.
//!
//! A gateway calls a billing service. Both are in this program, and the only link between them is the trace header that
//! the call carries.

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

use xray_sdk::document::{Exception, Http, Namespace, Segment, Sql, Subsegment};
use xray_sdk::{DaemonAddress, Emitter, TraceHeader, TraceId, UdpEmitter};

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::var("AWS_XRAY_DAEMON_ADDRESS").ok().filter(|address| !address.trim().is_empty());
    let address: DaemonAddress = address.map_or(Ok(DaemonAddress::default()), |address| address.parse())?;
    let emitter = UdpEmitter::new(&address);

    let mut gateway = Segment::begin("gateway", TraceId::new());
    gateway.annotate("tenant", "blue");
    let mut call = Subsegment::begin("billing").with_namespace(Namespace::Remote);
    // Travels with the request, as the HTTP header `TraceHeader::NAME`.
    let header = gateway.trace_header_for(&call).to_string();
    let status = billing(&header, &emitter)?;
    call.set_http(&Http::request("POST", "http://billing.example/invoices").status(status));
    gateway.attach(call);
    gateway.set_http(&Http::request("POST", "http://shop.example/checkout").status(502));
    gateway.emit(&emitter)?;
    println!("two documents sent to {address}");
    Ok(())
}

/// The called service: continues the caller's trace, and sends a segment of its own.
fn billing(header: &str, emitter: &impl Emitter) -> Result<u16, Box<dyn Error>> {
    let header: TraceHeader = header.parse()?;
    let mut segment = Segment::continued("billing", &header);
    segment.set_user("customer-7");

    let mut query = Subsegment::begin("invoices@db.example").with_namespace(Namespace::Remote);
    query.set_sql(&Sql::query("PostgreSQL", "INSERT INTO invoices VALUES ($1, $2)"));
    sleep(Duration::from_millis(20));
    segment.attach(query);

    let mut print = Subsegment::begin("print invoice");
    print.add_metadata("printer", "tray", &serde_json::json!({ "size": "A4", "sheets": 0 }));
    print.add_exception(&Exception::new("OutOfPaper", "tray 2 is empty"));
    sleep(Duration::from_millis(10));
    segment.attach(print);

    segment.set_http(&Http::request("POST", "http://billing.example/invoices").status(503));
    segment.emit(emitter)?;
    Ok(503)
}
