//! The reference page of the language, made from the table of keywords.
//!
//! `docs/filter-expressions.md` is this page; a test keeps the file equal to it.

use std::fmt::Write as _;

use super::keyword::{Keyword, Within};
use crate::model::limits::{FILTER_CHARACTERS, FILTER_DEPTH, FILTER_PREDICATES};

/// The whole page as Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD
        .replace("{characters}", &FILTER_CHARACTERS.to_string())
        .replace("{depth}", &FILTER_DEPTH.to_string())
        .replace("{predicates}", &FILTER_PREDICATES.to_string());
    for within in Within::ALL {
        section(&mut page, within);
    }
    page.push_str(TAIL);
    page
}

/// Lists the keywords for a terminal: name, type, one line each.
#[must_use]
pub fn list() -> String {
    let mut list = String::new();
    let width = Keyword::all().map(|keyword| keyword.name.len()).max().unwrap_or_default();
    for keyword in Keyword::all() {
        // Writing into a string doesn't fail.
        let _ = writeln!(list, "{:width$}  {:8}  {}", keyword.name, short(keyword), keyword.hint);
    }
    list
}

fn short(keyword: &Keyword) -> &'static str {
    match keyword.kind.operators().len() {
        9 => "any",
        0 => "{ }",
        _ => keyword.kind.as_str(),
    }
}

fn section(page: &mut String, within: Within) {
    let title = match within {
        Within::Trace => "At the top level: the whole trace",
        Within::Service => "Inside `service() { }`: one segment",
        Within::Edge => "Inside `edge() { }`: one call",
        Within::CauseServices => "Inside `rootcause.*.service { }`",
        Within::CauseEntities => "Inside `rootcause.*.entity { }`",
        Within::CauseExceptions => "Inside `rootcause.*.exception { }`",
        Within::ResponseTimeServices => "Inside `rootcause.responsetime.service { }` only",
        Within::ResponseTimeEntities => "Inside `rootcause.responsetime.entity { }` only",
    };
    let _ =
        writeln!(page, "\n### {title}\n\n| keyword | type | operators | meaning | |\n|---|---|---|---|---|");
    for keyword in Keyword::all() {
        let Some(place) = keyword.places.iter().find(|place| place.within == within) else {
            continue;
        };
        let operators: Vec<_> =
            keyword.kind.operators().iter().map(|operator| format!("`{}`", operator.as_str())).collect();
        let meaning = if within == Within::Trace || keyword.places[0].within == within {
            format!("{} Example: `{}`", keyword.doc, keyword.form)
        } else {
            keyword.hint.to_owned()
        };
        let mark = if place.documented { "" } else { "chosen" };
        let kind = keyword.kind.as_str();
        let _ = writeln!(
            page,
            "| `{}` | {kind} | {} | {} | {mark} |",
            keyword.name,
            operators.join(" "),
            escape(&meaning)
        );
    }
}

/// A bar would end the table's cell.
fn escape(cell: &str) -> String {
    cell.replace('|', "\\|")
}

const HEAD: &str = "# Filter expressions

<!-- Written by `cargo test -p xray-local filter` with UPDATE_DOCS=1 from the table of keywords. -->

The language of `GetTraceSummaries`, of groups, and of the search box and the commands of `xray-local`. X-Ray's
developer guide describes the language by examples. Where the guide and the examples leave a question open, the
meaning here is chosen, and this page says so.

An expression that is not understood is an error with a position and, where the mistake is known, a hint. Such an
expression matches no trace.

## Conditions and how they combine

| form | meaning |
|---|---|
| `A AND B`, `A B` | both conditions hold |
| `A OR B` | at least one holds |
| `!A` | the condition does not hold; `!http.status = 200` inverts the whole comparison (chosen) |
| `( )` | conditions that belong together; without, `!` binds closest, then `AND`, then `OR` (chosen) |
| `fault` | a boolean keyword alone is true |
| `http.url` | another keyword alone means that the value is set |
| `fault = true`, `fault = \"true\"` | the same in more words |
| `http.status >= 500` | numbers: `=` `!=` `<` `<=` `>` `>=`; times are in seconds |
| `http.url CONTAINS \"/api/\"` | strings: `=` `!=` `CONTAINS` `BEGINSWITH` `ENDSWITH`, with regard to case (chosen) |
| an empty expression | every trace (chosen) |

Keywords and operators are written in any case. Strings stand in double quotes; `\\\"` and `\\\\` are the only escapes
(chosen). A bare word is taken for a string, with a warning, since one example of the guide has one. Numbers are
integers or decimals, with a sign or an exponent if need be (chosen).

A value that is not set satisfies no comparison, and `!=` is one. Where a trace has several values, as of users or of
an annotation, one of them has to satisfy the comparison: `user != \"bob\"` finds traces with a user other than bob, and
`!user = \"bob\"` traces without bob (chosen). Times are compared as summaries and histograms show them, rounded to the
millisecond (chosen).

At most {characters} characters, {predicates} conditions, and {depth} levels of `!`, `( )` and `{ }`.

## Keywords

`chosen` marks what no public source states.
";

const TAIL: &str = "
## Entity selectors

`GetTimeSeriesServiceStatistics` takes a part of the language: a single `id(...)`, `service(...)` or `edge(...)`, of 1
to 500 characters and without annotations.
";
