//! Parts that the API hands in besides its routers: whether the daemon may send what it received, and what is done at
//! the end.
//!
//! `serve` knows neither policies nor decisions: it calls these functions.

use std::fmt;

/// Asked for each document that arrives by UDP.
pub struct Permit(Box<dyn FnMut() -> bool + Send>);

impl Permit {
    /// A permit that this function gives. The receiving thread calls it for each document.
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

/// Called once, when the doors are closed and the store is still open. The call may block.
pub struct Finish(Box<dyn FnOnce() + Send>);

impl Finish {
    /// Makes the work that is done at the end.
    pub fn new(finish: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(finish))
    }

    pub(super) fn run(self) {
        (self.0)();
    }
}

impl fmt::Debug for Finish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finish")
    }
}
