//! Statements that are known to need no change, which all threads share.
//!
//! A program sends the same statements again and again, with placeholders for values. Such a statement is scanned once and
//! found by its bytes from then on. Only statements that the scan leaves as they are, are kept: documents show the same. The
//! first ones stay for good, and a statement that finds no place is scanned each time.

use std::sync::OnceLock;

use xray_sdk::document::internal::Buffer;

use super::statement::Language;

/// A table of statements, each with the language that it was read in.
pub(crate) struct KnownStatements {
    slots: [OnceLock<Box<Known>>; SLOTS],
}

/// A statement that needs no change.
struct Known {
    language: Language,
    statement: Box<str>,
    /// The statement as a JSON string, if that has escapes.
    escaped: Option<Box<str>>,
}

impl KnownStatements {
    /// Creates an empty table.
    pub(crate) const fn new() -> Self {
        Self { slots: [const { OnceLock::new() }; SLOTS] }
    }

    /// Appends a statement as a JSON string, if it is known. Otherwise appends nothing and returns `false`.
    #[inline]
    pub(crate) fn put(&self, out: &mut Buffer, statement: &str, language: Language) -> bool {
        let Some(first) = first_slot(statement) else { return false };
        for slot in self.places(first) {
            let Some(known) = slot.get() else { return false };
            if *known.statement == *statement && known.language == language {
                match &known.escaped {
                    Some(escaped) => out.put(escaped),
                    None => out.put_unescaped_string(statement),
                }
                return true;
            }
        }
        false
    }

    /// Keeps a statement, if it is what was written from `start` on, and there is a place for it.
    #[cold]
    pub(crate) fn keep(&self, out: &mut Buffer, start: usize, statement: &str, language: Language) {
        let Some(first) = first_slot(statement) else { return };
        let Some(free) = self.places(first).find(|slot| slot.get().is_none()) else { return };
        let written = out.len();
        out.put_string(statement);
        let (shown, whole) = out.as_bytes()[start..].split_at(written - start);
        if shown == whole {
            let has_escapes = whole.len() > statement.len() + "\"\"".len();
            let escaped = std::str::from_utf8(whole).ok().filter(|_| has_escapes).map(Box::from);
            // Another thread may have taken the place.
            let _ = free.set(Box::new(Known { language, statement: statement.into(), escaped }));
        }
        out.truncate(written);
    }

    /// Returns the slots that a statement may be in. The first that is empty ends the search.
    fn places(&self, first: usize) -> impl Iterator<Item = &OnceLock<Box<Known>>> {
        (first..first + PLACES).map(|at| &self.slots[at % SLOTS])
    }
}

/// Returns the first slot that a statement may be in, by its length and three words of it; `None` if it is too short or
/// too long to be kept.
#[inline]
fn first_slot(statement: &str) -> Option<usize> {
    let bytes = statement.as_bytes();
    let middle = bytes.get(bytes.len() / 2..)?.first_chunk::<8>()?;
    let words = [bytes.first_chunk::<8>()?, middle, bytes.last_chunk::<8>()?];
    let mixed = words.into_iter().fold(bytes.len() as u64, |mixed, word| {
        (mixed.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    (bytes.len() <= MAX_KEPT).then_some((mixed >> 32) as usize % SLOTS)
}

/// Statements of a large service, with room to spare.
const SLOTS: usize = 256;

/// The slots that a statement may be in.
const PLACES: usize = 4;

/// The longest statement that is kept, in bytes.
const MAX_KEPT: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::sanitize::dialect::Dialect;

    const SQL: Language = Language::Sql(Dialect::Unknown);

    fn put(known: &KnownStatements, statement: &str, language: Language) -> Option<String> {
        let mut out = Buffer::new();
        known.put(&mut out, statement, language).then(|| out.as_str().to_owned())
    }

    fn keep(known: &KnownStatements, statement: &str, shown: &str) {
        let mut out = Buffer::new();
        out.put("before");
        let start = out.len();
        out.put_string(shown);
        let written = out.clone();
        known.keep(&mut out, start, statement, SQL);
        assert_eq!(out, written);
    }

    #[test]
    fn a_statement_that_was_shown_unchanged_is_known_from_then_on() {
        let known = KnownStatements::new();
        for (statement, json) in [
            ("SELECT customer FROM orders WHERE id = ?", "\"SELECT customer FROM orders WHERE id = ?\""),
            ("select \"a\"\n  from a.t where b = $1", "\"select \\\"a\\\"\\n  from a.t where b = $1\""),
        ] {
            assert_eq!(put(&known, statement, SQL), None);
            keep(&known, statement, statement);
            assert_eq!(put(&known, statement, SQL).as_deref(), Some(json));
            assert_eq!(put(&known, statement, Language::Unknown), None, "as another language");
            assert_eq!(put(&known, &statement[1..], SQL), None);
        }
    }

    #[test]
    fn a_statement_with_a_literal_is_never_kept() {
        let known = KnownStatements::new();
        keep(&known, "SELECT customer FROM orders WHERE id = 7", "SELECT customer FROM orders WHERE id = ?");
        assert!(known.slots.iter().all(|slot| slot.get().is_none()));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let known = KnownStatements::new();
        for i in 0..10_000 {
            let statement = format!("SELECT customer FROM orders_{i} WHERE id = ?");
            keep(&known, &statement, &statement);
        }
        keep(&known, &"a".repeat(MAX_KEPT + 1), &"a".repeat(MAX_KEPT + 1));
        let kept = known.slots.iter().filter_map(OnceLock::get);
        assert!(
            kept.clone().count() > SLOTS / 2 && kept.clone().all(|known| known.statement.len() <= MAX_KEPT)
        );
    }
}
