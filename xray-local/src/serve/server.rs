//! Binds the doors, starts everything, and ends it in order.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use xray_sdk::receive::ReceiveSocket;

use super::admission::{Admission, admit};
use super::connections;
use super::occupied::Occupied;
use super::permit::{Finish, Permit};
use super::settings::Settings;
use super::udp::Listener;
use crate::console::new_token;
use crate::store::{OpenError, Store};

/// Addresses of a server, and the place of its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The daemon's UDP address.
    pub udp: SocketAddr,
    /// The daemon's TCP address.
    pub tcp: SocketAddr,
    /// The API's address, and the console's.
    pub api: SocketAddr,
    /// The file with the data, or `:memory:`.
    pub data: PathBuf,
    /// Token that browsers bring to the console beyond loopback. Random for each server.
    pub token: String,
}

impl Addresses {
    /// `http://127.0.0.1:2001`: what clients take as endpoint, with loopback in place of "all addresses".
    #[must_use]
    pub fn endpoint(&self) -> String {
        let mut address = self.api;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() {
                [127, 0, 0, 1].into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            });
        }
        format!("http://{address}")
    }

    /// The console's address: the endpoint, with the token where one is asked for.
    #[must_use]
    pub fn console(&self) -> String {
        if self.api.ip().to_canonical().is_loopback() {
            format!("{}/", self.endpoint())
        } else {
            format!("{}/?token={}", self.endpoint(), self.token)
        }
    }

    /// The value of `AWS_XRAY_DAEMON_ADDRESS` for programs that send here.
    #[must_use]
    pub fn daemon_address(&self) -> String {
        if self.udp == self.tcp { self.udp.to_string() } else { format!("tcp:{} udp:{}", self.tcp, self.udp) }
    }

    /// `{"udp":"…","tcp":"…","api":"…","data":"…","console":"…"}`
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::json!({
            "udp": self.udp.to_string(),
            "tcp": self.tcp.to_string(),
            "api": self.api.to_string(),
            "data": self.data.to_string_lossy(),
            "console": self.console(),
        })
        .to_string()
    }
}

/// Services of the two TCP doors.
#[derive(Debug)]
pub struct Doors {
    /// The daemon's port.
    pub daemon: Router,
    /// The API's port.
    pub api: Router,
    /// True if documents that arrive by UDP may be sent.
    pub permit: Permit,
    /// Called when the doors are closed, and before the store is.
    pub finish: Finish,
}

/// A server can't be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// An address can't be listened at.
    Occupied(Occupied),
    /// The data can't be opened.
    Open(OpenError),
    /// The services of the doors can't be set up.
    Setup(String),
    /// The system refuses a thread.
    Thread(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Occupied(occupied) => occupied.fmt(f),
            Self::Open(err) => err.fmt(f),
            Self::Setup(what) => f.write_str(what),
            Self::Thread(err) => write!(f, "can't start a thread: {err}"),
        }
    }
}

impl std::error::Error for StartError {}

/// A running server.
#[derive(Debug)]
pub struct Server {
    addresses: Addresses,
    store: Store,
    udp: Listener,
    doors: Vec<JoinHandle<()>>,
    finish: Finish,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Starts a server. `doors` makes the routers, once the addresses are known.
    ///
    /// # Errors
    /// An address is taken, or the data can't be opened. Nothing is left running then.
    pub async fn start(
        settings: &Settings,
        doors: impl AsyncFnOnce(&Store, &Addresses) -> Result<Doors, String>,
    ) -> Result<Self, StartError> {
        // Ports first: a second instance should say so, not complain about the file.
        let occupied = |flag, address| move |err| StartError::Occupied(Occupied::new(flag, address, err));
        let api = TcpListener::bind(settings.api).await.map_err(occupied("--api", settings.api))?;
        let (socket, tcp) = daemon_sockets(settings).await?;
        let store = Store::open(settings.store()).map_err(StartError::Open)?;
        let addresses = Addresses {
            udp: socket.local_addr().map_err(occupied("--udp", settings.udp))?,
            tcp: tcp.local_addr().map_err(occupied("--tcp", settings.tcp))?,
            api: api.local_addr().map_err(occupied("--api", settings.api))?,
            data: store.path().to_owned(),
            token: new_token().map_err(|err| StartError::Setup(err.to_string()))?,
        };
        let Doors { daemon, api: x_ray, permit, finish } =
            doors(&store, &addresses).await.map_err(StartError::Setup)?;
        let udp = Listener::start(socket, store.clone(), permit).map_err(StartError::Thread)?;
        let (stop, stopped) = watch::channel(false);
        let admission = Admission::default();
        let serve = |listener, router: Router| {
            let router = router.layer(middleware::from_fn_with_state(admission.clone(), admit));
            tokio::spawn(connections::serve(listener, router, stopped.clone()))
        };
        let doors = vec![serve(tcp, daemon), serve(api, x_ray)];
        Ok(Self { addresses, store, udp, doors, finish, stop })
    }

    /// Returns the addresses of the server.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The server's store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Stops receiving, lets requests that have begun come to their end, and commits everything.
    pub async fn stop(self) {
        let Self { udp, doors, finish, stop, store, .. } = self;
        let udp = tokio::task::spawn_blocking(move || udp.stop());
        let _ = stop.send(true);
        for door in doors {
            let _ = door.await;
        }
        let _ = udp.await;
        let end = move || {
            finish.run();
            store.close();
        };
        let _ = tokio::task::spawn_blocking(end).await;
    }
}

/// The daemon's two sockets. If both ports are to be free ones, one number is looked for that is free for both, since
/// SDKs take one address for the two.
async fn daemon_sockets(settings: &Settings) -> Result<(ReceiveSocket, TcpListener), StartError> {
    let bind_udp = |address: SocketAddr| {
        ReceiveSocket::bind(address).map_err(|err| StartError::Occupied(Occupied::new("--udp", address, err)))
    };
    let any = settings.udp.port() == 0 && settings.tcp.port() == 0 && settings.udp.ip() == settings.tcp.ip();
    for _ in 0..if any { ATTEMPTS } else { 0 } {
        let socket = bind_udp(settings.udp)?;
        let Ok(address) = socket.local_addr() else { continue };
        if let Ok(listener) = TcpListener::bind(address).await {
            return Ok((socket, listener));
        }
    }
    let socket = bind_udp(settings.udp)?;
    let listener = TcpListener::bind(settings.tcp)
        .await
        .map_err(|err| StartError::Occupied(Occupied::new("--tcp", settings.tcp, err)))?;
    Ok((socket, listener))
}

/// Numbers that are tried for a port that is free for UDP and TCP.
const ATTEMPTS: usize = 20;
