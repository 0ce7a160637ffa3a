//! Whether the daemon may send what it received: its policies decide, as they would in production.

use std::fmt;

/// Asked for each document that arrives by UDP.
pub struct Permit(Box<dyn FnMut() -> bool + Send>);

impl Permit {
    /// A permit that this function gives. It is called for each document, on the thread that receives.
    pub fn new(allows: impl FnMut() -> bool + Send + 'static) -> Self {
        Self(Box::new(allows))
    }

    pub(super) fn allows(&mut self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}
