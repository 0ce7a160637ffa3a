//! Sorts the HTTP client's errors into telemetry's kinds, with all causes in one line.
//!
//! Goes through the chain of causes, since the client wraps what the system said several times. Decides nothing about a
//! retry: that is `upload`'s.

use std::error::Error;
use std::fmt;
use std::io;

use crate::aws::call::CallError;

/// Sorts an error by its chain of causes.
///
/// The innermost cause that is known decides.
pub(super) fn classify(error: &(dyn Error + 'static)) -> CallError {
    let mut kind: fn(String) -> CallError = CallError::Other;
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        kind = kind_of(error).unwrap_or(kind);
        let part = error.to_string();
        if !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
        next = cause(error);
    }
    kind(parts.join(": "))
}

/// A name that could not be resolved, as the connector raises it.
#[derive(Debug)]
pub(super) struct UnknownHost {
    pub(super) host: String,
    pub(super) source: io::Error,
}

impl fmt::Display for UnknownHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot resolve `{}`", self.host)
    }
}

impl Error for UnknownHost {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

fn kind_of(error: &(dyn Error + 'static)) -> Option<fn(String) -> CallError> {
    if error.is::<UnknownHost>() {
        return Some(CallError::UnknownHost);
    }
    if error.is::<rustls::Error>() {
        return Some(CallError::Tls);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return match error.kind() {
            io::ErrorKind::ConnectionRefused => Some(CallError::ConnectionRefused),
            io::ErrorKind::TimedOut => Some(CallError::Timeout),
            _ => None,
        };
    }
    error.downcast_ref::<hyper::Error>().filter(|error| error.is_timeout()).map(|_| CallError::Timeout as _)
}

/// The next error of the chain.
///
/// An `io::Error` that wraps another error does not show it as its source.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_known_cause_decides() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(matches!(classify(&refused), CallError::ConnectionRefused(_)));
        let tls = io::Error::other(rustls::Error::HandshakeNotComplete);
        assert!(matches!(classify(&tls), CallError::Tls(_)));
        let name = UnknownHost { host: "xray.invalid".into(), source: io::Error::other("no such host") };
        assert_eq!(
            classify(&name),
            CallError::UnknownHost("cannot resolve `xray.invalid`: no such host".into())
        );
        assert!(matches!(classify(&fmt::Error), CallError::Other(_)));
    }
}
