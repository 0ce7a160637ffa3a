//! The documents of spans are the same on each path: with what decides noted on the way through a root's fields, or looked for
//! before; with members appended, or looked for. A redaction hook that changes nothing leads onto the slow path, and so does
//! a field that is recorded late.

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::Value;
use tracing::field::Empty;
use tracing::{Span, info_span};
use xray_sdk::sampling::{Never, Sampler, SamplingRequest, SamplingResult};

use super::Rig;
use crate::settings::config::ContextMissing;
use crate::{Builder, XraySpanExt};

/// What a document says, without the ids that differ.
fn said(mut documents: Vec<Value>) -> Vec<Value> {
    fn clean(value: &mut Value) {
        match value {
            Value::Object(members) => {
                let has_trace = members.get("parent_id").is_some();
                members.remove("id");
                if !has_trace {
                    members.remove("trace_id");
                }
                members.values_mut().for_each(clean);
            }
            Value::Array(values) => values.iter_mut().for_each(clean),
            _ => {}
        }
    }
    documents.iter_mut().for_each(clean);
    documents
}

type Texts<'a> = [Option<&'a str>; 6];

/// Opens a root with the fields in one of several orders.
fn open(order: usize, [a, b, c, d, e, f]: Texts<'_>) -> Span {
    match order {
        0 => info_span!(
            "r",
            otel.kind = a,
            xray.trace_header = b,
            rpc.system = c,
            url.full = d,
            x = e,
            http.url = f
        ),
        1 => info_span!(
            "r",
            xray.trace_header = b,
            otel.kind = a,
            xray.sampled = c,
            http.method = d,
            x = e,
            http.host = f
        ),
        2 => info_span!(
            "r",
            rpc.system = c,
            otel.kind = a,
            http.target = d,
            http.route = e,
            server.address = f
        ),
        3 => info_span!("r", x = e, otel.kind = a, http.host = d, server.address = f, net.peer.name = b),
        4 => info_span!(
            "r",
            xray.namespace = c,
            otel.kind = a,
            xray.trace_header = b,
            url.path = d,
            http.target = f,
            url.query = e
        ),
        5 => info_span!(
            "r",
            otel.kind = a.map(display),
            xray.trace_header = b.map(debug),
            xray.sampled = c.map(display),
            url.scheme = d.map(display),
            x = e.map(debug),
            error = f
        ),
        6 => info_span!(
            "r",
            x = e,
            xray.trace_header = b,
            otel.kind = a,
            rpc.system = c,
            d,
            otel.status_code = f
        ),
        7 => info_span!("r", otel.kind = a, db.system = c, db.statement = d, xray.trace_header = b, e, f),
        8 => info_span!(
            "r",
            otel.kind = a,
            client.address = b,
            http.client_ip = c,
            user_agent.original = d,
            http.status_code = e,
            otel.name = f
        ),
        9 => info_span!(
            "r",
            xray.sampled = c,
            xray.trace_header = b,
            user.id = d,
            enduser.id = e,
            operation = f,
            otel.kind = a
        ),
        10 => info_span!(
            "r",
            rpc.system = a,
            rpc.service = b,
            rpc.method = c,
            rpc.grpc.status_code = d,
            rpc.response.status_code = e,
            otel.name = f
        ),
        11 => info_span!(
            "r",
            http.scheme = a,
            url.scheme = b,
            server.port = c,
            net.peer.port = d,
            server.address = e,
            url.path = f
        ),
        _ => info_span!(
            "r",
            otel.kind = a,
            error.message = b,
            exception.message = c,
            annotation.a = d,
            metadata.m.k = e,
            db_password = f
        ),
    }
}

