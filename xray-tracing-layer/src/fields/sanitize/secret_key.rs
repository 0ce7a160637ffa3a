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

/// Returns whether a field is a secret by the end of its name, whatever its value.
///
/// `password`, `db.password`, `db_password` and `x_api_key` are. So is `token`, if nothing but a dot is in front of it.
pub(crate) fn is_secret_field(field: &str) -> bool {
    let last_part = field.rsplit('.').next().unwrap_or(field);
    SECRETS.iter().any(|(word, at)| match at {
        At::Both | At::Field => ends_with_word(field.as_bytes(), word.as_bytes()),
        At::Alone => last_part.eq_ignore_ascii_case(word),
        At::Key => false,
    })
}

/// Returns whether a member of a value is a secret by its key, as a field, or as a key in the value's `Debug` form.
pub(crate) fn is_secret_member(key: &str) -> bool {
    is_secret_field(key) || Secret::of(key.as_bytes()).is_some()
}

/// The place at which a word names a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the end of a key in text, and of a field's name.
    Both,
    /// At the end of a key in text. Fields of that name are often no secrets: `function_signature`.
    Key,
    /// At the end of a key in text, and all of a field's name, but for what ends with a dot. Longer names are often no
    /// secrets: `next_token`.
    Alone,
    /// At the end of a field's name. In text, a shorter word finds it.
    Field,
}

/// Words whose value is a secret, in lower case without `_` and `-`.
const SECRETS: &[(&str, At)] = &[
    ("password", At::Both),
    ("passwd", At::Both),
    ("pwd", At::Both),
    ("passphrase", At::Both),
    ("secret", At::Both),
    ("token", At::Alone),
    ("apikey", At::Both),
    ("accountkey", At::Key),
    ("accesskey", At::Key),
    ("secretaccesskey", At::Field),
    ("secretkey", At::Both),
    ("privatekey", At::Both),
    ("signature", At::Key),
    ("credential", At::Key),
    ("credentials", At::Both),
    // Tokens that grant access. `next_token` and `page_token` grant none.
    ("accesstoken", At::Field),
    ("apitoken", At::Field),
    ("authtoken", At::Field),
    ("bearertoken", At::Field),
    ("csrftoken", At::Field),
    ("idtoken", At::Field),
    ("refreshtoken", At::Field),
    ("sessiontoken", At::Field),
    ("jwt", At::Field),
    // In text their secret is all of the line.
    ("authorization", At::Field),
    ("cookie", At::Field),
    ("securitytoken", At::Field),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_secret_by_the_end_of_its_name() {
        for name in [
            "password",
            "db.password",
            "db_password",
            "userPassword",
            "DB-PASSWORD",
            "x_api_key",
            "client_secret",
            "aws.secret_access_key",
            "access_token",
            "id_token",
            "session-token",
            "set_cookie",
            "login.jwt",
            "annotation.password",
            "metadata.login.password",
            "token",
            "session.Token",
        ] {
            assert!(is_secret_field(name), "{name}");
            assert!(is_secret_member(name), "{name}");
        }
        for name in [
            "",
            "_",
            "next_token",
            "password_length",
            "secretary",
            "function_signature",
            "card.number",
            "monkey",
            "key",
            "access_key_id",
            "page_token",
            "token_count",
            "max_tokens",
            "input_tokens",
            "gen_ai.usage.output_tokens",
        ] {
            assert!(!is_secret_field(name), "{name}");
        }
        assert!(is_secret_member("token") && is_secret_member("x-amz-signature"));
        for name in ["", "token_count", "max_tokens", "gen_ai.usage.input_tokens"] {
            assert!(!is_secret_member(name), "{name}");
        }
    }
}
