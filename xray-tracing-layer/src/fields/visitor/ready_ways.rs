//! The ready ways of a span's fields into its document, worked out once for a callsite: those of a root, and of a call.

use xray_sdk::document::internal::{Key, PlainKey, Section, keys};

use crate::fields::slot::Slot;

/// The ways of a callsite's fields, by their indices.
#[derive(Debug)]
pub(crate) struct ReadyWays {
    pub(crate) ways: Box<[ReadyWay]>,
    /// The keys of those that become members as they are. Of the others, a key that is not used.
    pub(crate) keys: Box<[PlainKey]>,
}

/// The way of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ReadyWay {
    /// OpenTelemetry's kind, which is not written. Of a usual root nothing else decides.
    Kind,
    /// A member that a short text becomes as it is.
    Short,
    /// The URL of the request.
    Url {
        /// The rank among fields with the same meaning.
        rank: u8,
    },
    /// Any other.
    Other,
}

impl ReadyWays {
    /// Returns the ways of a callsite's fields; `None` if two of them may be the same member.
    pub(crate) fn of(slots: &[Slot]) -> Option<Self> {
        let members: Vec<_> = slots.iter().filter_map(member_of).collect();
        let is_again = |(i, member): (usize, &(Section, Key<'_>))| members[..i].contains(member);
        let unused = PlainKey::new(Section::Metadata, 0, keys::OPERATION)?;
        let of = |slot| way_of(slot).unwrap_or_else(|| (ReadyWay::Other, unused.clone()));
        let (ways, keys): (Vec<_>, Vec<_>) = slots
            .iter()
            .map(|slot| if *slot == Slot::OtelKind { (ReadyWay::Kind, unused.clone()) } else { of(slot) })
            .unzip();
        let is_distinct = !members.iter().enumerate().any(is_again);
        is_distinct.then(|| Self { ways: ways.into(), keys: keys.into() })
    }
}

/// Returns the way of a slot that has a key.
fn way_of(slot: &Slot) -> Option<(ReadyWay, PlainKey)> {
    let request_key = |rank, key| PlainKey::new(Section::HttpRequest, rank, key);
    match slot {
        Slot::Url { rank } => Some((ReadyWay::Url { rank: *rank }, request_key(*rank, keys::URL)?)),
        Slot::Str { section: Section::HttpRequest, rank, key } => {
            Some((ReadyWay::Short, request_key(*rank, *key)?))
        }
        Slot::Any { section, rank, key } => {
            Some((ReadyWay::Short, PlainKey::new(*section, *rank, key.as_key())?))
        }
        _ => None,
    }
}

/// Returns the member that a slot writes to, if it is one that is put without a look for another.
fn member_of(slot: &Slot) -> Option<(Section, Key<'_>)> {
    match slot {
        Slot::Any { section, key, .. } => Some((*section, key.as_key())),
        _ => slot.request_key().map(|key| (Section::HttpRequest, key)),
    }
}
