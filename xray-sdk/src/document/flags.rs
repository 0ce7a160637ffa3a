//! How a piece of work went: its HTTP status, and what was said by hand. What X-Ray is told of both is decided when
//! the document is written.

use super::body::Body;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(pub(super) u8);

impl Flags {
    pub(super) const ERROR: Self = Self(1);
    pub(super) const THROTTLE: Self = Self(2);
    pub(super) const FAULT: Self = Self(4);
    /// Something went wrong; whether that is an error or a fault depends on the status.
    pub(super) const FAILED: Self = Self(8);

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Body {
    /// Sets the HTTP status; `error`, `throttle` and `fault` follow from it.
    /// A number that is no status (below 100 or above 599) is passed over.
    pub fn set_status(&mut self, status: u16) {
        if (100..600).contains(&status) {
            self.status = status;
        }
    }

    /// The HTTP status, if one is known.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        (self.status != 0).then_some(self.status)
    }

    /// Outcome the work as failed: a fault, unless a 4xx status says that it was the caller's error.
    pub fn set_failed(&mut self) {
        self.flags = self.flags.with(Flags::FAILED);
    }

    /// Outcome a client error, by hand.
    pub fn set_error(&mut self) {
        self.flags = self.flags.with(Flags::ERROR);
    }

    /// Outcome a throttled call, by hand; it is an error too.
    pub fn set_throttle(&mut self) {
        self.flags = self.flags.with(Flags::THROTTLE).with(Flags::ERROR);
    }

    /// Outcome a server fault, by hand.
    pub fn set_fault(&mut self) {
        self.flags = self.flags.with(Flags::FAULT);
    }
}
