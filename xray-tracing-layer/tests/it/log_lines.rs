//! The trace id on log lines: in every format, wherever the layers are, and on no line that it does not belong to.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::{Dispatch, debug_span, info, info_span, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry, reload};
use xray_sdk::sampling::{Always, Never};
use xray_tracing_layer::fmt::with_trace_id;
use xray_tracing_layer::{XraySpanExt, builder};

use crate::support::Memory;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }

    /// The ids on the lines of a log in JSON, and their messages.
    fn ids(&self) -> Vec<(String, Option<String>)> {
        let text = self.text();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|err| panic!("{err}: {line}")));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        lines.map(|line| (text(&line["fields"]["message"]).unwrap(), text(&line["xray_trace_id"]))).collect()
    }
}

fn xray() -> impl Layer<Registry> {
    builder().service_name("shop").emitter(Memory::default()).sampler(Always).build().unwrap()
}

fn none_like<T>(_: impl Fn() -> T) -> Option<T> {
    None
}

fn json<S>(log: &Log) -> impl Layer<S> + use<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    layer().json().with_writer(log.clone()).map_event_format(with_trace_id)
}

fn run<R>(subscriber: impl Into<Dispatch>, spans: impl FnOnce() -> R) -> R {
    tracing::dispatcher::with_default(&subscriber.into(), spans)
}

/// Logs outside of spans, in one, in one inside of it that the layer does not want, and with parents that are named.
/// Answers the trace's id.
fn shop() -> String {
    info!("outside");
    let root = info_span!("root");
    let id = root.trace_header().unwrap().root().to_string();
    root.in_scope(|| {
        info!("inside");
        debug_span!("unwanted").in_scope(|| info_span!("child").in_scope(|| warn!("below")));
        debug_span!("unwanted").in_scope(|| warn!("in what the layer does not want"));
        info!(parent: None, "not inside");
    });
    info!(parent: &root, "named");
    id
}

#[track_caller]
fn assert_ids(log: &Log, id: &str) {
    let expected = [
        ("outside", None),
        ("inside", Some(id)),
        ("below", Some(id)),
        ("in what the layer does not want", Some(id)),
        ("not inside", None),
        ("named", Some(id)),
    ];
    let expected = expected.map(|(message, id)| (message.to_owned(), id.map(str::to_owned)));
    assert_eq!(log.ids(), expected);
}

#[test]
fn a_line_has_the_id_of_its_span_wherever_the_layers_are() {
    let log = Log::default();
    let before = run(Registry::default().with(xray()).with(json(&log)), shop);
    assert_ids(&log, &before);
    let other_way_round = builder().emitter(Memory::default()).sampler(Always).build().unwrap();
    let after = run(Registry::default().with(json(&log)).with(other_way_round), shop);
    assert_ids(&log, &after);
    let bare = builder().emitter(Memory::default()).sampler(Always).without_filter().build().unwrap();
    let bare = run(Registry::default().with(bare).with(json(&log)), shop);
    assert_ids(&log, &bare);
    let (reloadable, _handle) = reload::Layer::new(xray());
    let reloaded = run(Registry::default().with(reloadable).with(json(&log)), shop);
    assert_ids(&log, &reloaded);
    assert_ne!(before, after);
}

#[test]
fn a_line_has_the_id_of_a_span_that_the_log_does_not_show() {
    let log = Log::default();
    let quiet = json(&log).with_filter(LevelFilter::WARN);
    let id = run(Registry::default().with(xray()).with(quiet), shop);
    let id = Some(id);
    assert_eq!(
        log.ids(),
        [("below".to_owned(), id.clone()), ("in what the layer does not want".to_owned(), id)]
    );
}

#[test]
fn a_layer_that_a_reload_put_there_is_found_too() {
    let log = Log::default();
    // A filter of its own would have to be there from the beginning.
    let bare = || builder().emitter(Memory::default()).sampler(Always).without_filter().build().unwrap();
    let (slot, handle) = reload::Layer::new(none_like(bare));
    run(Registry::default().with(slot).with(json(&log)), || {
        info_span!("root").in_scope(|| info!("nobody there"));
        handle.reload(Some(bare())).unwrap();
        let root = info_span!("root").entered();
        info!("inside");
        let id = root.trace_header().map(|header| header.root().to_string());
        assert_eq!(log.ids(), [("nobody there".to_owned(), None), ("inside".to_owned(), id)]);
    });
}

#[test]
fn a_trace_that_is_not_sampled_leaves_no_id() {
    let log = Log::default();
    let unsampled = builder().emitter(Memory::default()).sampler(Never).build().unwrap();
    run(Registry::default().with(unsampled).with(json(&log)), || {
        info_span!("root").in_scope(|| info!("unsampled"));
    });
    assert_eq!(log.ids(), [("unsampled".to_owned(), None)]);
}

#[test]
fn in_lambda_a_line_of_the_invocation_has_the_id_of_the_functions_own_segment() {
    const HEADER: &str = "Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1";
    let log = Log::default();
    run(Registry::default().with(xray()).with(json(&log)), || {
        info_span!("Lambda runtime invoke", xrayTraceId = HEADER).in_scope(|| info!("no span of mine"));
    });
    let id = "1-66f1a2b3-0123456789abcdef01234567".to_owned();
    assert_eq!(log.ids(), [("no span of mine".to_owned(), Some(id))]);
}

