//! Database statements without the values in them: every literal becomes `?`.
//!
//! Applied to each value of `sanitized_query`. The dialect is unknown, and dialects disagree about what a
//! literal is. If two readings are possible, the one that shows less is taken:
//!
//! | text | treated as |
//! |---|---|
//! | `'…'`, `E'…'`, `N'…'`, `q'[…]'`, `$tag$…$tag$`, numbers | a literal |
//! | `'…\'` | the end of a string in one dialect only: nothing after it is shown |
//! | `"…"` | a name in SQL, a string in MySQL: a name if it looks like one and no value is expected |
//! | `` `…` `` | a name, and a sign that `"…"` is a string |
//! | `-- …`, `# …`, `/* … */` | a comment, which may quote values: a blank |
//! | `$1`, `?1`, `:name`, `@p1` | a placeholder |
//!
//! The scan is one pass, linear in the length shown. Applied to its own result, it changes nothing.

use std::fmt::{self, Write};

use xray_sdk::document::MAX_VALUE;

/// Displays a statement with `?` for each literal, without allocating.
pub(crate) struct WithoutLiterals<'a>(pub(crate) &'a str);

impl fmt::Display for WithoutLiterals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut scan = Scan {
            text: self.0,
            at: 0,
            out: f,
            written: Ok(()),
            copied: 0,
            shown: 0,
            before: 0,
            has_double_quotes: self.0.contains('"'),
            has_backquotes: self.0.contains('`'),
            value_next: false,
            between: false,
            depth: 0,
            list: None,
        };
        // What is above the bound is cut off.
        while scan.at < self.0.len() && scan.shown + (scan.at - scan.copied) <= MAX_VALUE {
            scan.token();
        }
        scan.finish()
    }
}

struct Scan<'a, W> {
    text: &'a str,
    at: usize,
    out: W,
    written: fmt::Result,
    /// The end of the text that is written or replaced.
    copied: usize,
    /// Bytes written.
    shown: usize,
    /// The last byte that was not a blank.
    before: u8,
    has_double_quotes: bool,
    has_backquotes: bool,
    /// Whether the token before expects a value: an operator or a keyword.
    value_next: bool,
    /// Whether the next `AND` belongs to a `BETWEEN`.
    between: bool,
    depth: u32,
    /// The depth of the current list of values.
    list: Option<u32>,
}

