//! State that all pages share: the store, the addresses to show, the token, and the traces that are being looked at.

use std::fmt::Write as _;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::watch;

use super::parts::error::PageError;
use super::timeline::Cache;
use crate::store::{Store, StoreError};

/// Facts of the server that the pages show.
#[derive(Clone, Debug)]
pub struct Options {
    /// The endpoint of the API: `http://127.0.0.1:2001`.
    pub endpoint: String,
    /// The value of `AWS_XRAY_DAEMON_ADDRESS` for programs that send here.
    pub daemon: String,
    /// The access mode's name.
    pub access: &'static str,
    /// The token that browsers must bring; `None` on loopback.
    pub token: Option<String>,
}

/// The console. Clones share it.
#[derive(Clone, Debug)]
pub struct Console(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Store,
    options: Options,
    traces: Cache,
}

/// The server's end, as an extension of each request: streams of events end with it.
#[derive(Clone, Debug)]
pub struct Stopping(pub watch::Receiver<bool>);

impl Console {
    /// A console over a store.
    #[must_use]
    pub fn new(store: Store, options: Options) -> Self {
        Self(Arc::new(Shared { store, options, traces: Cache::default() }))
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(super) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(super) fn traces(&self) -> &Cache {
        &self.0.traces
    }

    /// Asks the store on a thread for blocking work.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        self.0.store.ask(question).await
    }
}

/// A token of 128 random bits in hexadecimal digits.
///
/// # Errors
/// The system has no random numbers.
pub fn new_token() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::Damaged("the system has no random numbers"))?;
    Ok(bytes.iter().fold(String::new(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    }))
}