fn run(
    change: impl FnOnce(Builder) -> Builder,
    order: usize,
    texts: Texts<'_>,
    force: bool,
) -> (Vec<Value>, String) {
    let rig = Rig::new(change);
    rig.run(|| {
        let root = open(order, texts);
        if force {
            root.force_sampling(true);
        }
        root.in_scope(|| drop(info_span!("child")));
    });
    let sent = said(rig.sent());
    (sent, format!("{:?}", rig.handle.stats()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn a_root_is_the_same_on_both_paths(
        order in 0..13_usize,
        picks in proptest::array::uniform6(0..28_usize),
        random in "\\PC{0,12}", never in any::<bool>(), force in any::<bool>(), ignore in 0..3_usize,
    ) {
        let long = "x".repeat(300);
        let words = [
            None, Some(""), Some(" "), Some("server"), Some("CLIENT"), Some("client"), Some("aws"), Some("remote"),
            Some("Root=1-66f1a2b3-0123456789abcdef01234567"),
            Some("Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1"),
            Some("Root=1-66f1a2b3-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=0"),
            Some("Root=1-66f1a2b3-0123456789abcdef01234567;Sampled=?"), Some("junk"), Some("true"), Some("false"),
            Some("aws-api"), Some("grpc"), Some("/a/b?c=d"), Some("https://u:p@h.example:8443/p?q=1"), Some("http://h/p"),
            Some("10.0.0.1"), Some("h.example:80"), Some("::1"), Some("200"), Some("14"), Some(&*random), Some(&*long),
            Some("ERROR"),
        ];
        let texts = picks.map(|pick| words[pick]);
        let missing = [ContextMissing::MakeSegment, ContextMissing::Ignore, ContextMissing::Count][ignore];
        let change = |builder: Builder| {
            let builder = builder.context_missing(missing);
            if never { builder.sampler(Never) } else { builder }
        };
        let fast = run(change, order, texts, force);
        let slow = run(|b| change(b).redact(|_, value| Cow::Borrowed(value)), order, texts, force);
        prop_assert_eq!(fast, slow, "{} {:?}", order, texts);
    }
}

macro_rules! late {
    ($late:expr, $($field:ident $(. $more:ident)* = $value:expr),*) => {{
        if $late {
            let span = info_span!("r", $($field $(. $more)* = Empty,)*);
            $(if let Some(value) = $value { span.record(stringify!($field $(. $more)*).replace(' ', "").as_str(), value); })*
            span
        } else {
            info_span!("r", $($field $(. $more)* = $value,)*)
        }
    }};
}

/// Opens a span with fields that mean the same, at once or one after the other.
fn open_any(order: usize, late: bool, [a, b, c, d, e, f]: Texts<'_>) -> Span {
    match order {
        0 => late!(
            late,
            http.url = a,
            url.full = b,
            server.address = c,
            http.host = d,
            net.peer.name = e,
            peer.service = f
        ),
        1 => late!(
            late,
            url.path = a,
            http.target = b,
            url.query = c,
            http.route = d,
            server.address = e,
            server.port = f
        ),
        2 => late!(
            late,
            http.target = a,
            url.query = b,
            url.scheme = c,
            http.scheme = d,
            net.peer.port = e,
            http.host = f
        ),
        3 => late!(
            late,
            client.address = a,
            http.client_ip = b,
            net.peer.ip = c,
            http.request.x_forwarded_for = d,
            x = e,
            annotation.x = f
        ),
        4 => late!(
            late,
            rpc.method = a,
            rpc.service = b,
            rpc.response.status_code = c,
            rpc.grpc.status_code = d,
            error = e,
            error.message = f
        ),
        5 => late!(
            late,
            http.method = a,
            http.request.method = b,
            user_agent.original = c,
            http.user_agent = d,
            otel.name = e,
            operation = f
        ),
        6 => {
            late!(late, user.id = a, enduser.id = b, otel.status_code = c, otel.status_description = d, exception.message = e, exception.type = f)
        }
        _ => late!(
            late,
            server.address = a,
            url.scheme = b,
            server.port = c,
            url.path = d,
            metadata.default.x = e,
            x = f
        ),
    }
}

/// A sampler that looks at requests, as those do that do not say otherwise.
struct Looks;

impl Sampler for Looks {
    fn sample(&self, _: &SamplingRequest<'_>) -> SamplingResult {
        SamplingResult::sampled()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn fields_of_one_meaning_are_the_same_on_each_path(
        order in 0..8_usize,
        picks in proptest::array::uniform6(0..24_usize),
        random in "\\PC{0,12}", query in any::<bool>(), child in any::<bool>(), looks in any::<bool>(),
    ) {
        let words = [
            None, Some(""), Some(" "), Some("http"), Some("https"), Some("443"), Some("80"), Some("/"),
            Some("/a/b?c=d"), Some("https://u:p@h.example:8443/p?q=1"), Some("http://h/p"), Some("a=b"), Some("?a=b"),
            Some("10.0.0.1"), Some("h.example:80"), Some("::1"), Some("[::1]:70"), Some("200"), Some("14"), Some(&*random), Some("/tmp/sock"),
            Some("ERROR"), Some("h.example"), Some("10.0.0.1, 10.0.0.2"),
        ];
        let texts = picks.map(|pick| words[pick]);
        let one = |late: bool, hook: bool| {
            let rig = Rig::new(|b| {
                let b = if query { b.keep_url_query() } else { b };
                let b = if hook { b.redact(|_, v| Cow::Borrowed(v)) } else { b };
                if looks { b.sampler(Looks) } else { b }
            });
            rig.run(|| {
                let _root = child.then(|| info_span!("root").entered());
                drop(open_any(order, late, texts));
            });
            let stats = rig.handle.stats();
            (said(rig.sent()), stats.values_dropped)
        };
        let plain = one(false, false);
        prop_assert_eq!(&plain, &one(false, true), "hook {} {:?}", order, texts);
        prop_assert_eq!(plain, one(true, false), "late {} {:?}", order, texts);
    }
}
