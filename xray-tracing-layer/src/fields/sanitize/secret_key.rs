//! Keys that name a secret, in pairs such as `password=…`, and how far the secret reaches.
//!
//! Read in free text, in the paths of URLs, and nowhere else.

/// How far a secret reaches.
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
        let ends = |words: &[&str]| words.iter().any(|word| ends_with_word(key, word.as_bytes()));
        match () {
            () if ends(&["authorization", "cookie", "securitytoken"]) => Some(Self::Line),
            () if ends(SECRETS) => Some(Self::Value),
            () => None,
        }
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

/// Whether a key ends with a word of lower-case letters, but for case, `_` and `-`.
fn ends_with_word(key: &[u8], word: &[u8]) -> bool {
    let mut letters =
        key.iter().rev().filter(|byte| !matches!(byte, b'_' | b'-')).map(u8::to_ascii_lowercase);
    word.iter().rev().all(|letter| letters.next() == Some(*letter))
}

/// Keys whose value is a secret.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accountkey",
    "accesskey",
    "secretkey",
    "privatekey",
    "signature",
    "credential",
    "credentials",
];
