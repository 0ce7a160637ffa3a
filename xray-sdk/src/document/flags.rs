//! [`Flags`] and [`Outcome`]: what was marked by hand, and which of X-Ray's flags follow from that and the HTTP status.

use std::num::NonZeroU16;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(pub(super) u8);

impl Flags {
    pub(super) const ERROR: Self = Self(1);
    pub(super) const THROTTLE: Self = Self(2);
    pub(super) const FAULT: Self = Self(4);
    /// Something went wrong; whether that is an error or a fault depends on the status.
    pub(super) const FAILED: Self = Self(8);
    /// Nothing went wrong so far, by an explicit statement that takes back [`FAILED`](Self::FAILED).
    pub(super) const SUCCEEDED: Self = Self(16);

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// X-Ray's flags for what went wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) error: bool,
    pub(super) throttle: bool,
    pub(super) fault: bool,
}

impl Outcome {
    /// Returns the flags as members of a document, each after a comma.
    #[inline]
    pub(super) fn members(self) -> &'static str {
        const MEMBERS: [&str; 8] = [
            "",
            ",\"error\":true",
            ",\"throttle\":true",
            ",\"error\":true,\"throttle\":true",
            ",\"fault\":true",
            ",\"error\":true,\"fault\":true",
            ",\"throttle\":true,\"fault\":true",
            ",\"error\":true,\"throttle\":true,\"fault\":true",
        ];
        MEMBERS[usize::from(self.error) | usize::from(self.throttle) << 1 | usize::from(self.fault) << 2]
    }

    /// By the status, and by what was said beside it.
    #[inline]
    pub(super) fn of(status: Option<NonZeroU16>, said: Flags) -> Self {
        if status.is_none() && said == Flags::default() {
            return Self::default();
        }
        let status = status.map_or(0, NonZeroU16::get);
        let error = said.has(Flags::ERROR) || (400..500).contains(&status);
        let throttle = said.has(Flags::THROTTLE) || status == 429;
        // A failure without a client error is a fault.
        let fault = said.has(Flags::FAULT) || status >= 500 || (said.has(Flags::FAILED) && !error);
        Self { error, throttle, fault }
    }
}
