//! Rules about a document's bytes, which a parsed value no longer shows: compact writing, keys written twice,
//! and which `"id"` a plain text search finds first.
//!
//! Called by the judge, once the document has turned out to be one JSON object.

use std::collections::HashSet;
use std::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::problem::{Path, Problems, quoted};

/// The daemon names a refused document by searching its text for `"id":"…"` and `"trace_id":"…"`, with no blank
/// between, and takes the first hit of each.
pub(super) fn check_found_by_daemon(text: &str, key: &str, value: Option<&str>, out: &mut Problems) {
    let Some(value) = value else { return };
    let needle = format!("\"{key}\":\"");
    let hit = text.find(&needle).map(|at| &text[at + needle.len()..]);
    if !hit.is_some_and(|rest| rest.strip_prefix(value).is_some_and(|rest| rest.starts_with('"'))) {
        let message = format!(
            "the first {needle}…\" in the text is not the document's own: the daemon's log misnames it"
        );
        out.warn(&Path::Root.key(key), message);
    }
}

/// JSON with blanks between its tokens is legal, but costs bytes, and the daemon's log can't name it.
pub(super) fn check_compact(text: &str, out: &mut Problems) {
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            (in_string, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
        } else if byte == b'"' {
            in_string = true;
        } else if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            return out.warn(&Path::Root, format!("not compact JSON: a blank between tokens at byte {at}"));
        }
    }
}

/// Reports keys written twice in one object. Readers keep one value, mostly the last; the other is lost.
pub(super) fn check_unique_keys(text: &str, out: &mut Problems) {
    let mut reader = serde_json::Deserializer::from_str(text);
    // The text has been parsed before: it can't fail here.
    let _ = Keys { path: &Path::Root, out }.deserialize(&mut reader);
}

/// Reads one value for nothing but the keys of the objects in it.
struct Keys<'a, 'b> {
    path: &'a Path<'a>,
    out: &'b mut Problems,
}

impl<'de> DeserializeSeed<'de> for Keys<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(Keys { path: &self.path.key(&key), out: &mut *self.out })?;
            if seen.contains(&key) {
                self.out.warn(&self.path.key(&key), format!("the key {} is written twice", quoted(&key)));
            }
            seen.insert(key);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut index = 0;
        while seq.next_element_seed(Keys { path: &self.path.index(index), out: &mut *self.out })?.is_some() {
            index += 1;
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(check: impl Fn(&mut Problems)) -> Vec<String> {
        let mut out = Problems::default();
        check(&mut out);
        out.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn keys_written_twice_are_found_at_any_depth() {
        let text = r#"{"a":1,"b":[{"c":{},"d":null,"c":true}],"a":-1.5,"e":{"a":"a"}}"#;
        assert_eq!(
            found(|out| check_unique_keys(text, out)),
            [r#"b[0].c: the key "c" is written twice"#, r#"a: the key "a" is written twice"#]
        );
    }

    #[test]
    fn a_key_is_the_same_however_it_is_escaped() {
        assert_eq!(found(|out| check_unique_keys(r#"{"a":1,"\u0061":2}"#, out)).len(), 1);
    }

    #[test]
    fn blanks_count_between_tokens_alone() {
        for text in [r#"{"a":"b c","d\" ":"\\"}"#, "{}", r#"{"a\\":1}"#] {
            assert_eq!(found(|out| check_compact(text, out)), Vec::<String>::new(), "{text}");
        }
        for (text, at) in [(r#"{"a": 1}"#, 5), ("\n{}", 0), ("{}\n", 2), (r#"{"a\\" :1}"#, 6), ("[\t1]", 1)] {
            let expected = format!("not compact JSON: a blank between tokens at byte {at}");
            assert_eq!(found(|out| check_compact(text, out)), [expected], "{text}");
        }
    }

    #[test]
    fn the_daemons_search_must_hit_the_documents_own_id() {
        let cases = [
            (r#"{"id":"a","subsegments":[{"id":"b"}]}"#, true),
            (r#"{"parent_id":"b","name":"\"id\":\"b\"","id":"a"}"#, true),
            (r#"{"subsegments":[{"id":"b"}],"id":"a"}"#, false),
            (r#"{"id": "a"}"#, false),
            (r#"{"annotations":{"id":"ab"},"id":"a"}"#, false),
        ];
        for (text, named) in cases {
            assert_eq!(
                found(|out| check_found_by_daemon(text, "id", Some("a"), out)).is_empty(),
                named,
                "{text}"
            );
        }
    }
}
