//! Scripts and the style, embedded in the program.
//!
//! Their names carry no version, so browsers ask each time; an entity tag spares them the bytes.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

macro_rules! assets {
    ($($name:literal $kind:literal),+ $(,)?) => {
        /// Name, type and content of each asset.
        const ASSETS: &[(&str, &str, &str)] = &[$(($name, $kind, include_str!($name))),+];
    };
}

assets! {
    "style.css" "text/css; charset=utf-8",
    "theme.js" "text/javascript; charset=utf-8",
    "base.js" "text/javascript; charset=utf-8",
    "trace.js" "text/javascript; charset=utf-8",
    "follow.js" "text/javascript; charset=utf-8",
    "hide.js" "text/javascript; charset=utf-8",
    "row.js" "text/javascript; charset=utf-8",
    "scale.js" "text/javascript; charset=utf-8",
    "live.js" "text/javascript; charset=utf-8",
    "chart.js" "text/javascript; charset=utf-8",
    "filter.js" "text/javascript; charset=utf-8",
    "icon.svg" "image/svg+xml",
}

/// The routes of the assets.
pub(super) fn routes() -> Router {
    Router::new().route("/console/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((_, kind, content)) = ASSETS.iter().find(|(known, ..)| *known == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let digest = Sha256::digest(content.as_bytes());
    let tag: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { (*content).into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::ASSETS;

    #[test]
    fn all_scripts_together_stay_below_80_kilobytes() {
        let scripts = ASSETS.iter().filter(|(name, ..)| name.ends_with(".js"));
        let bytes: usize = scripts.map(|(.., content)| content.len()).sum();
        assert!(bytes > 1_000 && bytes < 80_000, "{bytes}");
    }

    #[test]
    fn no_asset_names_another_host() {
        for (name, _, content) in ASSETS {
            let content = content.replace("http://www.w3.org/2000/svg", "");
            assert!(!content.contains("http://") && !content.contains("https://"), "{name}");
        }
    }
}
