//! A program with our own layer, for the tests in Python: goes on with the trace of the header that it is given, at the
//! daemon that `AWS_XRAY_DAEMON_ADDRESS` names, and asks that daemon for the sampling rules.

use std::error::Error;
use std::time::Duration;

use tracing_subscriber::prelude::*;
use xray_sdk::sampling::CentralSampler;
use xray_tracing_layer::XraySpanExt as _;

fn main() -> Result<(), Box<dyn Error>> {
    let header = std::env::args().nth(1).ok_or("usage: layer_client TRACE_HEADER")?;
    let (layer, handle) = xray_tracing_layer::builder()
        .service_name("rust")
        .sampler(CentralSampler::new())
        .build_with_handle()?;
    tracing_subscriber::registry().with(layer).init();

    let request = tracing::info_span!("request");
    request.set_trace_header(&header.parse()?);
    request.in_scope(|| tracing::info_span!("work", annotation.language = "rust").in_scope(|| ()));
    drop(request);

    // A trace of its own, which the server's rules decide about.
    tracing::info_span!("own").in_scope(|| ());
    if !handle.flush(Duration::from_secs(30)) {
        return Err(format!("not everything was sent: {:?}", handle.stats()).into());
    }
    Ok(())
}
