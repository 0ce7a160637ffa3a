//! Hints: the probable meaning of a refused part.
//!
//! Each hint answers a mistake that is seen in public code. The parser attaches them to its errors; none changes what
//! is accepted.

use super::super::ast::Subject;
use super::super::keyword::Operator;
use super::super::keyword::{Keyword, Kind, Scope};
use super::lexer::TokenKind;

/// A hint for a word that is no keyword.
pub(super) fn unknown(word: &str, scope: Scope) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    if let Some((_, hint)) = FOREIGN.iter().find(|(foreign, _)| *foreign == lower) {
        return Some((*hint).to_owned());
    }
    let meant = ALIASES.iter().find(|(alias, _)| *alias == lower).map(|(_, keyword)| *keyword);
    meant.or_else(|| nearest(&lower, scope)).map(|keyword| format!("did you mean {keyword}?"))
}

/// A hint for a value that a subject does not take.
pub(super) fn value(
    kind: &TokenKind,
    written: &str,
    subject: &Subject,
    operator: Operator,
) -> Option<String> {
    match (kind, subject.kind()) {
        (TokenKind::Symbol("="), _) => Some("write a single =".to_owned()),
        (TokenKind::Symbol(">"), _) if operator == Operator::Less => Some("write !=".to_owned()),
        (TokenKind::String(string), Kind::Number | Kind::Annotation)
            if string.trim().parse::<f64>().is_ok() =>
        {
            Some(format!(
                "write the number without quotes: {subject} {} {}",
                operator.as_str(),
                string.trim()
            ))
        }
        (TokenKind::String(_), Kind::Annotation) => {
            Some("strings are compared by = != CONTAINS BEGINSWITH ENDSWITH".to_owned())
        }
        (TokenKind::Number(_) | TokenKind::Word, Kind::Text | Kind::Exact | Kind::Annotation) => {
            Some(format!("write \"{written}\""))
        }
        (TokenKind::Symbol("("), _) => {
            Some("lists are not part of the language; join comparisons with OR".to_owned())
        }
        _ => None,
    }
}

fn nearest(word: &str, scope: Scope) -> Option<&'static str> {
    Keyword::within(scope)
        .map(|keyword| (distance(word, keyword.name), keyword.name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Insertions, deletions and replacements between two words.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Words of other languages.
const FOREIGN: [(&str, &str); 10] = [
    ("not", "write !"),
    ("in", "IN is not part of the language; join comparisons with OR"),
    ("like", "LIKE is not part of the language; write CONTAINS, BEGINSWITH or ENDSWITH"),
    ("matches", "regular expressions are not part of the language; write CONTAINS"),
    ("startswith", "write BEGINSWITH"),
    ("starts_with", "write BEGINSWITH"),
    ("ends_with", "write ENDSWITH"),
    ("between", "write >= and <="),
    ("is", "a keyword alone means that the value is set"),
    ("id", "write service(id(name: \"...\"))"),
];

/// Names that people try, with the keyword they mean.
const ALIASES: [(&str, &str); 22] = [
    ("http.statuscode", "http.status"),
    ("http.status_code", "http.status"),
    ("http.response.status", "http.status"),
    ("statuscode", "http.status"),
    ("status", "http.status"),
    ("http.request.url", "http.url"),
    ("url", "http.url"),
    ("path", "http.url"),
    ("http.request.method", "http.method"),
    ("method", "http.method"),
    ("http.user_agent", "http.useragent"),
    ("useragent", "http.useragent"),
    ("clientip", "http.clientip"),
    ("http.client_ip", "http.clientip"),
    ("latency", "responsetime"),
    ("response_time", "responsetime"),
    ("throttled", "throttle"),
    ("annotations", "annotation.KEY"),
    ("group", "group.name"),
    ("arn", "resource.arn"),
    ("instance", "instance.id"),
    ("zone", "availabilityzone"),
];
