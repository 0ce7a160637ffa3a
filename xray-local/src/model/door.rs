//! The way a document or a request came in.

use std::fmt;

/// Door through which something arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// A datagram on the daemon's UDP port.
    Udp,
    /// A request on the daemon's TCP port.
    Daemon,
    /// A request on the API's port.
    Api,
    /// A page in the browser.
    Console,
    /// A file that was imported.
    Import,
}

impl Door {
    /// The name in the store's `door` columns.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Daemon => "daemon",
            Self::Api => "api",
            Self::Console => "console",
            Self::Import => "import",
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
