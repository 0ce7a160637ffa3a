//! URLs of servers' spans, which are put together from the fields that name their parts.

use serde_json::Value;
use tracing::info_span;
use xray_tracing_layer::Builder;
use xray_tracing_layer::sdk::document::MAX_STRING;

use crate::support::{MemoryRig, document_of};

fn url_of(document: &Value) -> &str {
    document["http"]["request"]["url"].as_str().unwrap()
}

#[test]
fn the_query_is_a_part_of_the_url_only_on_request() {
    let spans = || {
        info_span!("whole", server.address = "shop.example", url.path = "/a", url.query = "page=2");
        info_span!("path alone", url.path = "/a", url.query = "page=2");
        info_span!("empty", server.address = "shop.example", url.path = "/a", url.query = "");
    };
    for (change, expected) in [
        (
            Builder::keep_url_query as fn(Builder) -> Builder,
            ["http://shop.example/a?page=2", "/a?page=2", "http://shop.example/a"],
        ),
        (|builder| builder, ["http://shop.example/a", "/a", "http://shop.example/a"]),
    ] {
        let rig = MemoryRig::with(change);
        rig.run(spans);
        assert_eq!(rig.documents().iter().map(url_of).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_url_of_long_parts_is_cut_within_its_bound_and_ends_in_an_ellipsis() {
    let (host, path) = ("h".repeat(200), format!("/{}", "p".repeat(900)));
    let document = document_of(|| drop(info_span!("root", server.address = host, url.path = path)));
    let url = url_of(&document);
    assert!(url.len() <= MAX_STRING && url.len() > MAX_STRING - 4, "{} bytes", url.len());
    let whole = format!("http://{host}{path}");
    assert_eq!(url.strip_suffix('…').map(|kept| whole.starts_with(kept)), Some(true), "{url}");
}
