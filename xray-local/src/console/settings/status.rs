//! Counters of the intake, the size of the store, addresses and version.

use axum::extract::State;
use axum::response::Html;
use maud::html;

use crate::console::parts::error::PageError;
use crate::console::parts::format;
use crate::console::parts::shell;
use crate::console::state::Console;
use crate::store;

pub(super) async fn page(State(console): State<Console>) -> Result<Html<String>, PageError> {
    let (traces, size, totals) = console
        .ask(|connection| {
            Ok((store::traces(connection)?, store::size(connection)?, store::totals(connection)?))
        })
        .await?;
    let options = console.options();
    let counts = console.store().counts().named();
    let content = html! {
        h1 { "Status" }
        dl.facts {
            dt { "Version" } dd { (env!("CARGO_PKG_VERSION")) }
            dt { "Segments" } dd { code { (options.daemon) } }
            dt { "API and console" } dd { code { (options.endpoint) } }
            dt { "Access" } dd { (options.access) }
            dt { "Data" } dd { code { (console.store().path().display()) } }
            dt { "Size" } dd { (format!("{:.1} MB", size as f64 / 1e6)) }
            dt { "Traces" } dd { (format::count(traces)) }
            dt { "Region" } dd { (console.store().home().region) }
            dt { "Account" } dd { (console.store().home().account) }
        }
        h2 { "Intake" }
        p.dim { "received = stored + repeated + refused + lost" }
        div.scroll tabindex="0" role="region" aria-label="Counters" {
            table {
                thead { tr { th scope="col" { "Counter" } th.number scope="col" { "Since the start" } th.number scope="col" { "Since the file was made" } } }
                tbody {
                    @for (name, value) in &counts {
                        tr {
                            th scope="row" { (name.replace('_', " ")) }
                            td.number { (format::count(*value)) }
                            td.number { @match totals.iter().find(|(known, _)| known == name) {
                                Some((_, total)) => (format::count(*total)), None => "0" } }
                        }
                    }
                }
            }
        }
    };
    Ok(shell::page("Status", "/status", &[], content))
}
