//! Patterns of sampling rules: `*` stands for any run of characters, `?` for exactly one, upper and lower case
//! ASCII are the same, and a pattern always has to cover the whole string.
//!
//! A pattern is looked at once, when its rule is read, so that the usual forms (everything, a literal, a literal
//! with a `*` behind it) are matched by a comparison. Rules of both kinds, local and central, use it.

/// A pattern, made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    form: Form,
    /// The pattern as it was written, without the `*` that makes it a `Prefix`.
    text: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Any,
    Literal,
    Prefix,
    Wild,
}

impl Pattern {
    pub(super) fn new(pattern: &str) -> Self {
        let wild = |byte| matches!(byte, b'*' | b'?');
        let literal = pattern.trim_end_matches('*');
        let form = match pattern.bytes().position(wild) {
            None => Form::Literal,
            Some(0) if literal.is_empty() => Form::Any,
            Some(first) if first == literal.len() => Form::Prefix,
            Some(_) => Form::Wild,
        };
        let text = if form == Form::Prefix { literal } else { pattern };
        Self { form, text: text.into() }
    }

    /// Returns whether the pattern matches every string.
    pub(super) fn is_any(&self) -> bool {
        self.form == Form::Any
    }

    #[inline]
    pub(super) fn matches(&self, text: &str) -> bool {
        self.is_any() || self.matches_text(text.as_bytes())
    }

    fn matches_text(&self, text: &[u8]) -> bool {
        let pattern = self.text.as_bytes();
        match self.form {
            Form::Any => true,
            Form::Literal => same(pattern, text),
            Form::Prefix => text.get(..pattern.len()).is_some_and(|head| same(pattern, head)),
            Form::Wild => wild_match(pattern, text),
        }
    }

    /// Matches a property that may be unknown: an unknown one counts as a match.
    #[inline]
    pub(super) fn matches_if_known(&self, text: Option<&str>) -> bool {
        text.is_none_or(|text| self.matches(text))
    }

    /// The literal bytes before the first wildcard, for [`Head`].
    #[cfg(feature = "central-sampling")]
    pub(super) fn literal_head(&self) -> &[u8] {
        let wild = |byte| matches!(byte, b'*' | b'?');
        let bytes = self.text.as_bytes();
        &bytes[..bytes.iter().copied().position(wild).unwrap_or(bytes.len())]
    }
}

/// Returns whether two strings are equal but for case. Mostly they are in the same case, too, or differ at their ends, as
/// paths that begin alike do.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match (a.last_chunk(), b.last_chunk()) {
        (Some(x), Some(y)) => {
            let (x, y) = (u64::from_ne_bytes(*x), u64::from_ne_bytes(*y));
            // The last eight bytes make up for those that fill no chunk.
            let exactly = x == y && chunks(a).iter().zip(chunks(b)).all(|(a, b)| a == b);
            exactly || ((x ^ y) & !CASE == 0 && a.eq_ignore_ascii_case(b))
        }
        // First and last four overlap in the middle.
        _ => match (a.first_chunk::<4>(), a.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                let exactly = b.starts_with(first) && b.ends_with(last);
                exactly || a.eq_ignore_ascii_case(b)
            }
            _ => a.eq_ignore_ascii_case(b),
        },
    }
}

fn chunks(text: &[u8]) -> &[[u8; 8]] {
    text.as_chunks().0
}

/// The bit in which upper and lower case differ, eight times. With it set, letters are the same in both cases, and
/// some other characters are the same as others: good for showing that strings differ.
pub(super) const CASE: u64 = u64::from_ne_bytes([0x20; 8]);

/// Goes through both from left to right, and back to the latest `*` where they part: nothing before it can make a
/// difference.
///
/// A hostile text can make that take pattern times text, so it ends after [`MAX_STEPS`] steps: no match.
fn wild_match(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read, mut steps) = (0, 0, 0);
    let mut star = None;
    while let Some(byte) = text.get(read) {
        steps += 1;
        if steps > MAX_STEPS {
            return false;
        }
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, read));
            }
            Some(b'?') => {
                at += 1;
                read += char_len(*byte);
            }
            Some(literal) if literal.eq_ignore_ascii_case(byte) => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((after, from)) = star else { return false };
                let Some(skipped) = text.get(from) else { return false };
                let mut next = from + char_len(*skipped);
                // Straight to where the literal behind the star may begin.
                if let Some(literal) = pattern.get(after).filter(|byte| !matches!(byte, b'*' | b'?')) {
                    let rest = text.get(next..).unwrap_or_default();
                    let Some(at) = rest.iter().position(|byte| literal.eq_ignore_ascii_case(byte)) else {
                        return false;
                    };
                    next += at;
                }
                star = Some((after, next));
                (at, read) = (after, next);
            }
        }
    }
    pattern.get(at..).is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// Comparisons of one match, at most. A path of eight kilobytes, as long as servers accept, takes as many when it is
/// read eight times.
const MAX_STEPS: usize = 1 << 16;

/// Bytes of the UTF-8 character that begins with `first`.
const fn char_len(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hostile_text_ends_the_match_after_a_bounded_number_of_steps() {
        let pattern = Pattern::new(&"*a?".repeat(50));
        assert!(!pattern.matches(&"a".repeat(1 << 20)));
        // Texts of the usual kind are nowhere near the bound.
        let path = "/orders/".repeat(1_000);
        assert!(Pattern::new("*/orders/*/?rders/*").matches(&path));
    }

    #[test]
    fn whole_texts_match_whatever_their_case() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("**", "anything", true),
            ("", "", true),
            ("", "x", false),
            ("?", "", false),
            ("?", "x", true),
            ("?", "\u{e9}", true),
            ("?", "xy", false),
            ("GET", "get", true),
            ("GET", "gets", false),
            ("/health*", "/Health/live", true),
            ("/health*", "/healt", false),
            ("/health?", "/health", false),
            ("*.example.com", "shop.EXAMPLE.com", true),
            ("*.example.com", "example.com", false),
            ("/a*b*c", "/axxbyyc", true),
            ("/a*b*c", "/axxbyyd", false),
            ("*ab", "aab", true),
            ("*a?c*", "xxabcxx", true),
            ("/control/*/items", "/control/7/items", true),
            ("/control/*/items", "/control/7/items/2", false),
            ("caf\u{e9}*", "caf\u{e9} noir", true),
            ("*\u{e9}", "\u{e8}\u{e9}", true),
            ("a*", "", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn only_stars_match_all() {
        for (pattern, any) in [("*", true), ("***", true), ("*?", false), ("", false), ("a*", false)] {
            assert_eq!(Pattern::new(pattern).is_any(), any, "{pattern:?}");
        }
    }

    /// The definition, read aloud.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            Some(('?', rest)) => !text.is_empty() && naive(rest, &text[1..]),
            Some((c, rest)) => {
                text.first().is_some_and(|t| t.eq_ignore_ascii_case(c)) && naive(rest, &text[1..])
            }
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_definition(pattern in "[ab*?\u{e9}]{0,8}", text in "[abA\u{e9}\u{20ac}]{0,8}") {
            let [p, t]: [Vec<char>; 2] = [pattern.chars().collect(), text.chars().collect()];
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), naive(&p, &t));
        }
    }
}
