//! A test of one's own traces: `cargo test -p examples --test testing`.

use tracing::{info_span, instrument};
use tracing_subscriber::prelude::*;
use xray_sdk::local::Waterfall;
use xray_sdk::sampling::Always;
use xray_sdk::testing::MemoryEmitter;

#[instrument(fields(annotation.tenant = tenant), ret)]
fn checkout(tenant: &str, items: u32) -> Result<u32, std::num::TryFromIntError> {
    info_span!("price", items).in_scope(|| u8::try_from(items * 12).map(u32::from))
}

#[test]
fn a_checkout_is_a_segment_with_its_tenant() -> Result<(), Box<dyn std::error::Error>> {
    let emitter = MemoryEmitter::new();
    let layer = xray_tracing_layer::builder()
        .service_name("shop")
        .sampler(Always) // the default sampler would record one trace a second, and 5 % of the rest
        .emitter(emitter.clone())
        .build()?;
    // For this thread only: tests run side by side.
    let _guard = tracing_subscriber::registry().with(layer).set_default();

    assert_eq!(checkout("blue", 3)?, 36);

    let received = emitter.received();
    assert!(received.problems().is_empty(), "{:?}", received.problems());
    let trace = &received.traces()[0];
    assert_eq!(Waterfall::new(trace).tree_only(true).to_string(), "◆ shop  tenant=blue\n└─ price\n");
    assert_eq!(trace.find("price").ok_or("no price")?.json()["metadata"]["default"]["items"], 3);
    Ok(())
}
