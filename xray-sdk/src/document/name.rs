//! Names and keys, sanitized to what X-Ray accepts. A bad name is never a reason to lose a document, so nothing
//! here fails: a character outside the class becomes `_`, what is too long is cut, what is empty gets a name.

use super::limits::{MAX_ANNOTATION_KEY, MAX_METADATA_KEY, MAX_NAME};
use super::name_chars::is_name_char;
use super::section::Section;
use crate::json::Buffer;

/// Appends a segment's or subsegment's name, without quotes.
///
/// The class is the schema's: letters, numbers and separators of Unicode's basic plane, and
/// `_ . : / % & # = + - @`. The Developer Guide also lists the backslash; the schema does not, so it goes.
/// At most [`MAX_NAME`] characters are kept; a name without any visible character becomes `unknown`.
/// Returns whether the name was changed.
pub fn put_name(out: &mut Buffer, name: &str) -> bool {
    let plain = name.len() <= MAX_NAME && name.bytes().all(|b| PLAIN[usize::from(b)]);
    if plain && name.bytes().any(|b| b != b' ') {
        out.put(name);
        return false;
    }
    put_sanitized(out, name, MAX_NAME, "unknown", is_name_char)
}

/// ASCII characters of the class, by their code.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let class = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.:/%&#=+-@";
    let mut i = 0;
    while i < class.len() {
        plain[class[i] as usize] = true;
        i += 1;
    }
    plain
};

/// Appends an annotation's key, without quotes: letters, digits, `_` and `.`, anything else becomes `_`;
/// at most 500 characters; an empty key becomes `unknown`.
///
/// Returns a mark of the key as it was: 0 if it is unchanged, else a number above 0. Of two keys that become the same,
/// the marks differ, but for one pair in 255.
///
/// The dot is not in schema 1.0.0 but in the service's newer documentation, and receivers keep it.
pub(super) fn put_annotation_key(out: &mut Buffer, key: &str) -> u8 {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    if !put_sanitized(out, key, MAX_ANNOTATION_KEY, "unknown", legal) {
        return 0;
    }
    // FNV-1a, folded to a byte.
    let hash =
        key.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash % 255) as u8 + 1
}

/// Appends a metadata key, without quotes. Any text is legal there; only its length is bounded.
fn put_metadata_key(out: &mut Buffer, key: &str) {
    out.put_escaped(&key[..key.floor_char_boundary(MAX_METADATA_KEY)]);
}

/// Appends a metadata namespace, without quotes. Those that begin with `AWS.` belong to the service.
fn put_metadata_namespace(out: &mut Buffer, namespace: &str) {
    match namespace.strip_prefix("AWS.") {
        Some(rest) => {
            out.put("AWS_");
            put_metadata_key(out, rest);
        }
        None if namespace.is_empty() => out.put("default"),
        None => put_metadata_key(out, namespace),
    }
}

pub(super) fn put_metadata_path(out: &mut Buffer, namespace: &str, key: &str) -> Section {
    let mut section = Section::Metadata;
    if !matches!(namespace, "" | "default") {
        section = Section::MetadataIn;
        out.put("\"");
        put_metadata_namespace(out, namespace);
        out.put("\":");
    }
    out.put("\"");
    put_metadata_key(out, key);
    out.put("\":");
    section
}

fn put_sanitized(
    out: &mut Buffer,
    text: &str,
    max: usize,
    empty: &str,
    legal: impl Fn(char) -> bool,
) -> bool {
    if text.trim().is_empty() {
        out.put(empty);
        return true;
    }
    let mut changed = false;
    let mut chars = text.chars();
    for c in chars.by_ref().take(max) {
        let kept = if legal(c) { c } else { '_' };
        changed |= kept != c;
        out.put(kept.encode_utf8(&mut [0; 4]));
    }
    changed || chars.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        let mut out = Buffer::new();
        put_name(&mut out, text);
        out.as_str().to_owned()
    }

    #[test]
    fn the_quick_table_agrees_with_the_class() {
        for byte in 0..=u8::MAX {
            assert_eq!(PLAIN[usize::from(byte)], byte.is_ascii() && is_name_char(byte.into()), "{byte}");
        }
    }

    #[test]
    fn names_are_mended_never_lost() {
        for (given, becomes) in [
            ("checkout", "checkout"),
            ("GET /orders/{id}", "GET /orders/_id_"),
            ("SELECT * FROM t", "SELECT _ FROM t"),
            ("a\\b", "a_b"),
            ("tab\there", "tab_here"),
            ("", "unknown"),
            ("  ", "unknown"),
            ("\n", "unknown"),
            ("Bücher", "Bücher"),
            ("注文", "注文"),
            ("🦀", "_"),
            ("a\u{301}", "a_"), // a combining accent is a mark, not a letter
            ("<script>", "_script_"),
        ] {
            assert_eq!(name(given), becomes, "{given:?}");
        }
        assert_eq!(name(&"é".repeat(300)).chars().count(), MAX_NAME);
        assert_eq!(name(&"x".repeat(1 << 20)).len(), MAX_NAME);
    }

    #[test]
    fn annotation_keys_keep_dots_and_lose_symbols() {
        let key = |text: &str| {
            let mut out = Buffer::new();
            put_annotation_key(&mut out, text);
            out.as_str().to_owned()
        };
        assert_eq!(key("http.route"), "http.route");
        assert_eq!(key("user-id"), "user_id");
        assert_eq!(key("größe"), "gr__e");
        assert_eq!(key(""), "unknown");
        assert_eq!(key(&"k".repeat(600)).len(), 500);
    }
}
