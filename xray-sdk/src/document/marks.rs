//! Signs that a body's work failed: a status, and marks by hand. [`flags`](super::flags) derives the flags from them.

use std::num::NonZeroU16;

use super::body::Body;
use super::flags::{Flags, Outcome};

impl Body {
    /// Returns whether the document says `fault`: the service that did the work failed.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.outcome().fault
    }

    /// Sets the HTTP status; `error`, `throttle` and `fault` follow from it.
    /// A number that is no status (below 100 or above 599) is left out and counted.
    pub fn set_status(&mut self, status: u16) {
        self.mixed = true;
        if (100..600).contains(&status) {
            self.status = NonZeroU16::new(status);
        } else {
            self.count_left_out();
        }
    }

    /// Counts a value that was left out, because it is none of those that its member may have.
    #[cold]
    pub fn count_left_out(&mut self) {
        self.mixed = true;
        self.losses.dropped += 1;
    }

    /// Returns the HTTP status, if one is known.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status.map(NonZeroU16::get)
    }

    /// Marks the work as failed: a fault, unless a 4xx status says that it was the caller's error.
    pub fn set_failed(&mut self) {
        self.mixed = true;
        self.flags = self.flags.without(Flags::SUCCEEDED).with(Flags::FAILED);
    }

    /// States that the work succeeded, unless this body holds a failure.
    ///
    /// A body that [absorbs](Self::absorb) this one gives up the failure that an exception, or
    /// [`set_failed`](Self::set_failed), has marked there. A status, and a flag set by hand, stay.
    pub fn set_succeeded(&mut self) {
        self.mixed = true;
        if !self.flags.has(Flags::FAILED) {
            self.flags = self.flags.with(Flags::SUCCEEDED);
        }
    }

    /// Marks a client error, by hand.
    pub fn set_error(&mut self) {
        self.mixed = true;
        self.flags = self.flags.with(Flags::ERROR);
    }

    /// Marks a throttled call, by hand; it is an error too.
    pub fn set_throttle(&mut self) {
        self.mixed = true;
        self.flags = self.flags.with(Flags::THROTTLE).with(Flags::ERROR);
    }

    /// Marks a server fault, by hand.
    pub fn set_fault(&mut self) {
        self.mixed = true;
        self.flags = self.flags.with(Flags::FAULT);
    }

    #[inline]
    pub(super) fn outcome(&self) -> Outcome {
        Outcome::of(self.status, self.flags)
    }

    /// Returns whether the work failed, by an error or a fault.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.status.is_some_and(|status| status.get() >= 400)
            || self.flags.without(Flags::SUCCEEDED) != Flags::default()
    }
}
