//! Services of the TCP doors: the operations, and the console.
//!
//! Here the parts meet: access mode and hosts follow from the addresses, and the API's routers get their permit and their
//! end.

use std::sync::Arc;

use crate::access::{Hosts, Mode};
use crate::api::{Server, ServerOptions, api_router, daemon_router};
use crate::console::{self, Console};
use crate::control::Limits;
use crate::query::GroupMatcher;
use crate::serve::{Addresses, Doors, Finish, Permit, Settings};
use crate::store::Store;

/// Sets the doors up, once it is known where they are.
///
/// # Errors
/// A sentence: the access mode is not allowed at these addresses, or the store fails.
pub(super) async fn open(settings: &Settings, store: &Store, addresses: &Addresses) -> Result<Doors, String> {
    let Addresses { udp, tcp, api, .. } = addresses;
    let access = Mode::resolve(settings.access, &[udp, tcp, api].map(std::net::SocketAddr::ip))?;
    let hosts = Hosts::new(&[*tcp, *api], &settings.allowed_hosts);
    let limits = if settings.limits { Limits::Real } else { Limits::Off };
    store.set_matcher(Arc::new(GroupMatcher::new()));
    let store = store.clone();
    let server =
        tokio::task::spawn_blocking(move || Server::new(store, ServerOptions { access, hosts, limits }));
    let server = server.await.map_err(|err| err.to_string())?.map_err(|err| err.to_string())?;
    let token = if api.ip().to_canonical().is_loopback() { None } else { Some(addresses.token.clone()) };
    let options = console::Options {
        endpoint: addresses.endpoint(),
        daemon: addresses.daemon_address(),
        access: access.name(),
        token,
    };
    let pages = console::router(&Console::new(server.store().clone(), options));
    Ok(Doors {
        daemon: daemon_router(&server),
        api: console::missing(api_router(&server, pages)),
        permit: Permit::new(server.datagrams()),
        finish: Finish::new(move || server.finish()),
    })
}
