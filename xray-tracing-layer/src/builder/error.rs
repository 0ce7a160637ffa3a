//! The error of the builder.

use std::error::Error;
use std::fmt;
#[cfg(feature = "queued-emitter")]
use std::io;
#[cfg(feature = "queued-emitter")]
use std::sync::Arc;

use xray_sdk::daemon::ParseAddressError;

/// An error of [`Builder::build`](crate::Builder::build) or [`Builder::queued`](crate::Builder::queued).
///
/// ```
/// use tracing_subscriber::Registry;
/// use xray_tracing_layer::BuildError;
///
/// let built = xray_tracing_layer::builder().daemon_address("xray").build::<Registry>();
/// // No error if `AWS_XRAY_DAEMON_ADDRESS` overrides the address.
/// if let Some(err) = built.err() {
///     assert!(matches!(err, BuildError::DaemonAddress(address, _) if address == "xray"));
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The string passed to [`Builder::daemon_address`](crate::Builder::daemon_address) is not an address: a
    /// mistake of the program.
    DaemonAddress(String, ParseAddressError),
    /// A name passed to [`Builder::record_request_headers`](crate::Builder::record_request_headers) or
    /// [`Builder::record_response_headers`](crate::Builder::record_response_headers) is none of a header.
    #[cfg(feature = "http")]
    HeaderName(String),
    /// A header carries a secret by its name, and is never recorded.
    #[cfg(feature = "http")]
    SecretHeader(String),
    /// A key passed to [`Builder::annotate_baggage`](crate::Builder::annotate_baggage) is none that baggage can have.
    #[cfg(feature = "http")]
    BaggageKey(String),
    /// A key passed to [`Builder::annotate_baggage`](crate::Builder::annotate_baggage) names a secret.
    #[cfg(feature = "http")]
    SecretBaggage(String),
    /// The system could not start a thread for [`Builder::queued`](crate::Builder::queued).
    #[cfg(feature = "queued-emitter")]
    NoThread(Arc<io::Error>),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DaemonAddress(address, _) => {
                write!(
                    f,
                    "{address:?} is not an address of the X-Ray daemon, expected `host:port` or \
                 `tcp:host:port udp:host:port`, with a port from 1 to 65535 and brackets around an IPv6 address"
                )
            }
            #[cfg(feature = "http")]
            Self::HeaderName(name) => {
                write!(f, "{name:?} is not a header's name: letters, digits and !#$%&'*+-.^_`|~ are accepted")
            }
            #[cfg(feature = "http")]
            Self::SecretHeader(name) => write!(
                f,
                "the header {name:?} carries a secret by its name and is never recorded: remove it from the \
                 builder's headers"
            ),
            #[cfg(feature = "http")]
            Self::BaggageKey(key) => write!(
                f,
                "{key:?} is not a key of baggage: letters, digits and !#$%&'*+-.^_`|~ are accepted by \
                 `Builder::annotate_baggage`"
            ),
            #[cfg(feature = "http")]
            Self::SecretBaggage(key) => write!(
                f,
                "the baggage key {key:?} names a secret and is never recorded: remove it from \
                 `Builder::annotate_baggage`"
            ),
            #[cfg(feature = "queued-emitter")]
            Self::NoThread(_) => f.write_str("cannot start a thread for the queue"),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::DaemonAddress(_, err) => Some(err),
            #[cfg(feature = "http")]
            Self::HeaderName(_) | Self::SecretHeader(_) | Self::BaggageKey(_) | Self::SecretBaggage(_) => {
                None
            }
            #[cfg(feature = "queued-emitter")]
            Self::NoThread(err) => Some(err),
        }
    }
}

/// Errors of the system are compared by their kind.
impl PartialEq for BuildError {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::DaemonAddress(address, err), Self::DaemonAddress(other, other_err)) => {
                address == other && err == other_err
            }
            #[cfg(feature = "queued-emitter")]
            (Self::NoThread(err), Self::NoThread(other)) => err.kind() == other.kind(),
            #[cfg(feature = "http")]
            (Self::HeaderName(name), Self::HeaderName(other))
            | (Self::SecretHeader(name), Self::SecretHeader(other))
            | (Self::BaggageKey(name), Self::BaggageKey(other))
            | (Self::SecretBaggage(name), Self::SecretBaggage(other)) => name == other,
            #[cfg(any(feature = "http", feature = "queued-emitter"))]
            _ => false,
        }
    }
}

impl Eq for BuildError {}
