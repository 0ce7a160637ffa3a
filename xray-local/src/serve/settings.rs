//! Settings that a server is started with.

use std::net::SocketAddr;
use std::time::Duration;

use crate::access::Mode;
use crate::model::Home;
use crate::store::{Options, Place};

/// Addresses, place of the data, and access. `Default` is what the command line defaults to, but for the place, which
/// is memory.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The daemon's UDP address. Defaults to `127.0.0.1:2000`.
    pub udp: SocketAddr,
    /// The daemon's TCP address. Defaults to `127.0.0.1:2000`.
    pub tcp: SocketAddr,
    /// The API's address, and the console's. Defaults to `127.0.0.1:2001`.
    pub api: SocketAddr,
    /// Place of the data.
    pub data: Place,
    /// Mode of access control. `None`: `warn` on loopback, `enforce` beyond it.
    pub access: Option<Mode>,
    /// Further names under which the server may be addressed.
    pub allowed_hosts: Vec<String>,
    /// Region and account.
    pub home: Home,
    /// Age at which traces are deleted.
    pub keep: Duration,
    /// Size of the data above which the oldest traces are deleted.
    pub max_size: u64,
    /// True if X-Ray's limits hold.
    pub limits: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let Options { place, keep, max_size, limits, home } = Options::at(Place::Memory);
        let port = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            udp: port(2000),
            tcp: port(2000),
            api: port(2001),
            data: place,
            access: None,
            allowed_hosts: Vec::new(),
            home,
            keep,
            max_size,
            limits,
        }
    }
}

impl Settings {
    /// A server in memory on free ports, for tests and for `run`.
    #[must_use]
    pub fn private() -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { udp: free, tcp: free, api: free, ..Self::default() }
    }

    /// Reports whether every door is on loopback.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        [self.udp, self.tcp, self.api].iter().all(|address| address.ip().to_canonical().is_loopback())
    }

    /// The options of the store.
    pub(super) fn store(&self) -> Options {
        Options {
            place: self.data.clone(),
            keep: self.keep,
            max_size: self.max_size,
            limits: self.limits,
            home: self.home.clone(),
        }
    }
}
