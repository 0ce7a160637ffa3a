//! The page of the list.

use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, html};

use super::asked::{Asked, RANGES, range};
use super::{chips, none, row};
use crate::console::error::PageError;
use crate::console::state::Console;
use crate::console::{format, histogram, shell};
use crate::model::{TraceKey, now};
use crate::query::filter::{Filter, FilterError};
use crate::query::{self, Blocker, Buckets, Comparison, Occurrence, Search, SummaryPage};

/// Traces of a page.
const PAGE: usize = 50;

/// Newest matching traces that chips, histogram and comparison look at, and within which a list is sorted.
const LOOKED_AT: usize = 1_000;

/// Chips of a facet.
const CHIPS: usize = 6;

/// Bars of the histogram.
const BARS: usize = 60;

const KEYS: [(&str, &str); 4] = [
    ("/", "to the filter"),
    ("Ctrl+Space", "suggestions, in the filter"),
    ("↑ ↓ Enter", "choose a suggestion, or a trace"),
    ("Esc", "close the suggestions"),
];

/// Results of the search, and the facts around them.
struct Found {
    page: SummaryPage,
    chips: Vec<Occurrence>,
    buckets: Buckets,
    comparison: Option<Comparison>,
    blockers: Vec<Blocker>,
}

pub(super) async fn traces(
    State(console): State<Console>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    let filter = match Filter::parse(&asked.filter) {
        Ok(filter) => filter,
        Err(err) => return Ok(page(&asked, Err(&err), console.options().endpoint.as_str())),
    };
    let (own, sought) = (asked.clone(), filter.clone());
    let found = console.ask(move |connection| find(connection, &own, &sought)).await?;
    Ok(page(&asked, Ok((&filter, &found)), console.options().endpoint.as_str()))
}

fn find(connection: &rusqlite::Connection, asked: &Asked, filter: &Filter) -> Result<Found, PageError> {
    let wide = Search { limit: LOOKED_AT, ..Search::new(range(&asked.since, now()), filter.clone()) };
    let brushed = asked.brushed();
    let narrow = match &brushed {
        Some(condition) => filter.clone().and(condition.clone()),
        None => filter.clone(),
    };
    let sorts = matches!(asked.sort.as_str(), "response" | "duration");
    let before = asked.before.parse().ok().map(TraceKey);
    let listed =
        Search { filter: narrow, before, limit: if sorts { LOOKED_AT } else { PAGE }, ..wide.clone() };
    let mut page = query::summaries(connection, &listed)?;
    match asked.sort.as_str() {
        "response" => page.summaries.sort_by_key(|summary| std::cmp::Reverse(summary.response)),
        "duration" => page.summaries.sort_by_key(|summary| std::cmp::Reverse(summary.duration)),
        _ => {}
    }
    if sorts {
        page.summaries.truncate(PAGE);
        page.next = None;
    }
    let is_empty = page.summaries.is_empty();
    Ok(Found {
        chips: query::chips(connection, &wide, CHIPS)?,
        buckets: query::histogram(connection, &wide, BARS)?,
        comparison: match &brushed {
            Some(condition) => Some(query::compare(connection, &wide, condition)?),
            None => None,
        },
        blockers: if is_empty { query::blockers(connection, &listed)? } else { Vec::new() },
        page,
    })
}

fn page(asked: &Asked, found: Result<(&Filter, &Found), &FilterError>, endpoint: &str) -> Html<String> {
    let content = html! {
        h1 { "Traces" }
        form.filter #filter-form action="/traces" role="search" {
            div.box {
                input #filter name="filter" value=(asked.filter) data-slash autocomplete="off" spellcheck="false" role="combobox"
                    aria-expanded="false" aria-controls="suggestions" aria-autocomplete="list" aria-label="Filter expression"
                    aria-invalid=[found.is_err().then_some("true")] aria-describedby=[found.is_err().then_some("filter-error")]
                    placeholder="service(\"orders\") AND responsetime > 0.5";
                ul #suggestions role="listbox" aria-label="Suggestions" hidden {}
            }
            (since(&asked.since))
            button type="submit" { "Search" }
            @if !asked.filter.is_empty() { a.button href="/traces" { "Clear" } }
        }
        @match found {
            Err(err) => (none::error(&asked.filter, err)),
            Ok((filter, found)) => (results(asked, filter, found, endpoint)),
        }
        (shell::keys(&KEYS))
    };
    shell::page("Traces", "/traces", &["chart.js", "filter.js"], content)
}

