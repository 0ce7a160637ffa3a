//! The ways of a root's fields into its document, worked out once for a callsite.

use xray_sdk::document::internal::{Key, PlainKey, Section, keys};

use crate::fields::slot::Slot;

/// The way of a field of a root.
#[derive(Debug)]
pub(crate) enum RootKey {
    /// The field decides about the root, and is not written.
    Decisive,
    /// A member that a short text becomes as it is.
    Short(PlainKey),
    /// The URL of the request.
    Url(PlainKey),
    /// Any other.
    Other,
}

impl RootKey {
    /// Returns the ways of a callsite's fields; `None` if two of them may be the same member.
    pub(crate) fn all_of(slots: &[Slot]) -> Option<Box<[Self]>> {
        let members: Vec<_> = slots.iter().filter_map(member_of).collect();
        let is_again = |(i, member): (usize, &(Section, Key<'_>))| members[..i].contains(member);
        let is_distinct = !members.iter().enumerate().any(is_again);
        is_distinct.then(|| slots.iter().map(Self::of).collect())
    }

    fn of(slot: &Slot) -> Self {
        let request_key = |rank, key| PlainKey::new(Section::HttpRequest, rank, key);
        let ready = match slot {
            _ if slot.is_decisive() => return Self::Decisive,
            Slot::Url { rank } => request_key(*rank, keys::URL).map(Self::Url),
            Slot::Str { section: Section::HttpRequest, rank, key } => {
                request_key(*rank, *key).map(Self::Short)
            }
            Slot::Any { section, rank, key } => PlainKey::new(*section, *rank, key.as_key()).map(Self::Short),
            _ => None,
        };
        ready.unwrap_or(Self::Other)
    }
}

/// Returns the member that a slot writes to, if it is one that a root's fields are put into without a look for another.
fn member_of(slot: &Slot) -> Option<(Section, Key<'_>)> {
    match slot {
        Slot::Any { section, key, .. } => Some((*section, key.as_key())),
        _ => slot.request_key().map(|key| (Section::HttpRequest, key)),
    }
}
