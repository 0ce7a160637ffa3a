//! The shop's server: routes, and the layer that makes each request a segment.

use std::io;
use std::net::SocketAddr;

use axum::body::Body;
use axum::routing::{Router, get, post};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use xray_tracing_layer::XrayHttpLayer;

use crate::handlers::{order, payment, price, report};

/// How to reach the shop.
#[derive(Clone)]
pub(crate) struct Shop {
    address: SocketAddr,
    pub(crate) client: Client<HttpConnector, Body>,
}

impl Shop {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

pub(crate) async fn start() -> io::Result<Shop> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let shop = Shop { address: listener.local_addr()?, client };
    let router = Router::new()
        .route("/orders/{id}", get(order))
        .route("/orders/{id}/payment", post(payment))
        .route("/prices/{id}", get(price))
        .route("/report", get(report))
        .layer(XrayHttpLayer::new())
        .with_state(shop.clone());
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(shop)
}
