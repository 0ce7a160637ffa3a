//! Replaces the literals of an SQL statement with `?`, in one pass and without memory of its own.
//!
//! | form | read as |
//! |---|---|
//! | `'…'`, `E'…'`, `N'…'`, `_utf8'…'`, `q'[…]'`, `$tag$…$tag$`, numbers, `$12.50` | a literal |
//! | `'…\'` | a string's end in one dialect and not in another: nothing behind it is kept |
//! | `"…"` | by dialect, see [`Dialect`] |
//! | `x"…"`, a word with a quote right behind it | a literal |
//! | `` `…` `` | a name |
//! | `-- …`, `# …`, `/* … */` | a comment, which may quote values: a blank |
//! | `$1`, `?1`, `:name`, `@p1` | a placeholder |
//! | what follows `IDENTIFIED BY`, `PASSWORD`, `PRAGMA name` | a literal, quoted or not |
//! | what follows `COPY … FROM STDIN` | data: left out |
//!
//! Where two readings are possible, the one counts that shows less. Sanitizing a result again changes nothing.

mod literals;
mod scan;
mod without_literals;
mod words;

pub(super) use without_literals::WithoutLiterals;

#[cfg(test)]
mod tests;
