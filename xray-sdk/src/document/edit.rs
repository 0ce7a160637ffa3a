//! Changes to a body that is complete: members that are taken out, and members that are numbered, of which the
//! latest stay. Called by the tracing layer at a span's close, and for the events inside of a span.

use super::body::Body;
use super::entry::{Content, Entry};
use super::section::Section;
use super::truncation::Written;

impl Body {
    /// Removes a member. Returns whether it was there.
    pub fn remove(&mut self, section: Section, key: impl AsRef<str>) -> bool {
        let key = key.as_ref().as_bytes();
        let is_it = |body: &Self, entry: &Entry| body.bytes_of(entry).starts_with(key);
        let mut live = self.entries.iter().enumerate().filter(|(_, entry)| entry.section() == Some(section));
        match live.find(|(_, entry)| is_it(self, entry)).map(|(at, _)| at) {
            Some(at) => self.bury(at),
            None => false,
        }
    }

    /// Puts a member into a namespace of the metadata under the next number, and removes the oldest ones there until
    /// at most `max` members and `max_bytes` bytes remain. Returns the number of members removed.
    ///
    /// `namespace` is ready-made JSON, `"events":` for instance, and `value` one JSON value.
    pub fn push_numbered(&mut self, namespace: &str, value: &str, (max, max_bytes): (usize, usize)) -> u32 {
        let size = namespace.len() + "\"0000\":".len() + value.len();
        let numbered = |body: &Self| -> Vec<(usize, usize)> {
            let live = body.entries.iter().enumerate();
            live.filter(|(_, entry)| entry.section() == Some(Section::MetadataIn))
                .filter(|(_, entry)| body.bytes_of(entry).starts_with(namespace.as_bytes()))
                .map(|(at, entry)| (at, entry.len as usize))
                .collect()
        };
        let present = numbered(self);
        let last = present.last().and_then(|(at, _)| self.number_of(*at, namespace));
        let mut bytes: usize = present.iter().map(|(_, len)| len).sum();
        let mut removed = 0;
        for (i, (at, len)) in present.iter().enumerate() {
            if present.len() - i < max && bytes + size <= max_bytes {
                break;
            }
            removed += u32::from(self.bury(*at));
            bytes -= len;
        }
        let key = format!("{namespace}\"{:04}\":", last.map_or(1, |last| last.saturating_add(1)));
        self.put(Section::MetadataIn, 0, key, |out| {
            out.put(value);
            Written::Whole
        });
        removed
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
        let section = entry.section();
        entry.content = Content::Dead;
        self.mixed = true;
        self.dead += entry.len as usize + 1;
        self.annotations -= u32::from(section == Some(Section::Annotation));
        self.namespaced -= u32::from(section == Some(Section::MetadataIn));
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
        Frame { kind: Kind::Embedded, id, name: "work", start: 1, end: Some(2), body, children: &children }
            .put(&mut out);
        serde_json::from_str(out.as_str()).unwrap()
    }

    #[test]
    fn a_removed_member_is_gone_and_may_come_again() {
        let mut body = Body::new();
        body.metadata("", "a", &1);
        body.metadata("", "b", &2);
        body.annotate("c", &3.into());
        assert!(body.remove(Section::Metadata, "\"a\":"));
        assert!(!body.remove(Section::Metadata, "\"a\":"), "it is gone");
        assert!(body.remove(Section::Annotation, "\"c\":"));
        assert!(!body.remove(Section::Sql, "\"c\":"));
        assert_eq!(written(&body)["metadata"], serde_json::json!({"default": {"b": 2}}));
        assert!(written(&body).get("annotations").is_none());
        body.metadata("", "a", &4);
        assert_eq!(written(&body)["metadata"], serde_json::json!({"default": {"b": 2, "a": 4}}));
    }

    #[test]
    fn of_numbered_members_the_latest_stay_within_both_bounds() {
        let mut body = Body::new();
        let removed: u32 =
            (0..10).map(|i| body.push_numbered("\"events\":", &i.to_string(), (4, 1_000))).sum();
        assert_eq!(removed, 6);
        let events = serde_json::json!({"0007": 6, "0008": 7, "0009": 8, "0010": 9});
        assert_eq!(written(&body)["metadata"]["events"], events);
        let wide = format!("\"{}\"", "x".repeat(60));
        assert_eq!(body.push_numbered("\"events\":", &wide, (4, 100)), 3, "bytes count as well");
        assert_eq!(written(&body)["metadata"]["events"].as_object().unwrap().len(), 2);
        // Far more than a body holds at once.
        for _ in 0..10_000 {
            body.push_numbered("\"events\":", &wide, (50, 8_000));
        }
        assert_eq!(written(&body)["metadata"]["events"].as_object().unwrap().len(), 50);
        assert!(body.capacity() < 200_000, "{}", body.capacity());
    }
}
