//! Words that name a secret: keys of pairs such as `password=…`, with how far the secret reaches, and names of fields.
//!
//! Pairs are looked for in free text and in the paths of URLs, names when a callsite is first seen.

/// The reach of a secret.
#[derive(Clone, Copy)]
pub(crate) enum Secret {
    /// A value, quoted or not.
    Value,
    /// All of the line, as in a header.
    Line,
}

impl Secret {
    /// Returns what a key names, if it is a secret. Case, `_` and `-` make no difference.
    pub(crate) fn of(key: &[u8]) -> Option<Self> {
        let ends = |word: &str| ends_with_word(key, word.as_bytes());
        if ["authorization", "cookie", "securitytoken"].into_iter().any(ends) {
            return Some(Self::Line);
        }
        SECRETS.iter().any(|(word, at)| *at != At::Field && ends(word)).then_some(Self::Value)
    }
}

/// The word before a pair's sign, without the quotes that it may stand in.
pub(crate) fn key_before(text: &[u8]) -> &[u8] {
    let end = text.len()
        - text
            .iter()
            .rev()
            .take(16)
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\'))
            .count();
    let is_in_key = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let length = text[..end].iter().rev().take(64).take_while(is_in_key).count();
    &text[end - length..end]
}

/// Returns whether a key ends with a word of lower-case letters, but for case, `_` and `-`.
fn ends_with_word(key: &[u8], word: &[u8]) -> bool {
    let mut letters =
        key.iter().rev().filter(|byte| !matches!(byte, b'_' | b'-')).map(u8::to_ascii_lowercase);
    word.iter().rev().all(|letter| letters.next() == Some(*letter))
}

/// Returns whether a field is a secret by its name, whatever its value: `password`, `db.password`, `api_key`.
pub(crate) fn is_secret_field(field: &str) -> bool {
    let name = field.rsplit('.').next().unwrap_or(field).replace(['_', '-'], "").to_ascii_lowercase();
    SECRETS.iter().any(|(word, at)| *word == name && matches!(at, At::Both | At::Field))
}

/// The place at which a word names a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the end of a key in text, and as the last part of a field's name.
    Both,
    /// At the end of a key in text. Fields of that name are often no secrets: `next_token`, `function_signature`.
    Key,
    /// The last part of a field's name. In text, a shorter word finds it.
    Field,
}

/// Words whose value is a secret, in lower case without `_` and `-`.
const SECRETS: &[(&str, At)] = &[
    ("password", At::Both),
    ("passwd", At::Both),
    ("pwd", At::Both),
    ("passphrase", At::Both),
    ("secret", At::Both),
    ("token", At::Key),
    ("apikey", At::Both),
    ("accountkey", At::Key),
    ("accesskey", At::Key),
    ("secretaccesskey", At::Field),
    ("secretkey", At::Both),
    ("privatekey", At::Both),
    ("signature", At::Key),
    ("credential", At::Key),
    ("credentials", At::Both),
    // In text their secret is all of the line.
    ("authorization", At::Field),
    ("cookie", At::Field),
];
