//! State that all requests share.
//!
//! Both doors share the store, access control and the state of sampling. Requests hold nothing else from one to the next.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use crate::access::decisions::Recorder;
use crate::access::{Asked, Guard, Hosts, Mode, Origin, Refusal};
use crate::access::{DirectoryError, directory};
use crate::control::sampling::{self, Targets};
use crate::control::{ControlError, Limits};
use crate::model::{Door, Length, Time, now};
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

/// Time that a decision on datagrams holds.
pub(super) const DATAGRAMS_LOOK: Length = Length(1_000_000);

/// Options of a server.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Mode of access control.
    pub access: Mode,
    /// Names under which browsers may use it.
    pub hosts: Hosts,
    /// True if X-Ray's limits hold.
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

    /// Returns a function that reports whether the daemon's policies let it send a document that arrived by UDP.
    ///
    /// The policies are looked at anew after `DATAGRAMS_LOOK`, so a change is felt a second later.
    pub fn datagrams(&self) -> impl FnMut() -> bool + Send + 'static {
        let this = self.clone();
        let mut known: Option<(Time, bool)> = None;
        move || {
            let now = now();
            match known {
                Some((at, allowed)) if (now - at).0.abs() < DATAGRAMS_LOOK.0 => allowed,
                _ => {
                    let allowed = this.may_send(now);
                    known = Some((now, allowed));
                    allowed
                }
            }
        }
    }

    fn may_send(&self, now: Time) -> bool {
        let Shared { store, guard, .. } = &*self.0;
        let asked = Asked { action: "xray:PutTraceSegments".to_owned(), ..Asked::default() };
        let decided = store.read(|connection| {
            let caller =
                guard.daemon(connection, Origin { address: IpAddr::V4(Ipv4Addr::LOCALHOST), now })?;
            guard.authorize(connection, &caller, &asked, Door::Udp, now)
        });
        // If the file can't be read, what becomes of the document is for the store to say.
        !matches!(decided, Err(Refusal::Denied(_) | Refusal::Signature(_) | Refusal::Broken(_)))
    }

    /// Writes the decisions that still wait: before the store is closed. Blocks.
    pub fn finish(&self) {
        // A store that can't write reports that to those who send documents.
        let _ = self.0.guard.recorder.flush_blocking();
    }
}