#[test]
fn another_subscribers_span_of_the_same_number_is_not_mistaken() {
    let (first, second, without) = (Log::default(), Log::default(), Log::default());
    let one = Dispatch::new(Registry::default().with(xray()).with(json(&first)));
    let two = Dispatch::new(Registry::default().with(xray()).with(json(&second)));
    let none = Dispatch::new(Registry::default().with(json(&without)));
    let in_span = |dispatch: &Dispatch, inner: &dyn Fn()| {
        tracing::dispatcher::with_default(dispatch, || {
            let root = info_span!("root").entered();
            inner();
            info!("inside");
            root.trace_header().map(|header| header.root().to_string())
        })
    };
    let ids = in_span(&one, &|| {
        let id = in_span(&two, &|| {
            assert_eq!(in_span(&none, &|| ()), None);
        });
        assert_eq!(second.ids(), [("inside".to_owned(), id)]);
    });
    assert_eq!(first.ids(), [("inside".to_owned(), ids)]);
    assert_eq!(without.ids(), [("inside".to_owned(), None)]);
}

#[test]
fn each_form_of_json_stays_one_valid_object_with_the_id_at_its_top() {
    let log = Log::default();
    let json = || layer().json().with_writer(log.clone());
    let layers: [Box<dyn Layer<_> + Send + Sync>; 6] = [
        json().map_event_format(with_trace_id).boxed(),
        json().flatten_event(true).map_event_format(with_trace_id).boxed(),
        json().with_span_list(false).with_current_span(false).map_event_format(with_trace_id).boxed(),
        json().with_ansi(true).with_thread_ids(true).with_file(true).map_event_format(with_trace_id).boxed(),
        json().with_ansi(false).without_time().map_event_format(with_trace_id).boxed(),
        // Nothing but the id.
        json()
            .flatten_event(true)
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_current_span(false)
            .with_span_list(false)
            .map_event_format(with_trace_id)
            .boxed(),
    ];
    for format in layers {
        run(Registry::default().with(xray()).with(format), || {
            let root = info_span!("root \"{}\"", order = "{\"a\":1}").entered();
            info!(order = 7, "{{\"message\": \"}}\"");
            info!(a = 1);
            let id = root.trace_header().unwrap().root().to_string();
            let text = log.text();
            assert_eq!(text.lines().count(), 2);
            for line in text.lines() {
                let object: Value = serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}"));
                assert_eq!(object["xray_trace_id"], id, "{line}");
                assert_eq!(line.matches("xray_trace_id").count(), 1, "{line}");
            }
        });
    }
}

#[test]
fn each_form_of_text_begins_with_the_id_and_is_as_it_was_behind() {
    let (log, plain) = (Log::default(), Log::default());
    macro_rules! compare {
        ($($setting:tt)*) => {{
            let with = layer().without_time()$($setting)*.with_writer(log.clone()).map_event_format(with_trace_id);
            let without = layer().without_time()$($setting)*.with_writer(plain.clone());
            run(Registry::default().with(xray()).with(with).with(without), || {
                info!("outside");
                assert_eq!(log.text(), plain.text());
                let root = info_span!("root", order = 7).entered();
                let id = root.trace_header().unwrap().root().to_string();
                for _ in 0..2 {
                    info!(a = 1, "{{inside}}");
                    assert_eq!(log.text(), format!("xray_trace_id={id} {}", plain.text()));
                }
            });
        }};
    }
    compare!(.with_ansi(false));
    compare!(.with_ansi(true));
    compare!(.with_ansi(true).compact());
    compare!(.with_ansi(false).pretty());
    compare!(.with_ansi(true).pretty());
    // A line that begins as JSON might.
    compare!(.with_ansi(false).with_level(false).with_target(false).compact());
}

/// A handler that logs a line.
#[cfg(feature = "tower-server")]
#[derive(Clone)]
struct Handler;

#[cfg(feature = "tower-server")]
impl tower_service::Service<http::Request<String>> for Handler {
    type Response = http::Response<String>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<String>) -> Self::Future {
        info!(target: "shop", "placed");
        std::future::ready(Ok(http::Response::new(String::new())))
    }
}

#[cfg(feature = "tower-server")]
#[test]
fn one_directive_keeps_the_fields_of_http_spans_off_the_lines_and_the_id_on_them() {
    use tower_layer::Layer as _;
    use tower_service::Service;

    for (directives, has_fields) in [("info", true), ("info,xray_tracing_layer=off", false)] {
        let log = Log::default();
        let filter = tracing_subscriber::EnvFilter::new(directives);
        let lines = layer().with_ansi(false).without_time().with_writer(log.clone());
        let lines = lines.map_event_format(with_trace_id).with_filter(filter);
        let emitter = Memory::default();
        let xray = builder().service_name("shop").emitter(emitter).sampler(Always).build().unwrap();
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(xray).with(lines));
        tracing::dispatcher::with_default(&dispatch, || {
            let request = http::Request::get("http://shop/orders?id=7").body(String::new()).unwrap();
            let mut service = xray_tracing_layer::XrayHttpLayer::new().layer(Handler);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async { service.call(request).await.map(drop) }).unwrap();
        });
        let text = log.text();
        let (id, rest) = text.trim_end().split_once("  INFO ").unwrap_or_else(|| panic!("{text}"));
        assert_eq!(id.len(), "xray_trace_id=1-5759e988-bd862e3fe1be46a994272793".len(), "{text}");
        if has_fields {
            assert!(rest.starts_with("HTTP request{otel.kind=\"server\" otel.name=\"GET\" "), "{text}");
            assert!(rest.ends_with("}: shop: placed"), "{text}");
        } else {
            assert_eq!(rest, "shop: placed");
        }
    }
}
