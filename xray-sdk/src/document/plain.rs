//! Plain bodies, which have metadata and nothing else, each member put once: most spans have no other. They skip what
//! such a body does not need, on the way in and on the way out.
//!
//! The documents are those of [`Frame`](super::internal::Frame), byte for byte.

use super::body::Body;
use super::children::Children;
use super::entry::{Content, Entry};
use super::limits::MAX_BODY;
use super::section::Part;
use super::template::{END, HEAD, ID_DIGITS, START, TIMES_AND_METADATA};
use crate::id::SegmentId;
use crate::json::{MemberKey, decimal_digits};

impl Body {
    /// Puts metadata under a key that is not there yet, if the value is a short and bland string. Otherwise puts
    /// nothing and returns `false`.
    #[inline(always)]
    pub fn append_bland(&mut self, key: &MemberKey, text: &str) -> bool {
        let start = self.text.len();
        let done = self.text.put_bland_member(key, text);
        if done {
            self.keep_plain(start, key);
        }
        done
    }

    /// Puts metadata under a key that is not there yet, if the value is a number of at most eight digits. Otherwise
    /// puts nothing and returns `false`.
    #[inline(always)]
    pub fn append_small(&mut self, key: &MemberKey, value: i64) -> bool {
        let start = self.text.len();
        let done = self.text.put_small_member(key, value);
        if done {
            self.keep_plain(start, key);
        }
        done
    }

    #[inline(always)]
    fn keep_plain(&mut self, start: usize, key: &MemberKey) {
        // Without the comma, which is there already.
        let len = (self.text.len() - start - 1) as u32;
        let content = Content::Member { part: Part::Metadata, rank: 0, key_len: key.len() as u16 };
        self.entries.push(Entry { content, start: start as u32, len });
        self.parts |= Part::Metadata.bit();
        if self.text.len() > MAX_BODY {
            self.trim();
        }
    }

    /// Returns all members as they are written, if the body is plain: they stand in a row, with commas between them.
    #[inline]
    #[must_use]
    pub fn plain_metadata(&self) -> Option<&[u8]> {
        debug_assert!(self.mixed || self.has_only_metadata());
        (!self.mixed).then(|| self.text.as_bytes().split_last().map_or(&[][..], |(_, members)| members))
    }

    /// What a body has to be that is not `mixed`.
    fn has_only_metadata(&self) -> bool {
        self.parts & !Part::Metadata.bit() == 0
            && self.dead == 0
            && (self.annotations, self.namespaced, self.exceptions) == (0, 0, 0)
            && self.status.is_none()
            && self.flags == Default::default()
            && self.namespace.is_none()
            && self.losses == Default::default()
    }
}

/// A name made ready to begin documents with: `NAME","start_time":…,"end_time":…,"metadata":{"default":{`.
#[derive(Clone, Debug)]
pub struct Opening {
    block: [u8; OPENING],
    name_len: usize,
}

impl Opening {
    /// Makes a name ready: escaped, without quotes. Returns `None` if it is longer than 43 bytes.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let mut block = [0; OPENING];
        block[..MAX_NAME].get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        block[name.len()..][..TIMES_AND_METADATA.len()].copy_from_slice(TIMES_AND_METADATA);
        Some(Self { block, name_len: name.len() })
    }
}

impl Children {
    /// Adds the document of a finished subsegment with the metadata `members` and without children, if it is small and
    /// within one second. Otherwise adds nothing and returns `false`. The parent [has room](Self::has_room) for it.
    #[inline]
    pub fn add_plain(
        &mut self,
        opening: &Opening,
        id: SegmentId,
        (start, end): (u64, u64),
        members: &[u8],
    ) -> bool {
        let second = start / MICROS;
        let (start, end) = (start - second * MICROS, end.max(start).wrapping_sub(second * MICROS));
        // Seconds have ten digits from 2001 to 2286.
        if members.is_empty()
            || members.len() > MAX_PLAIN
            || end >= MICROS
            || !(1_000_000_000..10_000_000_000).contains(&second)
        {
            return false;
        }
        let mut text = [0; COMMA + NAME + OPENING + MAX_PLAIN + CLOSING.len()];
        text[0] = b',';
        text[COMMA..COMMA + NAME].copy_from_slice(BEGINNING);
        text[COMMA + ID_DIGITS.start..COMMA + ID_DIGITS.end].copy_from_slice(&id.encode());
        text[COMMA + NAME..COMMA + NAME + OPENING].copy_from_slice(&opening.block);
        // The bound is for the compiler, which then knows that all of this is within the block.
        let times = COMMA + NAME + opening.name_len.min(MAX_NAME);
        let seconds = digits_of(second);
        for (at, fraction) in [(START, start), (END, end)] {
            let [_, _, fraction @ ..] = decimal_digits(fraction as u32);
            text[times + at..][..10].copy_from_slice(&seconds);
            text[times + at + 11..][..6].copy_from_slice(&fraction);
        }
        let at = times + TIMES_AND_METADATA.len();
        text[at..at + members.len()].copy_from_slice(members);
        let at = at + members.len();
        text[at..at + CLOSING.len()].copy_from_slice(CLOSING);
        self.add_written(&text[usize::from(self.is_empty())..at + CLOSING.len()]);
        true
    }
}

