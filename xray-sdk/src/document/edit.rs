//! Changes to a body that is complete: members that are taken out, and members that are numbered, of which the
//! latest stay. Called by the tracing layer at a span's close, and for the events inside of a span.

use super::body::Body;
use super::entry::Content;
use super::keys::Key;
use super::section::{Part, Piece, Section};
use super::truncation::Written;

impl Body {
    /// Removes a member. Returns whether it was there.
    pub fn remove(&mut self, section: Section, key: Key<'_>) -> bool {
        self.remove_part(section.into(), key)
    }

    /// Removes a piece. Returns whether it was there.
    pub fn remove_piece(&mut self, piece: Piece, key: Key<'_>) -> bool {
        self.remove_part(piece.into(), key)
    }

    fn remove_part(&mut self, part: Part, key: Key<'_>) -> bool {
        self.index(self.text.len());
        match self.positions(part, key.json()).first() {
            Some(at) => self.bury(*at),
            None => false,
        }
    }

    /// Puts a member into a namespace of the metadata under the next number, and removes the oldest ones there until
    /// at most `max` members and `max_bytes` bytes remain. Returns the number of members removed.
    ///
    /// `namespace` is bland text, and `value` one JSON value.
    pub fn push_numbered(&mut self, namespace: &str, value: &str, (max, max_bytes): (usize, usize)) -> u32 {
        let prefix = format!("\"{namespace}\":");
        let size = prefix.len() + "\"0000\":".len() + value.len();
        self.index(self.text.len());
        let present = self.positions(Part::MetadataIn, &prefix);
        let last = present.last().and_then(|at| self.number_of(*at, &prefix));
        let len_of = |body: &Self, at: usize| body.entries.get(at).map_or(0, |entry| entry.len as usize);
        let mut bytes: usize = present.iter().map(|at| len_of(self, *at)).sum();
        let mut removed = 0;
        for (i, at) in present.iter().enumerate() {
            if present.len() - i < max && bytes + size <= max_bytes {
                break;
            }
            bytes -= len_of(self, *at);
            removed += u32::from(self.bury(*at));
        }
        let start = self.text.len();
        self.text.put(&format!("{prefix}\"{:04}\":", last.map_or(1, |last| last.saturating_add(1))));
        let split = self.text.len() - start;
        self.text.put(value);
        self.finish(Part::MetadataIn, 0, start, split, Written::Whole);
        removed
    }

    /// Returns the places of the live entries of a part that begin with a string. All members are in the index.
    fn positions(&self, part: Part, beginning: &str) -> Vec<usize> {
        let live = self.entries.iter().enumerate().filter(|(_, entry)| entry.part() == Some(part));
        let begun = live.filter(|(_, entry)| self.bytes_of(entry).starts_with(beginning.as_bytes()));
        begun.map(|(at, _)| at).collect()
    }

    /// Returns the number that a member stands under.
    fn number_of(&self, at: usize, namespace: &str) -> Option<u32> {
        let member = self.bytes_of(self.entries.get(at)?).get(namespace.len() + 1..)?;
        let end = member.iter().position(|byte| *byte == b'"')?;
        std::str::from_utf8(&member[..end]).ok()?.parse().ok()
    }

    /// Marks an entry as gone.
    fn bury(&mut self, at: usize) -> bool {
        let Some(entry) = self.entries.get_mut(at) else { return false };
        let part = entry.part();
        entry.content = Content::Dead;
        self.mixed = true;
        self.dead += entry.len + 1;
        self.annotations -= u32::from(part == Some(Part::Annotation));
        self.namespaced -= u32::from(part == Some(Part::MetadataIn));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::internal::{Children, Frame, Kind};
    use crate::id::SegmentId;
    use crate::json::Buffer;

    fn written(body: &Body) -> serde_json::Value {
        let mut out = Buffer::new();
        let children = Children::new();
        let id = SegmentId::from(7);
        Frame {
            kind: Kind::Embedded { opening: None },
            id,
            name: "work",
            start: 1,
            end: Some(2),
            body,
            children: &children,
        }
        .put(&mut out);
        serde_json::from_str(out.as_str()).unwrap()
    }

    #[test]
    fn a_removed_member_is_gone_and_may_come_again() {
        let mut body = Body::new();
        body.metadata("", "a", &1);
        body.metadata("", "b", &2);
        body.annotate("c", &3.into());
        assert!(body.remove(Section::Metadata, Key::of_json("\"a\":")));
        assert!(!body.remove(Section::Metadata, Key::of_json("\"a\":")), "it is gone");
        assert!(body.remove(Section::Annotation, Key::of_json("\"c\":")));
        assert!(!body.remove(Section::Sql, Key::of_json("\"c\":")));
        assert_eq!(written(&body)["metadata"], serde_json::json!({"default": {"b": 2}}));
        assert!(written(&body).get("annotations").is_none());
        body.metadata("", "a", &4);
        assert_eq!(written(&body)["metadata"], serde_json::json!({"default": {"b": 2, "a": 4}}));
    }

    #[test]
    fn of_numbered_members_the_latest_stay_within_both_bounds() {
        let mut body = Body::new();
        let removed: u32 = (0..10).map(|i| body.push_numbered("events", &i.to_string(), (4, 1_000))).sum();
        assert_eq!(removed, 6);
        let events = serde_json::json!({"0007": 6, "0008": 7, "0009": 8, "0010": 9});
        assert_eq!(written(&body)["metadata"]["events"], events);
        let wide = format!("\"{}\"", "x".repeat(60));
        assert_eq!(body.push_numbered("events", &wide, (4, 100)), 3, "bytes count as well");
        assert_eq!(written(&body)["metadata"]["events"].as_object().unwrap().len(), 2);
        // Far more than a body holds at once.
        for _ in 0..10_000 {
            body.push_numbered("events", &wide, (50, 8_000));
        }
        assert_eq!(written(&body)["metadata"]["events"].as_object().unwrap().len(), 50);
        assert!(body.capacity() < 200_000, "{}", body.capacity());
    }
}
