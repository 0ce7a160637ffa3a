//! The record of a field in a document: a span with it goes through a real layer, and its document is caught and read by
//! `serde_json`. No socket is opened.

use std::cell::RefCell;

use serde_json::Value;
use tracing::Dispatch;
use tracing_subscriber::prelude::*;
use xray_sdk::sampling::Always;
use xray_sdk::{EmitError, Emitter, Packet};

thread_local! {
    static DOCUMENT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };

    static DISPATCH: Dispatch = {
        let builder = xray_tracing_layer::builder().service_name("fuzz").sampler(Always).emitter(Catch);
        // A setting that is refused leaves a subscriber without the layer, and then no document is found.
        tracing_subscriber::registry().with(builder.build().ok()).into()
    };
}

struct Catch;

impl Emitter for Catch {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        DOCUMENT.with_borrow_mut(|document| packet.document().clone_into(document));
        Ok(())
    }
}

/// The document of the span that `open` makes.
pub(super) fn recorded(open: impl FnOnce() -> tracing::Span) -> Result<Value, String> {
    DOCUMENT.with_borrow_mut(Vec::clear);
    DISPATCH.with(|dispatch| tracing::dispatcher::with_default(dispatch, || drop(open())));
    DOCUMENT.with_borrow(|document| {
        if let Some(problem) = xray_sdk::local::check(document).first() {
            return Err(format!("{problem:?} in {}", String::from_utf8_lossy(document)));
        }
        serde_json::from_slice(document).map_err(|err| err.to_string())
    })
}
