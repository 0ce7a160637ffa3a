//! A trace as a row of a table.

use maud::{Markup, html};

use crate::console::parts::format::{self, Class};
use crate::query::{AnnotationValue, Summary};

/// Annotations that a row shows.
const ANNOTATIONS: usize = 4;

/// The class of a trace.
pub(in crate::console) fn class(summary: &Summary) -> Class {
    Class::of(summary.has_error, summary.has_throttle, summary.has_fault, summary.is_partial)
}

/// A row of the live list.
pub(in crate::console) fn live(summary: &Summary) -> Markup {
    html! {
        tr id={ "t" (summary.key.0) } data-trace=(summary.id) {
            (first(summary))
            td.wide { (annotations(summary)) }
        }
    }
}

/// A row of the list of traces: as the live list, with duration, spans and id.
pub(super) fn listed(summary: &Summary) -> Markup {
    html! {
        tr data-trace=(summary.id) {
            (first(summary))
            td.number { (format::length(summary.duration)) }
            td.number.wide { (format::count(summary.spans.max(0).unsigned_abs())) }
            td.wide { (annotations(summary)) }
        }
    }
}

fn first(summary: &Summary) -> Markup {
    let id = summary.id.to_string();
    let http = &summary.http;
    let entry = summary.entry_point.as_ref().map_or("(no root yet)", |node| node.name.as_str());
    html! {
        td.mono { a href={ "/trace/" (id) } title=(id) { (format::time(summary.start)) } }
        td.state { (class(summary).badge()) @if let Some(status) = http.status { " " (status) } }
        td { span.clamp title=(entry) { (entry) } }
        td {
            span.clamp title=[http.url.as_deref()] {
                @if let Some(method) = &http.method { (method) " " }
                @if let Some(url) = &http.url { (path(url)) }
            }
        }
        td.number { @match summary.response { Some(response) => (format::length(response)), None => "–" } }
    }
}

/// The URL without its scheme and host, which most rows share.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or(rest)
}

fn annotations(summary: &Summary) -> Markup {
    let all = summary.annotations.iter().flat_map(|annotation| {
        annotation.values.iter().map(move |(value, _)| (annotation.key.as_str(), written(value)))
    });
    let all: Vec<_> = all.collect();
    html! {
        @for (key, value) in all.iter().take(ANNOTATIONS) { span.pair { span.dim { (key) "=" } (value) } " " }
        @if all.len() > ANNOTATIONS { span.dim { "+" (all.len() - ANNOTATIONS) } }
    }
}

fn written(value: &AnnotationValue) -> String {
    match value {
        AnnotationValue::Bool(flag) => flag.to_string(),
        AnnotationValue::Number(number) => number.to_string(),
        AnnotationValue::String(string) => string.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn urls_are_shown_from_their_path_on() {
        for (url, shown) in [
            ("http://shop.example/cart?a=1", "/cart?a=1"),
            ("shop.example", "shop.example"),
            ("/cart", "/cart"),
            ("", ""),
        ] {
            assert_eq!(path(url), shown);
        }
    }
}
