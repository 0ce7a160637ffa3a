//! Reasons why a list is empty, or a filter is refused.

use maud::{Markup, html};

use super::asked::Asked;
use crate::console::parts::format;
use crate::query::Blocker;
use crate::query::filter::{Expr, Filter, FilterError};

/// Shows which condition removed everything, with counts.
pub(super) fn blockers(asked: &Asked, filter: &Filter, blockers: &[Blocker], most: usize) -> Markup {
    let count = |number: usize| {
        let more = if number >= most { " or more" } else { "" };
        format!("{}{more}", format::count(number as u64))
    };
    let others = |position: usize| {
        let rest = blockers.iter().enumerate().filter(|(other, _)| *other != position);
        let rest = rest.map(|(_, blocker)| blocker.condition.clone()).reduce(Expr::and);
        asked.with(&rest.map(Filter::from).unwrap_or_default())
    };
    html! {
        div.empty {
            h2 { "No trace matches" }
            @if blockers.is_empty() {
                @if asked.scope.group.is_empty() {
                    p { "No trace is stored in this range of time. " a href="/" { "How to send some" } "." }
                } @else {
                    p { "No trace of this range of time belongs to the group " strong { (asked.scope.group) }
                        ". Which traces belong to a group is decided as they are stored." }
                }
            } @else {
                p { "Each condition of " code { (filter) } " on its own:" }
                table {
                    thead { tr { th scope="col" { "Condition" } th.number scope="col" { "Traces with it" }
                        th.number scope="col" { "Traces without it" } th scope="col" { span.visually-hidden { "Action" } } } }
                    tbody {
                        @for (position, blocker) in blockers.iter().enumerate() {
                            tr {
                                td { code { (blocker.condition) }
                                    @if let Some(note) = &blocker.note { p.note { (note) } } }
                                td.number { (count(blocker.alone)) }
                                td.number { (count(blocker.without)) }
                                td { @if blocker.without > 0 { a href=(others(position)) { "Leave it out" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Shows where a filter is wrong: the line, a caret below it, and what is accepted.
pub(super) fn error(text: &str, error: &FilterError) -> Markup {
    let before: String = text.chars().take(error.offset).map(|_| ' ').collect();
    let carets = "^".repeat(error.len.max(1));
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    html! {
        div #filter-error.note role="alert" {
            p { "The filter is not understood at character " (error.offset + 1) ": " (error.problem) }
            pre tabindex="0" { (line) "\n" (before) (carets) }
            @if let Some(hint) = &error.hint { p { "Hint: " (hint) } }
            @if !error.expected.is_empty() {
                p.dim { "Accepted here: "
                    @for (position, expected) in error.expected.iter().take(12).enumerate() {
                        @if position > 0 { ", " } code { (expected) }
                    }
                    @if error.expected.len() > 12 { " and others" }
                }
            }
        }
    }
}
