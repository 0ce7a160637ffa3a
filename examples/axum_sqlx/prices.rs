//! The other service, as if it were another process: a thread, a runtime and a subscriber of its own. It continues the
//! trace that the shop's request names.

use std::error::Error;
use std::sync::mpsc::channel;
use std::thread;

use axum::extract::Path;
use axum::{Router, routing::get};
use tracing::{dispatcher::with_default, instrument};
use tracing_subscriber::{Layer, Registry, prelude::*};

pub(crate) fn start(layer: impl Layer<Registry> + Send + Sync) -> Result<String, Box<dyn Error>> {
    let subscriber = tracing_subscriber::registry().with(layer).into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (send, receive) = channel();
    thread::spawn(move || {
        with_default(&subscriber, || {
            runtime.block_on(async {
                let url = crate::serve(Router::new().route("/prices/{what}", get(price))).await;
                let _ = send.send(url.map_err(|err| err.to_string()));
                std::future::pending::<()>().await;
            });
        });
    });
    Ok(receive.recv()??)
}

#[instrument]
async fn price(Path(what): Path<String>) -> String {
    format!("{}.50", what.len())
}
