//! Documents made of any text: names, annotations, metadata, statements and errors. X-Ray's rules, by the checker that
//! shares nothing with the writer, find nothing to refuse.

use std::cell::RefCell;

use xray_sdk::document::{Exception, Http, Segment, Sql, Subsegment};
use xray_sdk::local::check as problems;
use xray_sdk::{EmitError, Emitter, Packet, TraceId};

use super::{Target, ensure, text};

pub(super) const TARGET: Target = Target { name: "document", seeds: SEEDS, words: WORDS, check };

/// Pieces, with line feeds between.
const SEEDS: &[&str] = &[
    "shop\ntenant\nblue\nGET\nhttp://shop.example/",
    "a b\nkey.with-dash\n\"quoted\\\"\n\u{1}\u{7f}",
    "ä漢🦀\n\n\n\n\n",
];

const WORDS: &[&str] =
    &["\n", "\"", "\\", "\u{0}", "\u{1f}", "\u{2028}", "<", "🦀", "{", "}", "_", ".", "%", "&", "\r"];

thread_local! {
    static DOCUMENT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Catch;

impl Emitter for Catch {
    fn emit(&self, packet: &Packet) -> Result<(), EmitError> {
        DOCUMENT.with_borrow_mut(|document| packet.document().clone_into(document));
        Ok(())
    }
}

fn check(input: &[u8]) -> Result<(), String> {
    let text = text(input);
    let mut pieces = text.split('\n').cycle();
    let mut piece = || pieces.next().unwrap_or_default();
    let mut segment = Segment::begin(piece(), TraceId::new());
    segment.annotate(piece(), piece());
    segment.add_metadata(piece(), piece(), &serde_json::json!({ piece(): [piece(), piece()] }));
    segment.set_user(piece());
    segment.set_http(&Http::request(piece(), piece()).status(404));
    let mut call = Subsegment::begin(piece());
    call.set_sql(&Sql::query(piece(), piece()));
    call.add_exception(&Exception::new(piece(), piece()));
    segment.attach(call);
    segment.emit(&Catch).map_err(|err| err.to_string())?;
    DOCUMENT.with_borrow(|document| {
        let problems = problems(document);
        ensure(problems.is_empty(), || format!("{problems:?} in {}", String::from_utf8_lossy(document)))
    })
}
