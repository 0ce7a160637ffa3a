//! A server in this process, on free ports, with its data in memory.
//!
//! The doors are set up as the command line does it, but in a process that tests can look into.

use std::sync::Arc;

use axum::Router;
use serde_json::Value;
use xray_local::access::{Hosts, Mode};
use xray_local::api::{Server as Api, ServerOptions, api_router, daemon_router};
use xray_local::control::Limits;
use xray_local::query::GroupMatcher;
use xray_local::serve::{Doors, Finish, Permit, Server, Settings};

use crate::program::post;

/// A running server, and the runtime that it runs in.
pub(crate) struct Running {
    runtime: tokio::runtime::Runtime,
    server: Option<Server>,
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::with(Limits::Real)
    }

    /// A server with X-Ray's limits, or without.
    pub(crate) fn with(limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let settings = Settings { limits: limits == Limits::Real, ..Settings::private() };
        let server = runtime.block_on(Server::start(&settings, async |store, addresses| {
            let hosts = Hosts::new(&[addresses.tcp, addresses.api], &[]);
            let options = ServerOptions { access: Mode::Warn, hosts, limits };
            store.set_matcher(Arc::new(GroupMatcher::new()));
            let store = store.clone();
            let api = tokio::task::spawn_blocking(move || Api::new(store, options)).await.unwrap().unwrap();
            Ok(Doors {
                daemon: daemon_router(&api),
                api: api_router(&api, Router::new()),
                permit: Permit::new(api.datagrams()),
                finish: Finish::new(move || api.finish()),
            })
        }));
        Self { runtime, server: Some(server.unwrap()) }
    }

    /// The value of `AWS_XRAY_DAEMON_ADDRESS`.
    pub(crate) fn daemon_address(&self) -> String {
        self.server.as_ref().unwrap().addresses().daemon_address()
    }

    /// Calls an operation at X-Ray's own door, unsigned.
    pub(crate) fn call(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(path, body);
        assert_eq!(status, 200, "{path} {body} {answer}");
        answer
    }

    /// Calls an operation that may be refused. Returns the status and the answer.
    pub(crate) fn ask(&self, path: &str, body: &Value) -> (u16, Value) {
        let address = self.server.as_ref().unwrap().addresses().api;
        let (status, answer) = post(address, path, body.to_string().as_bytes()).unwrap();
        (status, serde_json::from_str(&answer).unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }
}
