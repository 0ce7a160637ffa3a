//! Free text, such as messages of errors: it stays, but for the secrets that are found inside it.
//!
//! | found | becomes |
//! |---|---|
//! | a URL, up to the next blank or quote | the same without user, password and query; `scheme://…` if it can't be read |
//! | `password=…`, `"token": "…"`, `AccountKey=…` and the like | the key, and `…` for the value |
//! | `Authorization: …` | the same, to the end of the line |
//! | `Bearer ` and a token | `Bearer …` |
//! | a JSON Web Token | `…` |
//! | `user:password@tcp(…)` | `…@tcp(…)` |
//! | a statement (`SELECT … FROM`, `INSERT INTO`, `UPDATE … SET`, `DELETE FROM`) | the statement without its literals |
//!
//! This is a search for known forms, and no proof that nothing else in the text is secret.

use std::borrow::Cow;

use memchr::memmem;
use xray_sdk::document::MAX_VALUE;

use super::dialect::Dialect;
use super::secret_key::{Secret, key_before};
use super::statement::{Language, Sanitized};
use super::url::{SafeUrl, is_scheme};

/// Removes what is known to be secret from a string. Borrows the text if there is nothing to remove.
///
/// Only as much is looked at as a document keeps of one value. Behind it, a string that is changed ends.
pub(crate) fn free_text(text: &str, keep_query: bool) -> Cow<'_, str> {
    let head = &text[..text.floor_char_boundary(MAX_VALUE)];
    if !may_hold_secret(head.as_bytes()) {
        return text.into();
    }
    let mut clean = Cow::Borrowed(head);
    for step in [urls, pairs, dsn_users, tokens, statements] {
        if let Some(changed) = step(&clean, keep_query) {
            clean = changed.into();
        }
    }
    match clean {
        Cow::Borrowed(_) => text.into(),
        Cow::Owned(clean) if head.len() < text.len() => format!("{clean}…").into(),
        changed => changed,
    }
}

/// Returns whether one of the forms may be in a string, which may be escaped as in JSON.
///
/// Most strings have none of these bytes.
#[inline]
pub(crate) fn may_hold_secret(text: &[u8]) -> bool {
    let head = &text[..text.len().min(MAX_VALUE)];
    (has_sign(head) && has_form(head)) || (head.len() >= SHORTEST_TOKEN && find_token(head).is_some())
}

/// Returns whether a string has one of the bytes that each form has one of: a URL's colon, a pair's sign, a user's end, and
/// what a statement's literal stands in. Eight bytes at a time: the last eight may be looked at twice.
#[inline]
fn has_sign(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<8>() {
        let (words, _) = text.as_chunks::<8>();
        return words.iter().fold(signs(*last), |found, word| found | signs(*word)) != 0;
    }
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some([a, b, c, d]), Some([e, f, g, h])) => signs([*a, *b, *c, *d, *e, *f, *g, *h]) != 0,
        _ => text.iter().any(|byte| signs([*byte; 8]) != 0),
    }
}

/// Not 0 if one of eight bytes is of `:;<=>?@` or `'(`, the ranges in which the signs `:=@'(` lie.
#[inline]
fn signs(bytes: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(bytes);
    // Without its top bit a byte has room for a sum, which sets that bit from some number on.
    let low = word & !TOPS;
    let from = |first: u8| low + ONES * u64::from(0x80 - first);
    // Of two such bits, one is set in between.
    let found = (from(b':') ^ from(b'@' + 1)) | (from(b'\'') ^ from(b'(' + 1));
    found & !word & TOPS
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// A second look, still without memory.
#[cold]
fn has_form(text: &[u8]) -> bool {
    let is_sign = |at: usize| match text[at] {
        b':' | b'=' => text[at..].starts_with(b"://") || Secret::of(key_before(&text[..at])).is_some(),
        b'@' => USER_ENDS.iter().any(|form| text[at + 1..].starts_with(form.as_bytes())),
        _ => false,
    };
    (0..text.len()).any(is_sign)
        || (memchr::memchr2(b'\'', b'(', text).is_some() && find_statement(text).is_some())
}

/// Replaces each URL by what is safe of it.
fn urls(text: &str, keep_query: bool) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    for found in memmem::find_iter(text.as_bytes(), "://") {
        let start = start_of_word(text, found);
        if start < copied || start == found {
            continue;
        }
        let end = found + 3 + end_of_url(&text[found + 3..]);
        let url = &text[start..end];
        let safe = match SafeUrl::parse(url, keep_query) {
            Some(safe) => safe.to_text(),
            None if is_scheme(&text[start..found]) => format!("{}…", &text[start..found + 3]).into(),
            None => "…".into(),
        };
        if safe != url {
            out.push_str(&text[copied..start]);
            out.push_str(&safe);
            copied = end;
        }
    }
    finish(text, out, copied)
}

