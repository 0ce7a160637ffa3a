//! Headers of HTTP: recorded ones, refused ones, and those that are passed on from a served request to the calls made
//! while it is served.

use ::http::{HeaderMap, HeaderValue, Request, Response};
use serde_json::json;
use tower_layer::Layer;
use tower_service::Service;
use tracing_subscriber::Registry;

use super::at_once::{AtOnce, answer, mirror};
use super::*;
use crate::{BuildError, XrayHttpClientLayer, XrayHttpLayer};

/// Answers with the headers that it gets, and one of its own.
fn cached_mirror(request: Request<()>) -> Response<String> {
    let mut response = mirror(request);
    response.headers_mut().insert("x-cache", HeaderValue::from_static("hit"));
    response
}

/// Calls the mirror by a client inside of the request, on a span of its own.
fn gateway(own_baggage: Option<&'static str>) -> AtOnce<impl Fn(Request<()>) -> Response<String> + Clone> {
    AtOnce(move |_| {
        let _work = info_span!("work").entered();
        let request = Request::get("http://prices.example/");
        let request = own_baggage.into_iter().fold(request, |request, own| request.header("baggage", own));
        let client = XrayHttpClientLayer::new().layer(AtOnce(cached_mirror));
        let mut response = Response::new(String::new());
        *response.headers_mut() = headers_of(client, request.body(()).unwrap());
        response
    })
}

/// The headers of a service's answer.
fn headers_of<S, B>(mut service: S, request: Request<()>) -> HeaderMap
where
    S: Service<Request<()>, Response = Response<B>>,
{
    answer(&mut service, request).into_parts().0.headers
}

fn request(headers: &[(&str, &[u8])]) -> Request<()> {
    let request = Request::get("http://shop.example/orders");
    let add = |request: ::http::request::Builder, (name, value): &(&str, &[u8])| {
        request.header(*name, HeaderValue::from_bytes(value).unwrap())
    };
    headers.iter().fold(request, add).body(()).unwrap()
}

fn serve(rig: &Rig, headers: &[(&str, &[u8])]) -> HeaderMap {
    let layer = XrayHttpLayer::new();
    rig.run(|| headers_of(layer.layer(gateway(None)), request(headers)))
}

const W3C: &[u8] = b"00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";

#[test]
fn named_headers_are_recorded_on_both_sides_of_servers_and_clients() {
    let rig = Rig::new(|b| {
        b.record_request_headers(["X-Tenant", "accept-language", "x-large", "x-bytes", "baggage", "location"])
            .record_response_headers(["x-cache", "x-absent"])
            .annotate(["http.request.header.x-tenant"])
    });
    let large = "é".repeat(600);
    serve(
        &rig,
        &[
            ("x-tenant", b"blue"),
            ("accept-language", b"de"),
            ("accept-language", b"en"),
            ("x-large", large.as_bytes()),
            ("x-bytes", b"\xff\xfe"),
            ("x-other", b"not asked for"),
            ("location", b"https://bob:secret@h/p?token=secret"),
            ("baggage", b"a=1"),
        ],
    );
    let sent = rig.sent();
    let segment = &sent[0];
    assert_eq!(segment["annotations"], json!({"http.request.header.x_tenant": "blue"}));
    let metadata = segment["metadata"]["default"].as_object().unwrap();
    assert_eq!(metadata["http.request.header.accept-language"], "de,en");
    assert_eq!(metadata["http.request.header.location"], "https://h/p");
    assert_eq!(metadata["http.response.header.x-cache"], "hit");
    assert!(!metadata.contains_key("http.request.header.x-other"));
    assert!(!metadata.contains_key("http.request.header.x-bytes"));
    let call = &segment["subsegments"][0]["subsegments"][0];
    assert_eq!(call["namespace"], "remote");
    // As they go out, and come in.
    assert_eq!(call["metadata"]["default"]["http.request.header.baggage"], "a=1");
    assert_eq!(call["metadata"]["default"]["http.response.header.x-cache"], "hit");
    // Bytes above ASCII are no text of a header.
    let stats = rig.handle.stats();
    assert_eq!((stats.headers_dropped, stats.values_cut), (2, 0));
}

#[test]
fn each_of_several_layers_records_the_headers_that_it_names() {
    let rigs = [false, true, false]
        .map(|names| Rig::new(|b| if names { b.record_request_headers(["x-tenant"]) } else { b }));
    let recorded = rigs.map(|rig| {
        serve(&rig, &[("x-tenant", b"blue")]);
        rig.sent()[0]["metadata"]["default"].get("http.request.header.x-tenant").is_some()
    });
    assert_eq!(recorded, [false, true, false]);
}

