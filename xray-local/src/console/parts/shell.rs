//! The frame of every page: head, navigation, the box for ids, and what scripts need.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

use super::order;

/// Pages in the order of the navigation: path, name.
const PAGES: [(&str, &str); 8] = [
    ("/", "Live"),
    ("/map", "Map"),
    ("/traces", "Traces"),
    ("/rules", "Rules"),
    ("/groups", "Groups"),
    ("/access", "Access"),
    ("/problems", "Problems"),
    ("/status", "Status"),
];

/// Modules that a script imports beside `base.js`, loaded at the same time as the script.
const IMPORTED: [(&str, &[&str]); 1] = [("trace.js", &["follow.js", "hide.js", "row.js", "scale.js"])];

/// A page. `path` is the page's own in the navigation; `scripts` are assets beside the common ones.
pub(in crate::console) fn page(title: &str, path: &str, scripts: &[&str], content: Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · xray-local" }
                link rel="icon" href="/console/assets/icon.svg";
                link rel="stylesheet" href="/console/assets/style.css";
                script src="/console/assets/theme.js" {}
                script type="module" src="/console/assets/base.js" {}
                @for script in scripts {
                    script type="module" src={ "/console/assets/" (script) } {}
                    @for (_, imported) in IMPORTED.iter().filter(|(importer, _)| importer == script) {
                        @for module in *imported { link rel="modulepreload" href={ "/console/assets/" (module) }; }
                    }
                }
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href="/" { "xray-local" }
                    nav aria-label="Pages" {
                        @for (target, name) in PAGES {
                            a href=(target) aria-current=[(target == path).then_some("page")] { (name) }
                        }
                    }
                    form.find action="/trace" role="search" {
                        input name="id" type="search" autocomplete="off" spellcheck="false"
                            aria-label="Trace id, in any form" placeholder="Trace id, header, W3C id";
                    }
                    button #theme type="button" aria-label="Theme: as the system" title="Theme" { "◐" }
                }
                main #main tabindex="-1" { (content) }
                footer {
                    span #zone { "Times in UTC" }
                    span { "Drop a file of segments anywhere to import it. " kbd { "?" } " lists the keys." }
                }
                div #toast role="status" aria-live="polite" {}
                dialog #help aria-labelledby="help-title" {
                    h2 #help-title { "Keys" }
                    dl #keys {
                        dt { kbd { "?" } } dd { "this list" }
                        dt { kbd { "/" } } dd { "to the search or filter box" }
                    }
                    form method="dialog" { button { "Close" } }
                }
            }
        }
    };
    Html(order::written(page))
}

/// A key in the list of keys: hidden here, moved into the dialog by the script.
pub(in crate::console) fn keys(keys: &[(&str, &str)]) -> Markup {
    html! {
        template #page-keys {
            @for (key, meaning) in keys {
                dt { @for key in key.split(' ') { kbd { (key) } " " } }
                dd { (meaning) }
            }
        }
    }
}

/// A line to copy, with its button.
pub(in crate::console) fn copy(line: &str) -> Markup {
    html! {
        div.copy {
            code tabindex="0" { (line) }
            button type="button" data-copy=(line) { "Copy" }
        }
    }
}
