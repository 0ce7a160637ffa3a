//! Requests through the client's layer where its span is not recorded, for each of the reasons there are, and where the
//! client panics. With real clients and servers it is tried among other people's crates.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ::http::{HeaderMap, Request, Response};
use tower_layer::Layer;
use tower_service::Service;
use tracing_subscriber::filter::filter_fn;

use super::at_once::{AtOnce, answer, mirror};
use super::*;
use crate::integrations::http::extract;
use crate::{ContextMissing, XrayHttpClientLayer};

/// The headers of a request as they leave.
fn sent_on(header: Option<&str>) -> HeaderMap {
    let request = Request::get("http://shop.example/");
    let request =
        header.into_iter().fold(request, |request, header| request.header("x-amzn-trace-id", header));
    let mut client = XrayHttpClientLayer::new().layer(AtOnce(mirror));
    answer(&mut client, request.body(()).unwrap()).into_parts().0.headers
}

const BY_HAND: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

/// In a segment whose parts are not recorded, since a filter keeps the call's span out.
fn in_segment() {
    let segment = info_span!("segment");
    let header = segment.in_scope(|| extract(&sent_on(Some(BY_HAND))));
    assert!(header.is_some());
    assert_eq!(header, segment.trace_header());
}

fn is_ours(metadata: &tracing::Metadata<'_>) -> bool {
    metadata.target().starts_with("xray_tracing_layer::http")
}

#[test]
fn a_call_whose_span_is_filtered_out_carries_the_header_of_the_span_around_it() {
    let layer = || crate::builder().service_name("shop").sampler(Always).emitter(MemoryEmitter::new());
    let registry = tracing_subscriber::registry;
    let here = layer().filter(filter_fn(|metadata| !is_ours(metadata))).build::<Registry>().unwrap();
    tracing::subscriber::with_default(registry().with(here), in_segment);
    let everywhere = layer().build::<Registry>().unwrap();
    let everywhere = registry().with(everywhere).with(filter_fn(|metadata| !is_ours(metadata)));
    tracing::subscriber::with_default(everywhere, in_segment);
    // Only for others.
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    let here = layer().filter(filter_fn(|metadata| !is_ours(metadata))).build::<Registry>().unwrap();
    tracing::subscriber::with_default(registry().with(here).with(logs), in_segment);
}

#[test]
fn a_call_that_belongs_nowhere_goes_as_it_is() {
    let as_it_is = || {
        assert_eq!(sent_on(None), HeaderMap::new());
        assert_eq!(sent_on(Some(BY_HAND)).get("x-amzn-trace-id").unwrap(), BY_HAND);
        assert_eq!(sent_on(Some(BY_HAND)).len(), 1);
    };
    let rig = Rig::new(|b| b.context_missing(ContextMissing::Ignore));
    rig.run(as_it_is);
    assert_eq!(rig.sent(), [0; 0]);
    Rig::new(|b| b.enabled(false)).run(as_it_is);
    as_it_is();
}

#[test]
fn a_client_that_panics_is_a_fault() {
    struct Broken;
    impl Future for Broken {
        type Output = Result<Response<String>, Infallible>;
        fn poll(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            panic!("no route {}", 7)
        }
    }
    struct Client;
    impl Service<Request<()>> for Client {
        type Response = Response<String>;
        type Error = Infallible;
        type Future = Broken;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: Request<()>) -> Broken {
            Broken
        }
    }
    let rig = Rig::new(|b| b);
    rig.run(|| {
        let _segment = info_span!("segment").entered();
        let mut client = XrayHttpClientLayer::new().layer(Client);
        let mut future = pin!(client.call(Request::new(())));
        let poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert!(catch_unwind(AssertUnwindSafe(poll)).is_err(), "it goes on its way");
    });
    let call = &rig.sent()[0]["subsegments"][0];
    assert_eq!((&call["name"], &call["fault"]), (&"GET".into(), &true.into()));
    assert_eq!(call["cause"]["exceptions"][0]["message"], "no route 7");
    assert_eq!(call["http"]["request"], serde_json::json!({"method": "GET", "url": "/"}));
}

#[cfg(feature = "reqwest-middleware")]
#[test]
fn an_error_of_reqwests_tells_a_query_only_if_it_is_to_be_kept_and_a_password_never() {
    for keep in [false, true] {
        let rig = Rig::new(|b| if keep { b.keep_url_query() } else { b });
        rig.run(|| {
            let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new());
            let client = client.with(crate::XrayMiddleware::new()).build();
            let url = "ftp://me:secret@shop.example/a?q=1".parse().unwrap();
            let call = client.execute(reqwest::Request::new(reqwest::Method::GET, url));
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let err = runtime.block_on(call).unwrap_err();
            assert!(err.to_string().contains("ftp://me:secret@shop.example/a?q=1"), "{err}");
        });
        let sent = rig.sent();
        let expected = if keep { "ftp://shop.example/a?q=1" } else { "ftp://shop.example/a" };
        let exception = &sent[0]["cause"]["exceptions"][0];
        assert_eq!(exception["message"], format!("builder error for url ({expected})"));
        assert_eq!(sent[0]["http"]["request"]["url"], expected);
        assert!(!sent[0].to_string().contains("secret"));
    }
}