/// Replaces the value behind each key that names a secret.
fn pairs(text: &str, _: bool) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(found) = text[from..].find(['=', ':']) {
        let sign = from + found;
        from = sign + 1;
        let Some(kind) = Secret::of(key_before(&text.as_bytes()[..sign])) else { continue };
        let value = from + (text[from..].len() - text[from..].trim_start_matches([' ', '\t', '\\']).len());
        let end = value + length(kind, &text[value..]);
        // A path (`secret::Key`), or nothing at all.
        if end == value || text[value..].starts_with([':', '…']) {
            continue;
        }
        out.push_str(&text[copied..value]);
        out.push('…');
        (copied, from) = (end, end);
    }
    finish(text, out, copied)
}

/// Replaces `user:password` before `@tcp(`, `@unix(` and `@//`.
fn dsn_users(text: &str, _: bool) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    for (at, _) in text.match_indices('@') {
        let rest = &text[at + 1..];
        if !USER_ENDS.iter().any(|form| rest.starts_with(form)) {
            continue;
        }
        let start = text[..at]
            .rfind(|c: char| c.is_whitespace())
            .map_or(0, |blank| blank + text[blank..].chars().next().map_or(1, char::len_utf8));
        if start >= copied && start < at && &text[start..at] != "…" {
            out.push_str(&text[copied..start]);
            out.push('…');
            copied = at;
        }
    }
    finish(text, out, copied)
}

/// Replaces JSON Web Tokens, and what follows the word `Bearer`.
fn tokens(text: &str, _: bool) -> Option<String> {
    let mut out = String::new();
    let mut copied = 0;
    while let Some((start, end)) = find_token(&text.as_bytes()[copied..]) {
        out.push_str(&text[copied..copied + start]);
        out.push('…');
        copied += end;
    }
    finish(text, out, copied)
}

/// Returns where the first token begins and ends.
fn find_token(text: &[u8]) -> Option<(usize, usize)> {
    let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    memchr::memchr2_iter(b' ', b'J', text).find_map(|at| {
        let is_web_token = text[at] == b'J';
        let (word, start): (&[u8], _) =
            if is_web_token { (b"ey", at.checked_sub(2)?) } else { (b"bearer", at + 1) };
        let before = text[..at].get(at.checked_sub(word.len())?..)?;
        let is_word = text[..at - word.len()].last().is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if !is_word || !before.eq_ignore_ascii_case(word) {
            return None;
        }
        let token = &text[start..start + text[start..].iter().take_while(is_token).count()];
        let has = |found: fn(&u8) -> bool| token.iter().any(found);
        let is_secret = if is_web_token {
            token.len() >= 20 && token.contains(&b'.')
        } else {
            token.len() >= 6 && (token.len() >= 20 || has(u8::is_ascii_digit))
        };
        is_secret.then_some((start, start + token.len()))
    })
}

/// The length of the shortest text that is searched for a token: `Bearer` and six characters.
const SHORTEST_TOKEN: usize = 13;

/// Takes the literals out of a statement that begins somewhere in the text.
fn statements(text: &str, _: bool) -> Option<String> {
    let start = find_statement(text.as_bytes())?;
    let statement = Sanitized { statement: &text[start..], language: Language::Sql(Dialect::Unknown) };
    Some(format!("{}{statement}", &text[..start]))
}

fn finish(text: &str, mut out: String, copied: usize) -> Option<String> {
    (copied > 0).then(|| {
        out.push_str(&text[copied..]);
        out
    })
}

/// Returns the start of a statement: two words that only SQL has together.
fn find_statement(text: &[u8]) -> Option<usize> {
    let has = |at: usize, word: &[u8]| {
        text.get(at..at + word.len()).is_some_and(|there| there.eq_ignore_ascii_case(word))
    };
    let follows = |from: usize, word: &[u8]| {
        let window = text.get(from..(from + STATEMENT_WINDOW).min(text.len())).unwrap_or_default();
        window.windows(word.len()).any(|there| there.eq_ignore_ascii_case(word))
    };
    let is_start = |at: usize| {
        let first = text[at] | 0x20;
        matches!(first, b's' | b'i' | b'u' | b'd')
            && (at == 0 || !text[at - 1].is_ascii_alphanumeric())
            && ((has(at, b"select ") && follows(at + 7, b" from "))
                || has(at, b"insert into ")
                || (has(at, b"update ") && follows(at + 7, b" set "))
                || has(at, b"delete from "))
    };
    (0..text.len()).find(|at| is_start(*at))
}

