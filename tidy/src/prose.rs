//! Comments, messages and pages: words that have plainer ones, and summaries that do not stand alone.
//!
//! CONTRIBUTING.md has the rules of prose; these are the ones that a machine can check.

use crate::code::without_tests;
use crate::house::House;

/// Words that comments and messages do without: the glossary in ARCHITECTURE.md has better ones.
const BANNED: [&str; 17] = [
    "cascade",
    "facade",
    "go before",
    "goes before",
    "mend",
    "mended",
    "mends",
    "nobody",
    "pass over",
    "passed over",
    "so many",
    "somebody",
    "tell",
    "teller",
    "tells",
    "told",
    "whoever",
];

/// Words that a summary does not begin with: its subject is elsewhere.
const NO_SUBJECT: [&str; 13] =
    ["What", "Whether", "How", "Why", "Where", "When", "Who", "Which", "That", "It", "They", "As", "Of"];

pub(crate) fn words(house: &House) -> impl Iterator<Item = String> {
    let mut wrong = Vec::new();
    for (file, text) in house.files.iter().filter(|(file, _)| !house.is_test(file)) {
        for (number, line) in without_tests(text).lines().enumerate() {
            // A comment, or what stands between quotes.
            let prose = match line.find("//") {
                Some(comment) if !line[..comment].ends_with(':') => line[comment..].to_owned(),
                _ => line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" "),
            };
            wrong.extend(banned(&prose).map(|word| format!("{file}, line {}: {word:?}", number + 1)));
        }
    }
    wrong.into_iter()
}

/// Finds the words in a line of prose that have plainer ones.
pub(crate) fn banned(prose: &str) -> impl Iterator<Item = &'static str> {
    let letter = |c: char| if c.is_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { ' ' };
    let prose = format!(" {} ", prose.chars().map(letter).collect::<String>());
    BANNED.into_iter().filter(move |word| prose.contains(&format!(" {word} ")))
}

/// Checks the first lines of doc comments: how they begin, and how long they are.
pub(crate) fn summaries(house: &House) -> impl Iterator<Item = String> {
    let mut wrong = Vec::new();
    for (file, text) in house.files.iter().filter(|(file, _)| !house.is_test(file)) {
        let mut before = "";
        for (number, line) in without_tests(text).lines().enumerate() {
            let (line, last) = (line.trim(), std::mem::replace(&mut before, line.trim()));
            let marker = ["/// ", "//! "].into_iter().find(|marker| line.starts_with(marker));
            let Some(marker) = marker.filter(|marker| !last.starts_with(marker.trim())) else { continue };
            let summary = &line[marker.len()..];
            let first = summary.split([' ', ',']).next().unwrap_or_default();
            let length = summary.chars().count();
            if NO_SUBJECT.contains(&first) || summary.starts_with("The same") {
                wrong.push(format!("{file}, line {}: a summary begins with {first:?}", number + 1));
            }
            if length > house.max_summary {
                wrong.push(format!("{file}, line {}: a summary of {length} characters", number + 1));
            }
        }
    }
    wrong.into_iter()
}
