//! Weathers of the invented endpoint, calls under way, and ids of documents.
//!
//! Documents say by their ids how the endpoint treats them: `good-7` is accepted, `poison-8` never. Nouns only: the
//! life and its endpoint both use them.

use std::time::Duration;

use crate::upload::verdict::Verdict;

/// The endpoint's behaviour for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Weather {
    Fine,
    Slow,
    /// Nothing listens.
    Down,
    /// Every answer takes longer than the client waits; the endpoint may have taken the batch.
    Hanging,
    /// A part of all calls has a status of 500.
    Flaky,
    Throttling(Option<Duration>),
    Denying,
    Expired,
}

pub(super) const WEATHERS: [Weather; 9] = [
    Weather::Fine,
    Weather::Fine,
    Weather::Slow,
    Weather::Down,
    Weather::Hanging,
    Weather::Flaky,
    Weather::Throttling(None),
    Weather::Denying,
    Weather::Expired,
];

/// A call under way.
pub(super) struct UnderWay {
    pub(super) end: Duration,
    pub(super) id: u64,
    /// Documents that the endpoint's answer accepts.
    pub(super) taken: u64,
    pub(super) verdict: Verdict,
}

pub(super) fn id_of(document: &str) -> &str {
    document.split('"').nth(3).unwrap_or_default()
}

pub(super) fn kind_of(document: &str) -> &str {
    id_of(document).split('-').next().unwrap_or_default()
}

pub(super) fn number_of(id: &str) -> u64 {
    id.split('-').nth(1).and_then(|number| number.parse().ok()).unwrap_or_default()
}