impl<W: Write> Scan<'_, W> {
    fn token(&mut self) {
        let start = self.at;
        match self.byte(start) {
            b'\'' => self.string(start, start, false),
            b'"' => self.double_quoted(),
            b'`' => self.backquoted(),
            b'$' => self.dollar(),
            b'-' if self.byte(start + 1) == b'-' => self.line_comment(),
            b'#' if self.byte(start + 1) != b'>' => self.line_comment(), // `#>` looks into JSON
            b'/' if self.byte(start + 1) == b'*' => self.block_comment(),
            b'?' | b':' => self.placeholder(),
            b'0'..=b'9' => self.number(),
            byte if is_in_word(byte) => self.word(),
            byte => {
                self.at += 1;
                self.punctuation(byte);
            }
        }
        let last = self.byte(self.at.wrapping_sub(1));
        if self.copied < self.at && !last.is_ascii_whitespace() {
            self.before = last;
        }
    }

    fn punctuation(&mut self, byte: u8) {
        match byte {
            b'(' => self.depth = self.depth.saturating_add(1),
            b')' => {
                self.depth = self.depth.saturating_sub(1);
                self.list = self.list.filter(|depth| self.depth >= *depth);
                self.value_next = false;
            }
            b'=' | b'<' | b'>' | b'!' | b'~' | b'|' => self.value_next = true,
            _ if byte.is_ascii_whitespace() => {}
            _ => self.value_next = false,
        }
    }

    fn word(&mut self) {
        let start = self.at;
        self.at = self.end_of(start, |byte| is_in_word(byte) || byte.is_ascii_digit() || byte == b'$');
        let word = &self.text[start..self.at];
        if self.byte(self.at) == b'\'' {
            return match word {
                "e" | "E" => self.string(start, self.at, true),
                "n" | "N" | "b" | "B" | "x" | "X" => self.string(start, self.at, false),
                _ if word.eq_ignore_ascii_case("q") || word.eq_ignore_ascii_case("nq") => {
                    self.alternative_quotes(start);
                }
                _ => {}
            };
        }
        if !self.has_double_quotes {
            return;
        }
        let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
        self.value_next = is(BEFORE_VALUES) || (self.between && is(&["AND"]));
        self.between = is(&["BETWEEN"]) || (self.between && !is(&["AND"]));
        if is(&["VALUES", "VALUE", "IN"]) {
            self.list = Some(self.depth);
        } else if is(&["SELECT", "WITH"]) || self.list == Some(self.depth) {
            self.list = None;
        }
    }

    /// Replaces a string whose prefix is at `start` and whose quote is at `quote`.
    fn string(&mut self, start: usize, quote: usize, backslash_escapes: bool) {
        match self.end_of_quoted(quote, backslash_escapes) {
            Some(end) => self.literal(start, end, "?"),
            None => self.give_up(start),
        }
    }

    /// Returns the position after the closing quote; `None` if there is none, or if dialects disagree about
    /// it.
    fn end_of_quoted(&self, open: usize, backslash_escapes: bool) -> Option<usize> {
        let quote = self.byte(open);
        let mut at = open + 1;
        while at < self.text.len() {
            match self.byte(at) {
                b'\\' if backslash_escapes => at += 2,
                b'\\' => {
                    let end = self.end_of(at, |byte| byte == b'\\');
                    if (end - at) % 2 == 1 && self.byte(end) == quote {
                        return None;
                    }
                    at = end;
                }
                byte if byte == quote && self.byte(at + 1) == quote => at += 2,
                byte if byte == quote => return Some(at + 1),
                _ => at += 1,
            }
        }
        None
    }

    /// Oracle's `q'[…]'`.
    fn alternative_quotes(&mut self, start: usize) {
        let body = self.at + 2;
        let close = match self.byte(self.at + 1) {
            b'[' => b']',
            b'(' => b')',
            b'{' => b'}',
            b'<' => b'>',
            other => other,
        };
        let bytes = self.text.as_bytes().get(body..).unwrap_or_default();
        match bytes.windows(2).position(|pair| pair == [close, b'\'']) {
            Some(found) => self.literal(start, body + found + 2, "?"),
            None => self.give_up(start),
        }
    }

    fn double_quoted(&mut self) {
        let start = self.at;
        let Some(end) = self.end_of_quoted(start, false) else { return self.give_up(start) };
        let is_dotted = self.before == b'.' || self.byte(end) == b'.';
        let value = self.value_next || self.list.is_some_and(|depth| self.depth > depth);
        if (value && !is_dotted) || self.has_backquotes || !is_name(&self.text[start + 1..end - 1]) {
            return self.literal(start, end, "?");
        }
        (self.at, self.value_next) = (end, false);
    }

    fn backquoted(&mut self) {
        let start = self.at;
        let Some(end) = self.end_of_quoted(start, false) else { return self.give_up(start) };
        if !is_name(&self.text[start + 1..end - 1]) {
            return self.literal(start, end, "`?`");
        }
        (self.at, self.value_next) = (end, false);
    }

    /// Handles a `$`: a placeholder `$1`, a variable `$name`, or a dollar-quoted string.
    fn dollar(&mut self) {
        let (start, name) = (self.at, self.at + 1);
        let end = self.end_of(name, |byte| is_in_word(byte) || byte.is_ascii_digit());
        if self.byte(end) != b'$' || self.byte(name).is_ascii_digit() {
            return self.placeholder();
        }
        let tag = &self.text[start..=end];
        match self.text[end + 1..].find(tag) {
            Some(found) => self.literal(start, end + 1 + found + tag.len(), "?"),
            None => self.give_up(start),
        }
    }

    /// Copies a mark with its name or number: `?`, `?1`, `:name`, `$1`. Long numbers are treated as values.
    fn placeholder(&mut self) {
        self.at += 1;
        let end = self.end_of(self.at, |byte| byte.is_ascii_digit());
        if end - self.at <= 5 {
            self.at = end;
        }
        self.value_next = false;
    }

    fn number(&mut self) {
        let start = self.at;
        let in_number = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        let mut end = self.end_of(start, in_number);
        let is_exponent = matches!(self.byte(end - 1), b'e' | b'E') && matches!(self.byte(end), b'+' | b'-');
        if is_exponent && self.byte(end + 1).is_ascii_digit() {
            end = self.end_of(end + 1, in_number);
        }
        self.literal(start, end, "?");
    }

    fn line_comment(&mut self) {
        let start = self.at;
        self.comment(start, self.end_of(start, |byte| byte != b'\n'));
    }

    /// Writes a blank, unless nothing was written yet.
    fn comment(&mut self, start: usize, end: usize) {
        self.write(start);
        self.copied = start;
        self.replace(start, end, if self.shown == 0 { "" } else { " " });
    }

    /// Skips a comment. Comments nest in some dialects; treating them as nested shows less in the others.
    fn block_comment(&mut self) {
        let start = self.at;
        let (mut at, mut open) = (start + 2, 1);
        while open > 0 && at < self.text.len() {
            match (self.byte(at), self.byte(at + 1)) {
                (b'/', b'*') => (at, open) = (at + 2, open + 1),
                (b'*', b'/') => (at, open) = (at + 2, open - 1),
                _ => at += 1,
            }
        }
        self.comment(start, if open == 0 { at } else { self.text.len() });
    }

    /// Hides everything from `start` on.
    fn give_up(&mut self, start: usize) {
        self.literal(start, self.text.len(), "?…");
    }

    fn literal(&mut self, start: usize, end: usize, shown_as: &str) {
        self.replace(start, end, shown_as);
        (self.before, self.value_next) = (b'?', false);
    }

    fn replace(&mut self, start: usize, end: usize, with: &str) {
        self.write(start);
        self.written = self.written.and_then(|()| self.out.write_str(with));
        self.shown += with.len();
        (self.at, self.copied) = (end, end);
    }

    /// Writes the pending text up to `end`. Its first byte is not a blank.
    fn write(&mut self, end: usize) {
        let deferred = &self.text[self.copied..end];
        let deferred = if self.shown == 0 { deferred.trim_ascii_start() } else { deferred };
        self.written = self.written.and_then(|()| self.out.write_str(deferred));
        self.shown += deferred.len();
    }

    fn finish(mut self) -> fmt::Result {
        self.write(self.at);
        self.written
    }

    /// Returns the byte at a position; 0 after the end.
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or_default()
    }

    fn end_of(&self, start: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        start + rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len())
    }
}