/// Returns the ten digits of a second. Most spans end in the second in which the one before ended.
#[inline]
fn digits_of(second: u64) -> [u8; 10] {
    use std::cell::Cell;
    thread_local!(static LAST: Cell<(u64, [u8; 10])> = const { Cell::new((0, [0; 10])) });
    LAST.try_with(|last| {
        let (known, digits) = last.get();
        if known == second {
            return digits;
        }
        let digits = new_digits_of(second);
        last.set((second, digits));
        digits
    })
    .unwrap_or_else(|_| new_digits_of(second))
}

#[cold]
fn new_digits_of(second: u64) -> [u8; 10] {
    let mut digits = [0; 10];
    digits[..8].copy_from_slice(&decimal_digits((second / 100) as u32));
    digits[8..].copy_from_slice(&decimal_digits((second % 100) as u32)[6..]);
    digits
}

const MICROS: u64 = 1_000_000;
const CLOSING: &[u8; 3] = b"}}}";
const COMMA: usize = 1;

/// What an embedded document begins with, up to its name.
const BEGINNING: &[u8; NAME] = b"{\"id\":\"________________\",\"name\":\"";
const NAME: usize = HEAD.len() + ",\"name\":\"".len();

/// The longest name that has an [`Opening`]: what fits in front of times and metadata in eight words.
const MAX_NAME: usize = OPENING - TIMES_AND_METADATA.len();
const OPENING: usize = 128;

/// The most metadata of a small document: a string and a few numbers.
const MAX_PLAIN: usize = 128;

#[cfg(test)]
mod tests {
    use super::super::internal::{Frame, Kind};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn plain_documents_are_those_of_frames(
            id: u64, name in "[a-z %]{0,50}", start in 900_000_000_000_000_u64..1_100_000_000_000_000, lasted in 0_u64..1_500_000,
            members in prop::collection::vec(("[a-z]{1,9}", any::<i32>()), 0..6), times in 1..3,
        ) {
            let (mut body, none) = (Body::new(), Children::new());
            for (key, value) in &members {
                body.metadata("", key, value);
            }
            let id = SegmentId::from(id);
            let frame = Frame {
                kind: Kind::Embedded, id, name: &name, start, end: Some(start + lasted), body: &body, children: &none,
            };
            let (mut plain, mut framed) = (Children::new(), Children::new());
            for _ in 0..times {
                let members = body.plain_metadata().unwrap_or_default();
                let added = Opening::new(&name)
                    .is_some_and(|opening| plain.add_plain(&opening, id, (start, start + lasted), members));
                if !added {
                    frame.fold_into(&mut plain);
                }
                frame.fold_into(&mut framed);
            }
            // Both print every field that there is.
            prop_assert_eq!(format!("{plain:?}"), format!("{framed:?}"));
        }

        #[test]
        fn members_put_quickly_are_members_like_others(
            key in "[a-z]{1,9}", text in "[a-z ]{1,20}|.{0,20}", number in -200_000_000_i64..200_000_000,
        ) {
            let ready = |key: &str| format!("\"{key}\":");
            let (mut quick, mut slow) = (Body::new(), Body::new());
            let key_of_number = format!("{key}_n");
            if let (Some(of_text), Some(of_number)) = (MemberKey::new(&ready(&key)), MemberKey::new(&ready(&key_of_number))) {
                if quick.append_bland(&of_text, &text) {
                    slow.metadata("", &key, &text);
                }
                if quick.append_small(&of_number, number) {
                    slow.metadata("", &key_of_number, &number);
                }
            }
            prop_assert_eq!(format!("{quick:?}"), format!("{slow:?}"));
            quick.metadata("", &key, "again");
            slow.metadata("", &key, "again");
            prop_assert_eq!(format!("{quick:?}"), format!("{slow:?}"));
        }
    }
}