#[test]
fn a_long_header_is_cut_and_the_redaction_hook_sees_it() {
    let rig = Rig::new(|b| {
        b.record_request_headers(["x-large", "x-card"]).redact(|field, value| match field {
            "http.request.header.x-card" => "***".into(),
            _ => value.into(),
        })
    });
    serve(&rig, &[("x-large", "x".repeat(5_000).as_bytes()), ("x-card", b"4111")]);
    let sent = rig.sent();
    let metadata = &sent[0]["metadata"]["default"];
    let large = metadata["http.request.header.x-large"].as_str().unwrap();
    assert_eq!((large.len(), large.ends_with("x…")), (1_003, true));
    assert_eq!(metadata["http.request.header.x-card"], "***");
    assert_eq!(rig.handle.stats().values_cut, 1);
}

#[test]
fn headers_that_carry_hosts_and_urls_lose_their_secrets() {
    let named =
        ["host", "referer", "origin", "location", "x-forwarded-host", "x-original-url", "link", "refresh"];
    let rig = Rig::new(|b| b.record_request_headers(named).annotate(["http.request.header.referer"]));
    let long = format!("/{}?code=hunter2", "x".repeat(2_000));
    serve(
        &rig,
        &[
            ("host", b"bob:hunter2@shop.example:8080"),
            ("referer", b"https://bob:hunter2@shop.example/a?code=hunter2"),
            ("origin", b"https://bob:hunter2@shop.example"),
            ("location", b"/next?code=hunter2"),
            ("x-forwarded-host", b"hunter2 is no host"),
            ("x-original-url", long.as_bytes()),
            ("link", b"</a?code=hunter2>; rel=next"),
            ("refresh", b"5; url=/b?code=hunter2"),
        ],
    );
    let sent = rig.sent();
    assert!(!sent[0].to_string().contains("hunter2"), "{}", sent[0]);
    let metadata = &sent[0]["metadata"]["default"];
    let header = |name: &str| metadata[format!("http.request.header.{name}")].as_str();
    assert_eq!(sent[0]["annotations"]["http.request.header.referer"], "https://shop.example/a");
    assert_eq!(header("host"), Some("shop.example:8080"));
    assert_eq!(header("origin"), Some("https://shop.example"));
    assert_eq!(header("location"), Some("/next"));
    assert_eq!(header("x-forwarded-host"), None);
    assert_eq!(header("link"), Some("</a>; rel=next"));
    assert_eq!(header("refresh"), Some("5; url=/b"));
    let stats = rig.handle.stats();
    assert_eq!((stats.headers_dropped, stats.values_cut), (1, 1));
}

#[test]
fn headers_of_secrets_and_names_that_are_none_are_errors_of_the_builder() {
    let build = |builder: Builder| builder.build_with_handle::<Registry>().map(drop).unwrap_err();
    for name in ["authorization", "Cookie", "set-cookie", "x-api-key", "proxy-authorization", "x-auth-token"]
    {
        let secret = BuildError::SecretHeader(name.to_owned());
        assert_eq!(build(crate::builder().record_request_headers(["x-ok", name])), secret);
        let err = build(crate::builder().record_response_headers([name]));
        assert_eq!(err, secret);
        let expected = format!(
            "the header {name:?} carries a secret by its name and is never recorded: remove it from the builder's headers"
        );
        assert_eq!(err.to_string(), expected);
    }
    for name in ["", "x tenant", "x:tenant", "x-té"] {
        assert_eq!(
            build(crate::builder().record_request_headers([name])),
            BuildError::HeaderName(name.to_owned())
        );
    }
    for key in ["", "a b", "äö", "a=b", "a,b"] {
        let err = build(crate::builder().annotate_baggage(["ok", key]));
        assert_eq!(err, BuildError::BaggageKey(key.to_owned()));
        assert!(err.to_string().starts_with(&format!("{key:?} is not a key of baggage")), "{err}");
    }
    let err = build(crate::builder().annotate_baggage(["session_token"]));
    assert_eq!(err, BuildError::SecretBaggage("session_token".to_owned()));
    assert!(err.to_string().contains("\"session_token\""));
}

