//! Random forests of spans: their shape, size and content, and how they are opened and closed.

use std::error::Error;
use std::fmt;
use std::sync::mpsc;

use proptest::prelude::*;
use tracing::{Dispatch, Span, error, info, info_span, warn};
use xray_tracing_layer::XraySpanExt;

use crate::support::MemoryRig;

/// A forest of spans, as a list in which parents come before their children.
#[derive(Clone, Debug)]
pub(crate) struct Forest {
    pub(crate) shape: Shape,
    /// What each span is like; of more spans than this, the list is gone through again.
    pub(crate) likes: Vec<Like>,
    pub(crate) spans: usize,
    pub(crate) threads: usize,
    pub(crate) seed: u64,
    pub(crate) stream_after: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Every span inside the one before.
    Deep,
    /// All inside the first.
    Wide,
    /// Each inside any that is there, or a root now and then.
    Any,
}

#[derive(Clone, Debug)]
pub(crate) struct Like {
    pub(crate) callsite: u8,
    pub(crate) text: Text,
    pub(crate) integer: i64,
    pub(crate) float: f64,
    pub(crate) flag: bool,
    pub(crate) annotations: usize,
    pub(crate) metadata: Option<Text>,
    pub(crate) sources: usize,
    pub(crate) events: usize,
    pub(crate) status: Option<u16>,
    pub(crate) entered: bool,
}

/// A text, so many times.
#[derive(Clone)]
pub(crate) struct Text(String, usize);

impl Text {
    pub(crate) fn get(&self) -> String {
        self.0.repeat(self.1)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}.repeat({})", self.0, self.1)
    }
}

/// A text of up to a megabyte, or one of at most a few kilobytes.
pub(crate) fn text(small: bool) -> impl Strategy<Value = Text> {
    let unit = prop_oneof![
        4 => "[a-z]{1,8}",
        2 => any::<String>(),
        1 => "[\\x00-\\x1f\"\\\\]{1,4}",
        1 => Just(String::new()),
        1 => "https?://[a-z.@:/?#%]{0,30}",
    ];
    let most = if small { 2 << 10 } else { 1 << 20 };
    (unit, prop_oneof![30 => Just(1_usize), 3 => 2..200_usize, 1 => Just(5_000), 1 => Just(1 << 20)])
        .prop_map(move |(unit, times)| Text(unit.clone(), times.min(most / unit.len().max(1)).max(1)))
}

prop_compose! {
    pub(crate) fn like(small: bool)(
        callsite in 0..10_u8, text in text(small), integer in any::<i64>(), float in any::<f64>(), flag in any::<bool>(),
        annotations in prop_oneof![8 => Just(0_usize), 2 => 0..4_usize, 1 => 0..=60_usize],
        metadata in prop::option::weighted(0.3, text(small)),
        sources in prop_oneof![8 => Just(0_usize), 1 => 1..5_usize, 1 => Just(40)],
        events in prop_oneof![8 => Just(0_usize), 1 => 1..6_usize],
        status in prop::option::weighted(0.2, any::<u16>()),
        entered in any::<bool>(),
    ) -> Like {
        Like { callsite, text, integer, float, flag, annotations, metadata, sources, events, status, entered }
    }
}

pub(crate) fn forest(small: bool) -> impl Strategy<Value = Forest> {
    let sizes = match small {
        true => prop_oneof![
            Just((Shape::Any, 1..60_usize)),
            Just((Shape::Wide, 1..60)),
            Just((Shape::Deep, 1..60))
        ]
        .boxed(),
        false => prop_oneof![
            12 => Just((Shape::Any, 1..60_usize)),
            4 => Just((Shape::Any, 100..800)),
            2 => Just((Shape::Deep, 100..501)),
            2 => Just((Shape::Wide, 200..2_000)),
            1 => Just((Shape::Wide, 9_000..10_001)),
        ]
        .boxed(),
    };
    let sizes = sizes.prop_flat_map(|(shape, spans)| (Just(shape), spans));
    (
        sizes,
        prop::collection::vec(like(small), 1..12),
        1..5_usize,
        any::<u64>(),
        prop_oneof![4 => Just(u32::MAX), 1 => 0..9_u32],
    )
        .prop_map(|((shape, spans), likes, threads, seed, stream_after)| Forest {
            shape,
            likes,
            spans,
            threads,
            seed,
            stream_after,
        })
}

impl Forest {
    /// The spans, and the calls that events tell of.
    pub(crate) fn closed(&self) -> usize {
        let calls = |i: usize| if self.is_plain(i) { 0 } else { self.likes[i % self.likes.len()].calls() };
        self.spans + (0..self.spans).map(calls).sum::<usize>()
    }

    /// The big ones are big by number: one in a hundred of their spans has something to say.
    pub(crate) fn is_plain(&self, i: usize) -> bool {
        self.spans > 1_000 && !i.is_multiple_of(100)
    }

    /// Opens all spans, then closes them in a random order on several threads. Returns whether the registry closed all
    /// of them; on one thread it does.
    pub(crate) fn grow(&self, rig: &MemoryRig) -> bool {
        self.open_and_close(&rig.dispatch);
        let never = rig.never_closed();
        assert!(never == 0 || self.threads > 1, "{never} spans are still open");
        never == 0
    }

