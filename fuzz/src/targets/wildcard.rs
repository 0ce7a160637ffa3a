//! Wildcards of sampling rules, against a matcher that is too slow to be used and too short to be wrong.

use xray_sdk::sampling::{LocalRule, LocalRules, Sampler, SamplingRequest};

use super::{Target, ensure, text};

pub(super) const TARGET: Target = Target { name: "wildcard", seeds: SEEDS, words: WORDS, check };

/// A pattern and a text, with a line feed between.
const SEEDS: &[&str] = &[
    "*\nanything",
    "/orders/*\n/orders/7",
    "*.example.com\nshop.example.com",
    "a?c*d\nabcxxd",
    "**a**b??\naabbcc",
    "SHOP\nshop",
    "aaaaaaaa*aaaab\naaaaaaaaaaaaaaaaab",
    "ähn?ich\nähnlich",
];

const WORDS: &[&str] =
    &["*", "?", "**", "*?", "a", "b", "aa", "ab", "A", "\n", "ä", "漢", "@", "`", "[", "{"];

fn check(input: &[u8]) -> Result<(), String> {
    let input: String = text(input).chars().take(300).collect();
    let (pattern, text) = input.split_once('\n').unwrap_or((&input, ""));
    // What the rule wants is recorded, and nothing else is.
    let rules = LocalRules::new([LocalRule::new(0, 1.0).service(pattern)], LocalRule::new(0, 0.0));
    let found = rules.map_err(|err| err.to_string())?.sample(&SamplingRequest::new(text)).is_sampled();
    let expected = matches(pattern, text);
    ensure(found == expected, || format!("pattern {pattern:?}, text {text:?}: {found}, expected {expected}"))
}

/// Whether each prefix of the text matches the pattern so far, a character of the pattern at a time.
fn matches(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match wanted {
                '*' => reached[..=at].contains(&true),
                _ => {
                    at > 0 && reached[at - 1] && (wanted == '?' || wanted.eq_ignore_ascii_case(&text[at - 1]))
                }
            };
        }
        reached = next;
    }
    reached[text.len()]
}
