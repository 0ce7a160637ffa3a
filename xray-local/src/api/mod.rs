//! The operations of the X-Ray API and the two TCP doors that serve them.
//!
//! Port 2001 is X-Ray, with the caller's own signature and policies. Port 2000 is the daemon, which acts as the
//! identity `daemon`.
//!
//! ```text
//!  doors      routers for both ports
//!  dispatch   host ─► path ─► signature ─► policies ─► members ─► operation
//!  operation  the table: name, path, members, function
//!  operations the functions                        wire  neutral types ─► the API's JSON
//!  shape      what members may hold                token NextToken
//! ```

mod ask;
mod call;
mod dispatch;
mod doors;
mod error;
mod operation;
mod operations;
mod server;
pub mod shape;
mod token;
mod wire;

pub use call::Call;
pub use doors::{api_router, daemon_router};
pub use error::ApiError;
pub use operation::{OPERATIONS, Operation};
pub use server::{Server, ServerOptions};