    pub(crate) fn open_and_close(&self, dispatch: &Dispatch) {
        let mut random = random(self.seed);
        let mut open: Vec<Span> = Vec::with_capacity(self.spans);
        tracing::dispatcher::with_default(dispatch, || {
            for i in 0..self.spans {
                let like = &self.likes[i % self.likes.len()];
                let parent = match self.shape {
                    _ if i == 0 => None,
                    Shape::Deep => Some(&open[i - 1]),
                    Shape::Wide => Some(&open[0]),
                    Shape::Any => (!random().is_multiple_of(16)).then(|| &open[random() as usize % i]),
                };
                open.push(if self.is_plain(i) { child_of(parent, 0, like) } else { like.open(parent) });
            }
        });
        for i in (1..open.len()).rev() {
            open.swap(i, random() as usize % (i + 1));
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads)
                .map(|_| {
                    let (send, receive) = mpsc::channel::<Span>();
                    scope.spawn(move || {
                        tracing::dispatcher::with_default(dispatch, || receive.iter().for_each(drop));
                    });
                    send
                })
                .collect();
            for span in open {
                threads[random() as usize % threads.len()].send(span).unwrap();
            }
        });
    }
}

pub(crate) fn random(mut state: u64) -> impl FnMut() -> u64 {
    state |= 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 3
    }
}

pub(crate) fn child_of(parent: Option<&Span>, callsite: u8, like: &Like) -> Span {
    let parent = parent.and_then(Span::id);
    let (text, err) = (like.text.get(), Failure(like.sources));
    let (i, u, f, b) = (like.integer, like.integer as u64, like.float, like.flag);
    match callsite {
        0 => info_span!(parent: parent, "plain", i),
        1 => {
            info_span!(parent: parent, "types", text, i, u, f, b, d = ?text, wide = i128::from(i) * 3, huge = u128::MAX)
        }
        2 => {
            info_span!(parent: parent, "client {}?", otel.kind = "client", url.full = text, http.request.method = text, server.address = text, server.port = u)
        }
        3 => {
            info_span!(parent: parent, "db", db.system = "postgresql", db.namespace = text, db.query.text = statement(&text), db.user = text, server.address = "db")
        }
        4 => {
            info_span!(parent: parent, "aws", rpc.system = "aws-api", rpc.service = text, rpc.method = text, aws.region = text, aws.retries = i, aws.request_id = text, aws.log.group.names = text)
        }
        5 => {
            info_span!(parent: parent, "", error = &err as &(dyn Error + 'static), error.message = text, exception.type = text, otel.status_code = text)
        }
        6 => {
            info_span!(parent: parent, "named", xray.name = text, otel.name = ?text, peer.service = %text, xray.namespace = text)
        }
        7 => {
            info_span!(parent: parent, "server", user.id = text, client.address = text, user_agent.original = text, url.path = text, url.scheme = text, http.status_code = f)
        }
        8 => {
            info_span!(parent: parent, "keys", annotation.text = text, annotation.f = f, annotation.b = b, "annotation.a b" = i, "metadata.ns.k" = text, "metadata.k" = f, xray.trace_header = text)
        }
        _ => {
            info_span!(parent: parent, "twice", x = i, x = text, rpc.grpc.status_code = i, http.response.body.size = f, http.status_code = u)
        }
    }
}

/// Returns a statement with a text in it. Of a text that is a comment, no statement would be left.
fn statement(text: &str) -> String {
    if text.trim().is_empty() { text.to_owned() } else { format!("select {text}") }
}

impl Like {
    /// How many of its events tell of a call that becomes a span of its own.
    pub(crate) fn calls(&self) -> usize {
        let is_statement = self.callsite == 3 && !self.text.get().trim().is_empty();
        if is_statement { 0 } else { self.events / 4 }
    }

    pub(crate) fn open(&self, parent: Option<&Span>) -> Span {
        let span = child_of(parent, self.callsite, self);
        self.fill(&span);
        span
    }

    /// Gives a span what no field declares.
    pub(crate) fn fill(&self, span: &Span) {
        for n in 0..self.annotations {
            match n % 4 {
                0 => span.annotate(&format!("a{n}"), self.text.get()),
                1 => span.annotate(&format!("a-{n}"), self.float),
                2 => span.annotate(&format!("{}{n}", self.text.get()), self.flag),
                _ => span.annotate(&format!("a{n}"), self.integer),
            }
        }
        if let Some(text) = &self.metadata {
            XraySpanExt::add_metadata(span, &self.text.0, &text.0, &text.get());
            XraySpanExt::add_metadata(span, "", &text.0, &[self.float]);
        }
        if self.sources > 0 {
            span.record_error(&Failure(self.sources));
        }
        for n in 0..self.events {
            match n % 4 {
                0 => error!(parent: span, n, text = self.text.get(), "an event"),
                1 => error!(parent: span, error = &Failure(self.sources) as &(dyn Error + 'static)),
                2 => warn!(parent: span, "only a warning"),
                _ => {
                    let (text, secs) = (self.text.get(), self.float);
                    warn!(target: "sqlx::query", parent: span, summary = text, db.statement = text, elapsed_secs = secs);
                }
            }
        }
        if let Some(status) = self.status {
            span.set_http_status(status);
        }
        if self.flag {
            span.set_user(&self.text.get());
            span.record("x", self.text.get());
        }
        if self.entered {
            span.in_scope(|| info!("inside"));
        }
    }
}

/// An error with so many sources.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) usize);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sources", self.0)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        static SOURCES: std::sync::LazyLock<Vec<Failure>> =
            std::sync::LazyLock::new(|| (0..64).map(Failure).collect());
        self.0.checked_sub(1).map(|below| &SOURCES[below] as _)
    }
}
