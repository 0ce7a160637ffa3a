//! Modes of access control.
//!
//! The mode is chosen once, when the addresses are known: a server that others can reach does not let everyone in
//! because a flag was forgotten.

use std::net::IpAddr;
use std::str::FromStr;

/// Mode of access control: the fate of requests that signature or policies do not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is checked.
    Off,
    /// Everything is checked and recorded, nothing is refused.
    Warn,
    /// Refuses requests that are not allowed.
    Enforce,
}

impl Mode {
    /// The mode's name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Enforce => "enforce",
        }
    }

    /// The mode for a server that listens at these addresses: what was asked for, or `warn` on loopback and `enforce`
    /// beyond.
    ///
    /// # Errors
    /// `off` was asked for beyond loopback.
    pub fn resolve(asked: Option<Self>, addresses: &[IpAddr]) -> Result<Self, String> {
        let beyond = addresses.iter().find(|address| !address.to_canonical().is_loopback());
        match (asked, beyond) {
            (Some(Self::Off), Some(address)) => Err(format!(
                "--access off is for loopback only, but {address} can be reached from elsewhere; use warn or enforce"
            )),
            (Some(mode), _) => Ok(mode),
            (None, None) => Ok(Self::Warn),
            (None, Some(_)) => Ok(Self::Enforce),
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(source: &str) -> Result<Self, String> {
        [Self::Off, Self::Warn, Self::Enforce]
            .into_iter()
            .find(|mode| mode.name() == source)
            .ok_or_else(|| format!("\"{source}\" is no mode of access; it is off, warn or enforce"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_is_for_loopback_and_enforce_for_everywhere_else() {
        let at = |address: &str| [address.parse::<IpAddr>().unwrap()];
        assert_eq!(Mode::resolve(None, &at("127.0.0.1")), Ok(Mode::Warn));
        assert_eq!(Mode::resolve(None, &at("::1")), Ok(Mode::Warn));
        assert_eq!(Mode::resolve(None, &at("0.0.0.0")), Ok(Mode::Enforce));
        assert_eq!(Mode::resolve(Some(Mode::Warn), &at("192.0.2.1")), Ok(Mode::Warn));
        assert_eq!(Mode::resolve(Some(Mode::Off), &at("127.0.0.2")), Ok(Mode::Off));
        assert!(Mode::resolve(Some(Mode::Off), &at("0.0.0.0")).unwrap_err().contains("0.0.0.0"));
        assert!("loose".parse::<Mode>().unwrap_err().contains("off, warn or enforce"));
    }
}
