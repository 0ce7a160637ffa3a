//! Signed calls of X-Ray's API: credentials, region, endpoint, and one HTTP client for all callers.
//!
//! Uploads, telemetry and relay share the client. What an answer means is not decided here: `upload` sees status,
//! headers and body as they came. [`Call`] is the seam, so that tests can stand in for X-Ray without a socket.
//! [`Aws::set_up`] makes everything from the settings; [`Aws::check`] is `config check`.

mod call;

mod clock;

mod endpoint;

mod metadata;

mod region;

mod http;

mod credentials;

mod signed;

mod setup;

mod check;

pub use call::{Call, CallError, Reply};
pub use check::Findings;
pub use clock::{Clock, TOLERANCE};
pub use credentials::{CredentialStatus, CredentialStore};
pub use endpoint::{Endpoint, EndpointError, Partition};
pub use http::{AnswerBody, Limits, Proxy, ProxyError, Trust, TrustError};
pub use metadata::Metadata;
pub use region::{NoRegion, Region, RegionSource};
pub use setup::{Aws, Settings, SetupError};
pub use signed::SignedClient;
