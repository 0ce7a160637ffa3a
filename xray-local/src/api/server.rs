//! What all requests share.

use std::sync::{Arc, Mutex};

use crate::access::decisions::Recorder;
use crate::access::directory::{self, DirectoryError};
use crate::access::{Guard, Hosts, Mode};
use crate::control::sampling::{self, Targets};
use crate::control::{ControlError, Limits};
use crate::model::now;
use crate::store::{Store, StoreError};

/// The server behind both doors. Clones share it.
#[derive(Clone, Debug)]
pub struct Server(pub(super) Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) guard: Guard,
    pub(super) hosts: Hosts,
    pub(super) limits: Limits,
    pub(super) targets: Arc<Mutex<Targets>>,
}

/// What a server is made with.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// How strict access is.
    pub access: Mode,
    /// Names under which browsers may use it.
    pub hosts: Hosts,
    /// Whether X-Ray's limits hold.
    pub limits: Limits,
}

impl Server {
    /// A server over a store. Makes the identity `daemon` and the default sampling rule unless they are there. Blocks.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn new(store: Store, options: ServerOptions) -> Result<Self, StoreError> {
        let home = store.home().clone();
        store
            .write_blocking({
                let home = home.clone();
                move |connection| {
                    directory::ensure_daemon(connection, &home, now()).map_err(|err| match err {
                        DirectoryError::Store(err) => ControlError::Store(err),
                        other => ControlError::invalid(other.to_string()),
                    })?;
                    sampling::ensure_default(connection, &home)
                }
            })
            .map_err(|err| match err {
                ControlError::Store(err) => err,
                _ => StoreError::Damaged("the identity daemon can't be made"),
            })?;
        let guard = Guard { mode: options.access, home, recorder: Recorder::new(store.clone()) };
        Ok(Self(Arc::new(Shared {
            store,
            guard,
            hosts: options.hosts,
            limits: options.limits,
            targets: Arc::default(),
        })))
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Access control.
    pub fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// Writes the decisions that still wait: before the store is closed.
    ///
    /// # Errors
    /// The store's.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.0.guard.recorder.flush().await
    }
}