/// Returns the start of the scheme that ends at `end`.
fn start_of_word(text: &str, end: usize) -> usize {
    let is_in_scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    end - text.as_bytes()[..end].iter().rev().take(32).take_while(is_in_scheme).count()
}

/// Returns the end of a URL in running text.
fn end_of_url(text: &str) -> usize {
    let end =
        text.find(|c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '`')).unwrap_or(text.len());
    text[..end].trim_end_matches(['.', ',', ';', ':', ')', ']', '}', '\'', '!']).len()
}

/// Returns the number of bytes of the secret that a string begins with.
fn length(kind: Secret, text: &str) -> usize {
    let line = text.find(['\n', '\r']).unwrap_or(text.len());
    let closing = match text.chars().next() {
        Some(quote @ ('"' | '\'' | '`')) => Some(quote),
        Some('{') => Some('}'),
        _ => None,
    };
    match (kind, closing) {
        (Secret::Line, _) => line,
        (Secret::Value, Some(closing)) => end_of_quoted(text, closing).unwrap_or(line),
        (Secret::Value, None) => text.find(char::is_whitespace).unwrap_or(text.len()),
    }
}

/// The texts that follow the `@` behind `user:password` in the connection strings of Go and Oracle.
const USER_ENDS: &[&str] = &["tcp(", "tcp4(", "tcp6(", "unix(", "//"];

/// Behind the closing quote, past those that are escaped or doubled.
fn end_of_quoted(text: &str, closing: char) -> Option<usize> {
    let mut rest = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => _ = rest.next(),
            _ if c == closing && rest.next_if(|(_, next)| *next == closing).is_none() => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The greatest distance between the two words of a statement, in bytes.
const STATEMENT_WINDOW: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_found_wherever_it_stands() {
        for len in 0..40 {
            for plain in [b'a', b'Z', b'9', b'_', b' ', b')', b'&', 0x80, 0xa7, 0xff] {
                let mut text = vec![plain; len];
                assert!(!has_sign(&text), "{plain} {len}");
                for at in 0..len {
                    for sign in *b":=@'(" {
                        text[at] = sign;
                        assert!(has_sign(&text), "{sign} at {at} of {len}");
                    }
                    text[at] = plain;
                }
            }
        }
    }

    #[test]
    fn known_forms_inside_a_text_are_cleaned() {
        for (text, expected) in [
            ("connecting to postgres://bob:hunter2@h/db failed", "connecting to postgres://h/db failed"),
            (
                "error sending request for url (https://h/p?token=hunter2)",
                "error sending request for url (https://h/p)",
            ),
            ("at https://bob:hun/ter2@h/p: refused", "at https://…: refused"),
            ("see https://h/a and http://u:p@h/b.", "see https://h/a and http://h/b."),
            ("host=h user=u password = hunter2 dbname=d", "host=h user=u password = … dbname=d"),
            ("Server=h;Password=\"hunter2;x\";Database=d", "Server=h;Password=…;Database=d"),
            ("{\"api_key\": \"hunter2\", \"a\": 1}", "{\"api_key\": …, \"a\": 1}"),
            ("Authorization: Bearer hunter2\nHost: h", "Authorization: …\nHost: h"),
            ("sent Bearer hunter2 twice", "sent Bearer … twice"),
            ("bearer abcdefghijklmnopqrst", "bearer …"),
            (
                "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl, eyJhbGciOiJub25lIn0.eyJzdWIiOiIyIn0",
                "token …, …",
            ),
            ("dial u:hunter2@tcp(127.0.0.1:3306)/db", "dial …@tcp(127.0.0.1:3306)/db"),
            ("dial u/hunter2@//h:1521/s", "dial …@//h:1521/s"),
            ("failed: SELECT * FROM t WHERE a = 'hunter2'", "failed: SELECT * FROM t WHERE a = ?"),
            ("update t set a = 'hunter2'", "update t set a = ?"),
        ] {
            assert_eq!(free_text(text, false), expected, "{text}");
        }
    }

    #[test]
    fn a_text_without_secrets_stays_as_it_is() {
        for text in [
            "",
            "order 17 not found",
            "please select an item of the list",
            "secret::Key: not found",
            "time: 12:30:01, ratio = 0.5",
            "password: ",
            "invalid token at line 3",
            "the bearer of news, a bearer certificate",
            "eyJ and keyJar.of.many.words.in.a.row",
            "see https://docs.example/a/b#c",
        ] {
            let expected = text.replace("#c", "");
            assert_eq!(free_text(text, false), expected, "{text}");
        }
        assert!(matches!(free_text("order 17 not found: gone", false), Cow::Borrowed(_)));
    }
}
