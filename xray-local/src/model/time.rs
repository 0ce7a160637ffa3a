//! Points in time and lengths, in whole microseconds: what the store's `*_us` columns hold.
//!
//! The API and the documents write seconds with a fraction; both conversions live here. Values beyond the range
//! of an `i64` are clamped, and what is no number becomes zero.

use std::ops::Sub;

/// A point in time: microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// A length of time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Length(pub i64);

impl Time {
    /// A time from seconds since 1970, rounded to the microsecond.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * MICROS).round() as i64)
    }

    /// The time in seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / MICROS
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn epoch_second(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole minutes since 1970, rounded down: the unit of the store's `minute` columns.
    #[must_use]
    pub const fn epoch_minute(self) -> i64 {
        self.0.div_euclid(60_000_000)
    }

    /// This time moved by a length, clamped to the range of the type.
    #[must_use]
    pub const fn plus(self, length: Length) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

impl Sub for Time {
    type Output = Length;

    fn sub(self, earlier: Self) -> Length {
        Length(self.0.saturating_sub(earlier.0))
    }
}

impl Length {
    /// A length from seconds, rounded to the microsecond.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * MICROS).round() as i64)
    }

    /// The length in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / MICROS
    }

    /// The length in seconds with three decimals, as the service reports lengths.
    #[must_use]
    pub fn rounded_seconds(self) -> f64 {
        self.milliseconds() as f64 / 1_000.0
    }

    /// Whole milliseconds, rounded half up: the unit of the histograms.
    #[must_use]
    pub const fn milliseconds(self) -> i64 {
        self.0.saturating_add(500).div_euclid(1_000)
    }
}

const MICROS: f64 = 1_000_000.0;
