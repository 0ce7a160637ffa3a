//! Groups with their expressions and the number of their traces.

use axum::extract::State;
use axum::response::Html;
use maud::html;

use crate::console::parts::error::PageError;
use crate::console::parts::{format, shell};
use crate::console::state::Console;
use crate::control::groups;
use crate::query::filter::Filter;
use crate::query::{self, Range, Search};

/// Groups that are listed, and traces of each that are counted.
const GROUPS: usize = 100;
const COUNTED: usize = 10_000;

pub(super) async fn page(State(console): State<Console>) -> Result<Html<String>, PageError> {
    let groups = console
        .ask(|connection| {
            let groups = groups::list(connection, 0, GROUPS)?;
            let counted = groups.into_iter().map(|group| {
                let search = Search {
                    group: Some(group.number),
                    limit: COUNTED,
                    ..Search::new(Range::ALL, Filter::default())
                };
                Ok((query::find(connection, &search)?.keys.len(), group))
            });
            counted.collect::<Result<Vec<_>, PageError>>()
        })
        .await?;
    let endpoint = &console.options().endpoint;
    let content = html! {
        h1 { "Groups" }
        p { "A group has a filter expression. Which traces belong to it is decided as they are stored." }
        @if groups.is_empty() {
            div.empty { p { "There is no group yet. This makes one:" }
                (shell::copy(&format!("aws xray create-group --endpoint-url {endpoint} --group-name slow --filter-expression 'responsetime > 1'"))) }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Groups" {
                table {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Filter expression" } th.number scope="col" { "Traces" } th scope="col" { "Show" } } }
                    tbody {
                        @for (count, group) in &groups {
                            tr {
                                th scope="row" { (group.name) }
                                td { code { (group.expression) } }
                                td.number { (format::count(*count as u64)) @if *count >= COUNTED { "+" } }
                                td { a href=(format::link("/map", &[("group", &group.name)])) { "Map" } " "
                                    a href=(format::link("/traces", &[("group", &group.name)])) { "Traces" } }
                            }
                        }
                    }
                }
            }
        }
        details { summary { "The same by CLI" } (shell::copy(&format!("aws xray get-groups --endpoint-url {endpoint}"))) }
    };
    Ok(shell::page("Groups", "/groups", &[], content))
}
