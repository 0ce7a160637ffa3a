//! Refused documents and lesser problems, with the reason and the first bytes.

use axum::extract::State;
use axum::response::Html;
use maud::html;

use crate::console::parts::error::PageError;
use crate::console::parts::format;
use crate::console::parts::shell;
use crate::console::state::Console;
use crate::store::{self, Harm};

/// Problems that are listed.
const MOST: usize = 200;

pub(super) async fn page(State(console): State<Console>) -> Result<Html<String>, PageError> {
    let problems = console.ask(|connection| Ok(store::latest_problems(connection, MOST)?)).await?;
    let counts = console.store().counts();
    let lost = [
        (counts.refused, "documents that X-Ray would refuse"),
        (counts.invalid_datagrams, "datagrams without a valid header line"),
        (counts.dropped_kernel, "datagrams that the kernel dropped, since its receive buffer was full"),
        (counts.dropped_queue, "documents that came faster than they could be written"),
        (counts.denied, "documents that the daemon's policies do not let it send"),
        (counts.lost, "documents that could not be written"),
    ];
    let content = html! {
        h1 { "Problems" }
        p { "Since the program started:" }
        ul { @for (count, words) in lost { @if count > 0 { li { (words) ": " strong { (format::count(count)) } } } }
            @if lost.iter().all(|(count, _)| *count == 0) { li { "nothing was refused, dropped or lost" } } }
        @if problems.is_empty() {
            p.empty { "No problem was found in any document." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Problems" {
                table #problems {
                    thead { tr { th scope="col" { "Last" } th scope="col" { "What happened" } th scope="col" { "Problem" }
                        th scope="col" { "Service" } th scope="col" { "Document" } th.number scope="col" { "Times" } } }
                    tbody {
                        @for problem in &problems {
                            tr {
                                td.mono { (format::time(problem.last)) }
                                td { @match problem.trouble.harm {
                                    Harm::Refused => { span.badge.fault { "✗" } " refused" }
                                    Harm::Dropped => { span.badge.error { "−" } " a part is lost" }
                                    Harm::Remark => { span.badge.open { "i" } " a remark" }
                                } br; span.dim { "by " (problem.trouble.door) } }
                                td { @if !problem.trouble.code.is_empty() { strong { (problem.trouble.code) } ": " }
                                    (problem.trouble.message)
                                    @if !problem.trouble.path.is_empty() { " " code { (problem.trouble.path) } } }
                                td { (problem.trouble.service)
                                    @if let Some(trace) = problem.trouble.trace { " " a href={ "/trace/" (trace) } { "trace" } } }
                                td { code.excerpt { (problem.trouble.excerpt) } }
                                td.number { (format::count(problem.count)) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(shell::page("Problems", "/problems", &[], content))
}