#[test]
fn tracestate_and_baggage_reach_the_calls_made_meanwhile() {
    let rig = Rig::new(|b| b.annotate_baggage(["tenant", "absent"]));
    let both: &[(&str, &[u8])] = &[
        ("traceparent", W3C),
        ("tracestate", b"a=1"),
        ("tracestate", b"b=2"),
        ("baggage", b"tenant=blue%20sky;p=1"),
    ];
    let out = serve(&rig, both);
    assert_eq!(
        (&out["tracestate"], &out["baggage"]),
        (&"a=1,b=2".parse().unwrap(), &"tenant=blue%20sky;p=1".parse::<HeaderValue>().unwrap())
    );
    assert!(out["traceparent"].to_str().unwrap().starts_with("00-5759e988bd862e3fe1be46a994272793-"));
    assert_eq!(rig.sent()[0]["annotations"], json!({"tenant": "blue sky"}));
    // Neither outside of the request, nor in another one.
    let other = rig.run(|| headers_of(XrayHttpClientLayer::new().layer(AtOnce(cached_mirror)), request(&[])));
    assert!(other.get("baggage").is_none() && other.get("tracestate").is_none());
    let plain = serve(&rig, &[]);
    assert!(plain.get("baggage").is_none() && plain.get("tracestate").is_none());
    // A state without its parent means nothing.
    let state = serve(&rig, &[("tracestate", b"a=1"), ("traceparent", b"nonsense"), ("baggage", b"k=v")]);
    assert!(state.get("tracestate").is_none());
    assert_eq!(state["baggage"], "k=v");
}

#[test]
fn a_request_that_is_not_sampled_passes_them_on_as_well() {
    let rig = Rig::new(|b| {
        b.sampler(xray_sdk::sampling::Never).annotate_baggage(["k"]).record_request_headers(["x-a"])
    });
    let out = serve(&rig, &[("baggage", b"k=v"), ("x-a", b"1")]);
    assert_eq!(out["baggage"], "k=v");
    assert_eq!(rig.sent(), [0; 0]);
}

#[test]
fn a_request_has_its_own_baggage_and_a_service_may_end_all() {
    let rig = Rig::new(|b| b);
    let own = gateway(Some("own=1"));
    let out = rig.run(|| headers_of(XrayHttpLayer::new().layer(own), request(&[("baggage", b"k=v")])));
    assert_eq!(out["baggage"], "own=1");
    let rig = Rig::new(Builder::drop_baggage);
    let out = serve(&rig, &[("traceparent", W3C), ("tracestate", b"a=1"), ("baggage", b"k=v")]);
    assert!(out.get("baggage").is_none());
    assert_eq!(out["tracestate"], "a=1", "it belongs to the trace");
}

#[test]
fn what_is_too_long_or_no_text_is_not_passed_on_and_counted() {
    for (name, max) in [("baggage", 8_192), ("tracestate", 1_024)] {
        let rig = Rig::new(|b| b);
        let value = |len: usize| format!("k={}", "v".repeat(len - 2));
        let (fits, long) = (value(max), value(max + 1));
        assert_eq!(serve(&rig, &[("traceparent", W3C), (name, fits.as_bytes())])[name], fits);
        assert!(serve(&rig, &[("traceparent", W3C), (name, long.as_bytes())]).get(name).is_none());
        assert!(serve(&rig, &[("traceparent", W3C), (name, b"k=\xff")]).get(name).is_none());
        assert_eq!(rig.handle.stats().headers_dropped, 2, "{name}");
    }
}

#[test]
fn a_server_without_the_layer_has_functions_for_the_same() {
    use crate::http::{carry, inject, record_request_headers, record_response_headers};
    let rig = Rig::new(|b| {
        b.record_request_headers(["x-tenant"]).record_response_headers(["x-cache"]).annotate_baggage(["k"])
    });
    rig.run(|| {
        let span = info_span!("request").entered();
        let headers = request(&[("x-tenant", b"blue"), ("x-cache", b"miss"), ("baggage", b"k=v")]);
        carry(&span, headers.headers());
        record_request_headers(&span, headers.headers());
        record_response_headers(&span, headers.headers());
        let _inside = info_span!("inside").entered();
        let mut out = HeaderMap::new();
        assert!(inject(&mut out));
        assert_eq!(out["baggage"], "k=v");
    });
    let sent = rig.sent();
    let metadata = &sent[0]["metadata"]["default"];
    assert_eq!(metadata["http.request.header.x-tenant"], "blue");
    assert_eq!(metadata["http.response.header.x-cache"], "miss");
    assert_eq!(sent[0]["annotations"]["k"], "v");
}

#[test]
fn an_ignore_that_panics_is_counted() {
    let rig = Rig::new(|b| b);
    let layer = XrayHttpLayer::new().ignore(|_| panic!("of the function's own"));
    rig.run(|| headers_of(layer.layer(AtOnce(cached_mirror)), request(&[])));
    assert_eq!(rig.sent().len(), 1);
    assert_eq!(rig.handle.stats().caught_panics, 1);
}