/// Keywords that a value follows.
const BEFORE_VALUES: &[&str] =
    &["LIKE", "ILIKE", "RLIKE", "REGEXP", "GLOB", "MATCH", "BETWEEN", "WHEN", "THEN", "ELSE", "ESCAPE"];

/// Whether a byte is part of a word: a letter, or not ASCII.
fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

/// Whether a quoted text looks like the name of a table or column. Databases allow 63 to 128 characters.
fn is_name(text: &str) -> bool {
    text.len() <= 128
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|b| is_in_word(b) || b.is_ascii_digit() || matches!(b, b'$' | b'-' | b' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn without_literals(text: &str) -> String {
        WithoutLiterals(text).to_string()
    }

    #[test]
    fn literals_go_and_everything_else_stays() {
        for (input, expected) in [
            ("select id from t1 where c2 = $1 and d = ?", "select id from t1 where c2 = $1 and d = ?"),
            (
                "where a = :a and b = @p1 and c = ?1 and d = :12",
                "where a = :a and b = @p1 and c = ?1 and d = :12",
            ),
            ("where a = '' and b = 'x' and c = 'it''s'", "where a = ? and b = ? and c = ?"),
            (r"where a = E'it\'s \\' and b = e'\\\''", "where a = ? and b = ?"),
            ("where a = N'x' and b = X'ff' and c = _utf8'x'", "where a = ? and b = ? and c = _utf8?"),
            ("where d = DATE'2020-01-01'", "where d = DATE?"),
            ("where a = q'[it's]' and b = nq'!x!'", "where a = ? and b = ?"),
            ("do $$ begin 'x' end $$, $f$ $$ $f$", "do ?, ?"),
            ("limit 10 offset 0x1F", "limit ? offset ?"),
            ("x = -1.5e-10 + .5 - 1_000", "x = -? + .? - ?"),
            ("t1.c2 = a1 - b2$3", "t1.c2 = a1 - b2$3"),
            ("x::int4 = y::varchar(10)", "x::int4 = y::varchar(?)"),
            ("x = $4111111111111111 or y = :4111111111111111", "x = $? or y = :?"),
            ("select 1 -- for 'alice'\nfrom t", "select ?  \nfrom t"),
            ("select /* 'a' /* nested */ it's */ x", "select   x"),
            ("select /*+ hint */ x # it's\n, y", "select   x  \n, y"),
            ("select a #> '{x}', b #>> $1", "select a #> ?, b #>> $1"),
            ("select a/b, a-b, a - -b", "select a/b, a-b, a - -b"),
            ("[Order Details].[Id] = 'x' and arr[1]", "[Order Details].[Id] = ? and arr[?]"),
            ("where größe = 'ü' und preis = 5€", "where größe = ? und preis = ?€"),
            ("/* shop.rs:7 */ select a", "select a"),
            ("", ""),
        ] {
            assert_eq!(without_literals(input), expected, "{input}");
        }
    }

    #[test]
    fn text_in_double_quotes_is_a_name_only_where_a_name_is_expected() {
        for (input, expected) in [
            (
                r#"SELECT "cake"."id" FROM "cake" WHERE "cake"."id" = $1"#,
                r#"SELECT "cake"."id" FROM "cake" WHERE "cake"."id" = $1"#,
            ),
            (r#"JOIN "b" ON "a"."id" = "b"."a_id""#, r#"JOIN "b" ON "a"."id" = "b"."a_id""#),
            (
                r#"UPDATE "t" SET "a" = ?, "b" = ? WHERE "c" <> ?"#,
                r#"UPDATE "t" SET "a" = ?, "b" = ? WHERE "c" <> ?"#,
            ),
            (
                r#"INSERT INTO "t" ("a", "b") VALUES ("x", 1), ("y", 2) ON CONFLICT ("a") DO NOTHING"#,
                r#"INSERT INTO "t" ("a", "b") VALUES (?, ?), (?, ?) ON CONFLICT ("a") DO NOTHING"#,
            ),
            (r#"where a = "alice" and "b" = ("bob")"#, r#"where a = ? and "b" = (?)"#),
            (
                r#"where a in ("x", "y") and "b" in (select "c" from "t")"#,
                r#"where a in (?, ?) and "b" in (select "c" from "t")"#,
            ),
            (
                r#"a like "x" or a between "x" and "y" and "z" = 1"#,
                r#"a like ? or a between ? and ? and "z" = ?"#,
            ),
            (r#"select "a@example.com", "it's", "4111""#, "select ?, ?, ?"),
            (r#"select "alice" from `t`"#, "select ? from `t`"),
            ("select `a``b`, `x'y`", "select `?`, `?`"),
        ] {
            assert_eq!(without_literals(input), expected, "{input}");
        }
    }

    #[test]
    fn where_dialects_disagree_nothing_more_is_shown() {
        for (input, expected) in [
            (r"where path = 'C:\' and name = 'alice'", "where path = ?…"),
            (r"where name = 'it\'s alice' and x = 'y'", "where name = ?…"),
            (r"where path = 'C:\\' and x = 1", "where path = ? and x = ?"),
            ("where name = 'alice", "where name = ?…"),
            (r#"where name = "alice"#, "where name = ?…"),
            ("do $x$ alice", "do ?…"),
            ("select /* alice", "select  "),
            ("select `alice", "select ?…"),
        ] {
            assert_eq!(without_literals(input), expected, "{input}");
        }
    }

    #[test]
    fn a_megabyte_costs_no_more_than_what_is_kept() {
        let bulk = format!("insert into t values {}", "('alice', 1), ".repeat(100_000));
        let deferred = without_literals(&bulk);
        assert!(deferred.len() > MAX_VALUE && deferred.len() < MAX_VALUE + 100);
    }

    /// Pieces of which SQL is made, and which it is broken by.
    fn sql() -> impl Strategy<Value = String> {
        const PIECES: &[&str] = &[
            "select ", "from ", "in ", "values ", "between ", "and ", "like ", "t1", "é", "…", "e", "N", "q",
            " ", "\n", "'", "''", "\\", "\"", "\"a\"", "`", "`a`", "$", "$$", "$a$", "$1", "?", ":a", "::",
            "@", "1", "0x1F", "1e-5", ".", ",", "(", ")", "[", "]", "=", "<>", "||", "-", "--", "#", "#>",
            "/*", "*/", "/", "*", "secret",
        ];
        proptest::collection::vec(proptest::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn once_is_enough_for_anything(text in any::<String>()) {
            let once = without_literals(&text);
            prop_assert_eq!(without_literals(&once), once.clone());
        }

        #[test]
        fn once_is_enough_for_sql(text in sql()) {
            let once = without_literals(&text);
            prop_assert_eq!(without_literals(&once), once.clone(), "{}", text);
        }

        #[test]
        fn no_string_is_shown_whatever_stands_in_it(secret in "[a-z0-9 ,;=()\"`$#/*-]{0,20}", after in "[a-z =$1]{0,8}") {
            let text = format!("where a = 'S3CRET{secret}' and b = 'S3CRET' {after}");
            let deferred = without_literals(&text);
            prop_assert!(!deferred.contains("S3CRET"), "{} of {}", deferred, text);
            prop_assert!(deferred.starts_with("where a = ? and b = ?"), "{} of {}", deferred, text);
        }
    }
}
