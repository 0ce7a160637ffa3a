//! URLs without query, user and password.

use tracing::info_span;

use super::recorded::recorded;
use super::{Target, ensure, text};

pub(super) const TARGET: Target = Target { name: "url", seeds: SEEDS, words: WORDS, check };

const SEEDS: &[&str] = &[
    "https://shop.example/orders/7?mail=a%40b#top",
    "postgres://me:secret@db.example:5432/orders",
    "/orders/7?x=1",
    "http://[::1]:8080/",
    "mailto:a@b.example",
];

const WORDS: &[&str] =
    &["://", "@", "?", "#", "/", ":", "//", "[", "]", "%3F", "%40", "http", "\\", " ", "&", "="];

/// Found in no seed and no word.
const SECRET: &str = "Zq7Zq7";

fn check(input: &[u8]) -> Result<(), String> {
    let url = text(input);
    let shown = recorded_url(&url)?;
    ensure(!shown.contains(['?', '#']), || format!("{url:?} is shown as {shown:?}"))?;
    let path: String = url.chars().filter(|c| !matches!(c, '?' | '#' | '/' | '\\')).take(500).collect();
    for secret in [
        format!("https://{SECRET}@shop.example/{path}"),
        format!("https://me:{SECRET}@shop.example:8443/{path}"),
        format!("https://me:p@{SECRET}@shop.example/{path}"),
        format!("https://shop.example/{path}?token={SECRET}"),
        format!("https://shop.example/{path}#{SECRET}"),
        format!("/{path}?token={SECRET}"),
    ] {
        let shown = recorded_url(&secret)?;
        ensure(!shown.contains(SECRET), || format!("{secret:?} is shown as {shown:?}"))?;
    }
    Ok(())
}

fn recorded_url(url: &str) -> Result<String, String> {
    let document = recorded(|| info_span!("call", http.request.method = "GET", url.full = url))?;
    Ok(document["http"]["request"]["url"].as_str().unwrap_or_default().to_owned())
}
