//! Identities, and the latest decisions with the statement that made each.

use axum::extract::{Query, State};
use axum::response::Html;
use maud::html;
use serde::Deserialize;

use super::tried::Tried;
use crate::access::decisions;
use crate::access::{DirectoryError, directory};
use crate::console::parts::error::PageError;
use crate::console::parts::format;
use crate::console::parts::shell;
use crate::console::state::Console;

/// Decisions that are listed.
const DECISIONS: usize = 200;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    denied: String,
    #[serde(flatten)]
    tried: Tried,
}

pub(super) async fn page(
    State(console): State<Console>,
    Query(Asked { denied, tried }): Query<Asked>,
) -> Result<Html<String>, PageError> {
    let denied = denied == "1";
    let (sought, home) = (tried.clone(), console.store().home().clone());
    let (identities, latest, outcome) = console
        .ask(move |connection| {
            let identities = directory::list(connection).map_err(|err| match err {
                DirectoryError::Store(err) => PageError::from(err),
                other => PageError::bad_request(other.to_string()),
            })?;
            let outcome = sought.decide(connection, &home)?;
            Ok((identities, decisions::latest(connection, denied, DECISIONS)?, outcome))
        })
        .await?;
    let access = console.options().access;
    let names: Vec<&str> = identities.iter().map(|listed| listed.identity.name.as_str()).collect();
    let content = html! {
        h1 { "Access" }
        p { "Access control is in the mode " strong { (access) } ": "
            @match access {
                "off" => "nothing is checked.",
                "warn" => "signatures and policies are checked and recorded, nothing is refused.",
                _ => "what signature or policies do not allow is refused.",
            } }
        h2 { "Identities" }
        div.scroll tabindex="0" role="region" aria-label="Identities" {
            table {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Kind" } th scope="col" { "Policies" } th scope="col" { "Access keys" } } }
                tbody {
                    @for listed in &identities {
                        tr {
                            th scope="row" title=(listed.identity.arn) { (listed.identity.name) }
                            td { (listed.identity.kind.name()) }
                            td { (listed.policies.join(", ")) }
                            td { @for key in &listed.keys { code { (key) } " " } }
                        }
                    }
                }
            }
        }
        details { summary { "How to add one" } (shell::copy("xray-local identity add app --policy AWSXRayDaemonWriteAccess")) }
        (tried.form(&names, outcome.as_ref()))
        h2 { "Decisions" }
        p { @if denied { a href="/access" { "All decisions" } } @else { a href="/access?denied=1" { "Only denials" } } }
        @if latest.is_empty() {
            p.empty { "No decision was recorded yet. Each call of the API, and each second of datagrams, makes one." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Decisions" {
                table #decisions {
                    thead { tr { th scope="col" { "Time" } th scope="col" { "Decision" } th scope="col" { "Who" } th scope="col" { "Action" }
                        th.wide scope="col" { "Resource" } th scope="col" { "Decided by" } th.number scope="col" { "Times" } } }
                    tbody {
                        @for recorded in &latest {
                            @let own = &recorded.decision;
                            tr {
                                td.mono { (format::time(recorded.at)) }
                                td { @if own.allowed { span.badge.ok { "✓" } " allowed" } @else { span.badge.fault { "✗" } " denied" }
                                    @if !own.allowed && own.mode == "warn" { span.dim { ", let pass" } } }
                                td.who { (own.principal) span.dim { " at the door " (own.door) } }
                                td { code.whole { (own.action) } }
                                td.wide { code { (own.resource) } }
                                td { @if let Some(policy) = &own.policy { strong { (policy) } @if let Some(statement) = &own.statement { ", statement " (statement) } ": " }
                                    (own.reason) }
                                td.number { (format::count(recorded.count)) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(shell::page("Access", "/access", &[], content))
}
