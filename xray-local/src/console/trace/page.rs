//! The page of a trace: header, minimap, the frame of the waterfall, details, links and the trace's own map.

use axum::response::Html;
use maud::{Markup, html};
use xray_sdk::TraceId;

use super::minimap;
use crate::console::parts::format::{self, Class};
use crate::console::parts::shell;
use crate::console::timeline::Timeline;
use crate::query::Summary;

/// The facts that the page shows.
pub(super) struct Shown<'a> {
    pub(super) id: TraceId,
    pub(super) revision: i64,
    pub(super) summary: &'a Summary,
    pub(super) timeline: &'a Timeline,
    /// Traces that are linked with this one, in either direction.
    pub(super) linked: &'a [Summary],
    pub(super) map: Markup,
    pub(super) endpoint: &'a str,
}

const KEYS: [(&str, &str); 13] = [
    ("↑ ↓", "one row up or down"),
    ("← →", "fold or unfold"),
    ("Enter", "to the details"),
    ("n N", "next or previous row that the search found"),
    ("e E", "next or previous error"),
    ("z", "zoom to the row"),
    ("0", "the whole trace"),
    ("+ -", "zoom in or out"),
    ("g", "fold or unfold gaps"),
    ("c", "critical path"),
    ("h H", "hide rows of the same name, show all again"),
    ("y", "copy the row's id"),
    ("Home End", "first or last row"),
];

/// Writes the page.
pub(super) fn page(shown: &Shown<'_>) -> Html<String> {
    let Shown { id, revision, summary, timeline, linked, map, endpoint } = shown;
    let written = id.to_string();
    let entry = summary.entry_point.as_ref().map_or("no root segment yet", |node| node.name.as_str());
    let class = Class::of(summary.has_error, summary.has_throttle, summary.has_fault, summary.is_partial);
    let http = &summary.http;
    let cli = format!("aws xray batch-get-traces --endpoint-url {endpoint} --trace-ids {written}");
    let boto3 = format!(
        "boto3.client(\"xray\", endpoint_url=\"{endpoint}\").batch_get_traces(TraceIds=[\"{written}\"])"
    );
    let content = html! {
        // Asked for before the script is there that needs it.
        link rel="preload" as="fetch" crossorigin="anonymous" href={ "/console/trace/" (written) "/rows" };
        div #head data-part {
            div.title {
                h1 { (class.badge()) " " (entry) }
                p.request.clamp title=[http.url.as_deref()] {
                    @if let Some(method) = &http.method { (method) " " } @if let Some(url) = &http.url { (url) }
                }
            }
            dl.head {
                div { dt { "Start" } dd { (format::time(timeline.start())) } }
                div { dt { "Response time" } dd { @match summary.response { Some(time) => (format::length(time)), None => "–" } } }
                div { dt { "Duration" } dd { (format::length(summary.duration)) } }
                div { dt { "Status" } dd { @match http.status { Some(status) => (status), None => (class.name()) } } }
                div { dt { "Rows" } dd #count { (format::count(timeline.rows.len() as u64)) } }
                div { dt { "Id" } dd { code { (written) } } }
                div { dt { "W3C id" } dd { code { (written.trim_start_matches("1-").replace('-', "")) } } }
            }
            @if summary.is_partial {
                p.note { "A part of this trace is missing or in progress. The page shows it as soon as it arrives." }
            }
        }
        div.tools role="toolbar" aria-label="Waterfall" {
            input #search type="search" data-slash aria-label="Search in this trace" placeholder="Search: name, URL, annotation, metadata"
                autocomplete="off" spellcheck="false";
            output #found for="search" aria-live="polite" {}
            button type="button" data-do="n" title="Next found row (n)" { "Next" }
            button type="button" data-do="e" title="Next error (e)" { "Next error" }
            button type="button" data-do="z" title="Zoom to the row (z)" { "Zoom" }
            button type="button" data-do="0" title="The whole trace (0)" { "Whole" }
            button type="button" data-do="g" aria-pressed="false" title="Fold gaps (g)" { "Fold gaps" }
            button type="button" data-do="c" aria-pressed="false" title="Critical path (c)" { "Critical path" }
            button type="button" data-do="fold" title="Fold all below the second level" { "Fold all" }
            button type="button" data-do="unfold" { "Unfold" }
            details.menu {
                summary.button { "Hide" }
                div {
                    fieldset { legend { "Services to show" } div #services {} }
                    button type="button" data-do="h" title="Hide rows of this name (h)" { "Hide rows named like the chosen one" }
                }
            }
            a.button href={ "/trace/" (written) "/raw" } { "Raw JSON" }
            a.button href={ "/trace/" (written) "/raw?download=1" } download={ (written) ".json" } { "Download" }
        }
        p #hidden.hidden-rows hidden {}
        div #strip title="Drag to zoom" { div #minimap data-part { (minimap::draw(timeline)) } div #view {} }
        div.split {
            div.waterfall {
                div #axis aria-hidden="true" {}
                div #rows role="treegrid" tabindex="0" aria-label="Waterfall of the trace"
                    data-trace=(written) data-revision=(revision) aria-rowcount=(timeline.rows.len()) aria-colcount="2" {}
            }
            aside #details aria-label="Details of the row" tabindex="-1" { p.dim { "Choose a row to see its details." } }
        }
        p.legend {
            @for class in [Class::Ok, Class::Error, Class::Throttle, Class::Fault, Class::Open] {
                (class.badge()) " " (class.name()) " "
            }
            "◇ inferred · ⇄ link · ⚠ orphan · ◔ waiting for the callee"
        }
        section #linked data-part {
            @if !linked.is_empty() {
                h2 { "Linked traces" }
                ul {
                    @for other in *linked {
                        li {
                            a href={ "/trace/" (other.id) } { (other.id) } " "
                            @if let Some(node) = &other.entry_point { (node.name) ", " }
                            (format::length(other.duration))
                        }
                    }
                }
            }
        }
        details open { summary { "Map of this trace" } div #own-map data-part { (map) } }
        details { summary { "The same by CLI and boto3" } (shell::copy(&cli)) (shell::copy(&boto3)) }
        noscript { p.note { "The waterfall needs JavaScript; the raw JSON does not." } }
        (shell::keys(&KEYS))
    };
    shell::page(&format!("{entry} {written}"), "/trace", &["trace.js"], content)
}
