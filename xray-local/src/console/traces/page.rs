//! The page of the list.

use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, html};

use super::asked::Asked;
use super::{chips, none, row};
use crate::console::parts::error::PageError;
use crate::console::parts::scope;
use crate::console::parts::{format, histogram, shell};
use crate::console::state::Console;
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

/// The part of the page below its form.
type Outcome<'a> = Result<(&'a Filter, &'a Found), &'a FilterError>;

pub(super) async fn traces(
    State(console): State<Console>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, PageError> {
    let filter = Filter::parse(&asked.filter);
    let (own, sought) = (asked.clone(), filter.clone().ok());
    let (groups, found) = console
        .ask(move |connection| {
            let found = sought.map(|filter| find(connection, &own, &filter)).transpose()?;
            Ok((scope::groups(connection)?, found))
        })
        .await?;
    let outcome = match (&filter, &found) {
        (Ok(filter), Some(found)) => Ok((filter, found)),
        (Err(err), _) => Err(err),
        (Ok(_), None) => return Err(PageError::not_found("The traces were not found.")),
    };
    Ok(page(&asked, &groups, outcome, console.options().endpoint.as_str()))
}

fn find(connection: &rusqlite::Connection, asked: &Asked, filter: &Filter) -> Result<Found, PageError> {
    let wide = Search {
        limit: LOOKED_AT,
        group: asked.scope.group(connection)?,
        ..Search::new(asked.scope.range(now())?, filter.clone())
    };
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

fn page(asked: &Asked, groups: &[String], found: Outcome<'_>, endpoint: &str) -> Html<String> {
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
            (asked.scope.fields(groups))
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

fn results(asked: &Asked, filter: &Filter, found: &Found, endpoint: &str) -> Markup {
    let brush = asked.brush();
    html! {
        @for warning in filter.warnings() { p.note { (warning) } }
        @if !found.chips.is_empty() { (chips::chips(asked, filter, &found.chips)) }
        @if !found.buckets.buckets.is_empty() {
            form.brushed action="/traces" data-submit {
                input type="hidden" name="filter" value=(asked.filter);
                (asked.scope.hidden())
                input type="hidden" name="sort" value=(asked.sort);
                p.dim { "Response times of the newest " (format::counted(found.buckets.traces as u64, "trace")) ". Drag to compare a part with the rest." }
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
    let [shell_times, python_times] = asked.scope.as_code();
    let mut filter = asked.filter.clone();
    for condition in asked.brushed().into_iter().chain(asked.scope.condition()) {
        filter = Filter::parse(&filter).map_or(filter, |own| own.and(condition).to_string());
    }
    let quoted = filter.replace('\'', "'\\''");
    let shell_filter =
        if filter.is_empty() { String::new() } else { format!(" --filter-expression '{quoted}'") };
    let python_filter = if filter.is_empty() {
        String::new()
    } else {
        format!(", FilterExpression={}", serde_json::Value::from(filter.as_str()))
    };
    let cli = format!(
        "aws xray get-trace-summaries --endpoint-url {endpoint} --start-time {} --end-time \
         {}{shell_filter}",
        shell_times[0], shell_times[1]
    );
    let boto3 = format!(
        "boto3.client(\"xray\", endpoint_url=\"{endpoint}\").get_trace_summaries(StartTime={}, \
         EndTime={}{python_filter})",
        python_times[0], python_times[1]
    );
    html! {
        (shell::copy(&cli))
        (shell::copy(&boto3))
        p.dim { "The API takes six hours at a time." }
    }
}