/// The choice of a range of time.
pub(in crate::console) fn since(chosen: &str) -> Markup {
    html! {
        select name="since" aria-label="Range of time" {
            @for (value, words, _) in RANGES {
                option value=(value) selected[value == chosen] { (words) }
            }
        }
    }
}

fn results(asked: &Asked, filter: &Filter, found: &Found, endpoint: &str) -> Markup {
    let brush = asked.brush();
    html! {
        @for warning in filter.warnings() { p.note { (warning) } }
        @if !found.chips.is_empty() { (chips::chips(asked, filter, &found.chips)) }
        @if !found.buckets.buckets.is_empty() {
            form.brushed action="/traces" data-submit {
                input type="hidden" name="filter" value=(asked.filter);
                input type="hidden" name="since" value=(asked.since);
                input type="hidden" name="sort" value=(asked.sort);
                p.dim { "Response times of the newest " (format::count(found.buckets.traces as u64)) " traces. Drag to compare a part with the rest." }
                (histogram::draw(&histogram::of_buckets(&found.buckets), brush))
                div.tools {
                    (histogram::inputs(&asked.from, &asked.to))
                    button type="submit" { "Compare" }
                    @if let Some(condition) = asked.brushed() {
                        a.button href=(asked.narrowed(filter, &condition)) { "Add to the filter" }
                        a.button href=(asked.with(filter)) { "Drop the selection" }
                    }
                }
            }
        }
        @if let Some(comparison) = &found.comparison { (chips::comparison(asked, filter, comparison)) }
        @if found.page.summaries.is_empty() {
            (none::blockers(asked, filter, &found.blockers, LOOKED_AT))
        } @else {
            h2 { "Traces" }
            (table(asked, found))
        }
        details { summary { "The same by CLI and boto3" } (commands(asked, endpoint)) }
    }
}

fn table(asked: &Asked, found: &Found) -> Markup {
    let column = |name: &str, sort: &str| {
        let is_chosen = asked.sort == sort;
        html! {
            th.number[!sort.is_empty()] scope="col" aria-sort=[is_chosen.then_some("descending")] {
                a href=(asked.sorted(sort)) { (name) @if is_chosen { " ↓" } }
            }
        }
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Traces" {
            table #list {
                thead { tr {
                    (column("Time", "")) th scope="col" { "State" } th scope="col" { "Service" } th scope="col" { "Request" }
                    (column("Response", "response")) (column("Duration", "duration"))
                    th.number.wide scope="col" { "Spans" } th.wide scope="col" { "Annotations" }
                } }
                tbody { @for summary in &found.page.summaries { (row::listed(summary)) } }
            }
        }
        p.pages {
            @if !asked.before.is_empty() { a.button href=(asked.sorted(&asked.sort)) { "Newest" } " " }
            @if let Some(next) = found.page.next { a.button rel="next" href=(asked.page(next.0)) { "Older" } }
            @if !asked.sort.is_empty() { span.dim { " The longest of the newest " (format::count(LOOKED_AT as u64)) "." } }
        }
    }
}

/// The command lines that ask for the same.
fn commands(asked: &Asked, endpoint: &str) -> Markup {
    let seconds = RANGES.iter().find(|(value, ..)| *value == asked.since).map_or(0, |(.., seconds)| *seconds);
    let seconds = if seconds == 0 { 21_600 } else { seconds.min(21_600) };
    let condition = asked.brushed();
    let filter = match (Filter::parse(&asked.filter), condition) {
        (Ok(filter), Some(condition)) => filter.and(condition).to_string(),
        _ => asked.filter.clone(),
    };
    let quoted = filter.replace('\'', "'\\''");
    let shell_filter =
        if filter.is_empty() { String::new() } else { format!(" --filter-expression '{quoted}'") };
    let python_filter = if filter.is_empty() {
        String::new()
    } else {
        format!(", FilterExpression={}", serde_json::Value::from(filter.as_str()))
    };
    let cli = format!(
        "aws xray get-trace-summaries --endpoint-url {endpoint} --start-time $(($(date +%s)-{seconds})) --end-time \
         $(date +%s){shell_filter}"
    );
    let boto3 = format!(
        "boto3.client(\"xray\", endpoint_url=\"{endpoint}\").get_trace_summaries(StartTime=time.time()-{seconds}, \
         EndTime=time.time(){python_filter})"
    );
    html! {
        (shell::copy(&cli))
        (shell::copy(&boto3))
        p.dim { "The API takes six hours at a time." }
    }
}
