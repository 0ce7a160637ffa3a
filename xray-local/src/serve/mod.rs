//! The running server: the daemon's UDP port, two TCP doors, and an end that loses nothing.
//!
//! ```text
//!  udp ─► document or reason ─► store
//!  tcp ─► connection, admission (sizes, times, numbers) ─► router of the door (api, console)
//! ```
//!
//! [`Server::start`] binds everything or nothing. The routers are handed in, so that nothing here knows an operation.

mod admission;
mod connections;
mod occupied;
mod permit;
mod server;
mod settings;
mod udp;

pub use admission::{Admission, admit};
pub use occupied::Occupied;
pub use permit::{Finish, Permit};
pub use server::{Addresses, Doors, Server, StartError};
pub use settings::Settings;
