//! Sampling rules with their counts, and which rule would match a request.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::response::Html;
use maud::html;
use serde::Deserialize;
use serde_json::Value;

use crate::console::parts::error::PageError;
use crate::console::parts::{format, shell};
use crate::console::state::Console;
use crate::control::sampling::{self, Rule};

/// Rules and windows that are read.
const RULES: usize = 1_000;
const WINDOWS: usize = 200_000;

/// A request to try.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tried {
    service: String,
    kind: String,
    host: String,
    method: String,
    path: String,
}

impl Tried {
    fn is_empty(&self) -> bool {
        [&self.service, &self.kind, &self.host, &self.method, &self.path].iter().all(|part| part.is_empty())
    }

    /// Returns whether a rule matches, as the SDKs decide it: each pattern against its part, without regard to case.
    fn matches(&self, rule: &Rule) -> bool {
        let parts = [
            ("ServiceName", &self.service),
            ("ServiceType", &self.kind),
            ("Host", &self.host),
            ("HTTPMethod", &self.method),
            ("URLPath", &self.path),
        ];
        parts.iter().all(|(name, part)| {
            let pattern = rule.rule.get(*name).and_then(Value::as_str).unwrap_or("*");
            is_match(&pattern.to_lowercase(), &part.to_lowercase())
        })
    }
}

/// `*` stands for any characters, `?` for one.
fn is_match(pattern: &str, string: &str) -> bool {
    let (pattern, string): (Vec<char>, Vec<char>) = (pattern.chars().collect(), string.chars().collect());
    let (mut p, mut s) = (0, 0);
    // The last star, and where the string was then.
    let mut star: Option<(usize, usize)> = None;
    while s < string.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, s));
                p += 1;
            }
            Some(c) if *c == '?' || *c == string[s] => (p, s) = (p + 1, s + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, s) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

pub(super) async fn page(
    State(console): State<Console>,
    Query(tried): Query<Tried>,
) -> Result<Html<String>, PageError> {
    let (mut rules, windows) = console
        .ask(|connection| {
            Ok((sampling::list(connection, 0, RULES)?, sampling::windows(connection, 0, WINDOWS)?))
        })
        .await?;
    rules.sort_by_key(|rule| (rule.rule["Priority"].as_i64().unwrap_or(i64::MAX), rule.name.clone()));
    let mut counts: HashMap<&str, [i64; 3]> = HashMap::new();
    for window in &windows {
        let own = counts.entry(window.rule.as_str()).or_default();
        for (sum, more) in own.iter_mut().zip([window.requests, window.sampled, window.borrowed]) {
            *sum += more;
        }
    }
    let matched = (!tried.is_empty()).then(|| rules.iter().find(|rule| tried.matches(rule))).flatten();
    let of = |rule: &Rule, name: &str| match rule.rule.get(name) {
        Some(Value::String(string)) => string.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let content = html! {
        h1 { "Sampling rules" }
        p { "Clients ask for these rules and report what they sampled. The first rule that matches decides, by priority." }
        div.scroll tabindex="0" role="region" aria-label="Sampling rules" {
            table {
                thead { tr {
                    th.number scope="col" { "Priority" } th scope="col" { "Name" } th scope="col" { "Service" } th scope="col" { "Type" }
                    th scope="col" { "Host" } th scope="col" { "Method" } th scope="col" { "Path" }
                    th.number scope="col" { "Each second" } th.number scope="col" { "Rate" }
                    th.number scope="col" { "Matched" } th.number scope="col" { "Sampled" } th.number scope="col" { "Borrowed" }
                } }
                tbody {
                    @for rule in &rules {
                        @let [requests, sampled, borrowed] = counts.get(rule.name.as_str()).copied().unwrap_or_default();
                        tr.chosen[matched.is_some_and(|matched| matched.name == rule.name)] {
                            td.number { (of(rule, "Priority")) }
                            th scope="row" { (rule.name) }
                            @for name in ["ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath"] { td { code { (of(rule, name)) } } }
                            td.number { (rule.reservoir()) }
                            td.number { (format!("{:.1} %", rule.rate() * 100.0)) }
                            @for count in [requests, sampled, borrowed] { td.number { (format::count(count.max(0).unsigned_abs())) } }
                        }
                    }
                }
            }
        }
        h2 { "Which rule would match?" }
        form.filter action="/rules" {
            @for (name, words, value) in [("service", "Service", &tried.service), ("kind", "Type", &tried.kind),
                ("host", "Host", &tried.host), ("method", "Method", &tried.method), ("path", "Path", &tried.path)] {
                label { (words) " " input name=(name) value=(value) autocomplete="off" spellcheck="false"; }
            }
            button type="submit" { "Try" }
        }
        @if !tried.is_empty() {
            p #matched.note role="status" {
                @match matched {
                    Some(rule) => { "The rule " strong { (rule.name) } " decides: each second, "
                        @match rule.reservoir() { 0 => "no request is sure to be", 1 => "the first request is", first => { "the first " (first) " requests are" } }
                        " sampled, and " (format!("{:.1} %", rule.rate() * 100.0)) " of the others." }
                    None => "No rule matches.",
                }
            }
        }
        details { summary { "The same by CLI" }
            (shell::copy(&format!("aws xray get-sampling-rules --endpoint-url {}", console.options().endpoint))) }
    };
    Ok(shell::page("Sampling rules", "/rules", &[], content))
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn stars_and_question_marks_are_wild() {
        for (pattern, string, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("/api/*", "/api/cart", true),
            ("/api/*/x", "/api/a/b/x", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*b", "abab", true),
            ("", "a", false),
        ] {
            assert_eq!(is_match(pattern, string), expected, "{pattern} {string}");
        }
    }
}
