//! Whole pictures, as text: what a person sees is what is compared.

use super::super::assemble::assemble;
use super::super::document::Document;
use super::super::trace::Trace;
use super::Waterfall;
use super::text::width;

const TRACE: &str = "1-66f1a2b3-0123456789abcdef01234567";

fn trace(documents: &[String]) -> Trace {
    let documents: Vec<Document> = documents
        .iter()
        .map(|json| {
            Document::judge(json.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?} in {json:.400}"))
        })
        .collect();
    let (mut traces, problems) = assemble(&documents);
    assert_eq!((traces.len(), problems), (1, Vec::new()));
    traces.remove(0)
}

/// `rest` are more keys, each with a comma before it.
fn span(id: u64, name: &str, start: f64, end: f64, rest: &str) -> String {
    format!(r#""id":"{id:016x}","name":"{name}","start_time":{start},"end_time":{end}{rest}"#)
}

fn segment(parent: Option<u64>, span: &str) -> String {
    let parent = parent.map(|parent| format!(r#","parent_id":"{parent:016x}""#)).unwrap_or_default();
    format!(r#"{{{span},"trace_id":"{TRACE}"{parent}}}"#)
}

fn streamed(parent: u64, span: &str) -> String {
    format!(r#"{{{span},"trace_id":"{TRACE}","type":"subsegment","parent_id":"{parent:016x}"}}"#)
}

fn nested(spans: &[String]) -> String {
    format!(
        r#","subsegments":[{}]"#,
        spans.iter().map(|span| format!("{{{span}}}")).collect::<Vec<_>>().join(",")
    )
}

/// A trace with one of everything.
fn shop() -> Trace {
    let table = span(
        2,
        "DynamoDB",
        1.125,
        1.25,
        r#","namespace":"aws","error":true,"throttle":true,"http":{"response":{"status":429}},"aws":{"operation":"Query","table_name":"carts"},"cause":{"exceptions":[{"id":"0000000000000002","type":"ThrottlingException","message":"slow\ndown","cause":"0000000000000001"},{"id":"0000000000000001","message":"no capacity"}]}"#,
    );
    let query = span(
        3,
        "shop@db",
        1.25,
        1.375,
        r#","namespace":"remote","sql":{"sanitized_query":"SELECT *\n  FROM items"}"#,
    );
    let missing = span(
        4,
        "prices",
        1.375,
        1.5,
        r#","namespace":"remote","error":true,"http":{"request":{"method":"GET","url":"http://prices/"},"response":{"status":404}}"#,
    );
    let shop = span(
        1,
        "checkout",
        1.0,
        2.0,
        &format!(
            r#","origin":"AWS::ECS::Container","fault":true,"http":{{"request":{{"method":"POST","url":"https://shop/cart"}},"response":{{"status":503}}}},"annotations":{{"tenant":"blue","retries":2,"beta":true}}{}"#,
            nested(&[table, query, missing])
        ),
    );
    trace(&[
        segment(None, &shop),
        segment(
            Some(4),
            &span(5, "prices", 1.4, 1.475, r#","http":{"response":{"status":404}},"error":true"#),
        ),
        streamed(1, &span(6, "mail", 1.75, 0.0, "").replace(r#""end_time":0"#, r#""in_progress":true"#)),
    ])
}

#[test]
fn a_trace_is_drawn_with_its_times_and_details() {
    assert_eq!(
        Waterfall::new(&shop()).to_string(),
        "\
1-66f1a2b3-0123456789abcdef01234567  1.00 s  2 segments, 4 subsegments  1970-01-01T00:00:01.000Z

◆ checkout [ECS::Container]  503 fault     1.00 s  █████████████████████████████████████████████████
│  POST https://shop/cart
│  beta=true  retries=2  tenant=blue
├─ DynamoDB [aws]            429 throttle  125 ms        ██████▌
│     Query carts
│     ThrottlingException: slow down
│     caused by no capacity
├─ shop@db [remote]          ok            125 ms              ██████▌
│     SELECT * FROM items
├─ prices [remote]           404 error     125 ms                    ██████▌
│  │  GET http://prices/
│  └─ ◆ prices               404 error      75 ms                     ▐███▌
└─ mail                      in progress        …                                      ░░░░░░░░░░░░░
"
    );
}

#[test]
fn the_tree_alone_is_the_same_on_every_run() {
    assert_eq!(
        Waterfall::new(&shop()).tree_only(true).to_string(),
        "\
◆ checkout [ECS::Container]  503 fault  beta=true  retries=2  tenant=blue
├─ DynamoDB [aws]  429 throttle
├─ shop@db [remote]
├─ prices [remote]  404 error
│  └─ ◆ prices  404 error
└─ mail  in progress
"
    );
}

#[test]
fn colours_follow_the_state_and_come_only_when_asked_for() {
    let documents = [segment(
        None,
        &span(
            1,
            "a",
            0.0,
            1.0,
            &nested(&[
                span(2, "b", 0.0, 1.0, r#","error":true"#),
                span(3, "c", 0.0, 1.0, r#","throttle":true"#),
                span(4, "d", 0.0, 1.0, r#","fault":true"#),
            ]),
        ),
    )];
    let trace = trace(&documents);
    assert_eq!(
        Waterfall::new(&trace).tree_only(true).color(true).to_string(),
        "\
\x1b[32m◆ \x1b[0m\x1b[1ma\x1b[0m
\x1b[2m├─ \x1b[0mb\x1b[33m  error\x1b[0m
\x1b[2m├─ \x1b[0mc\x1b[35m  throttle\x1b[0m
\x1b[2m└─ \x1b[0md\x1b[31m  fault\x1b[0m
"
    );
    let full = Waterfall::new(&trace).color(true).to_string();
    for style in ["\x1b[32mok", "\x1b[32m█", "\x1b[33merror", "\x1b[33m█", "\x1b[35m█", "\x1b[31m█"] {
        assert!(full.contains(style), "{style:?} in {full:?}");
    }
    assert!(!Waterfall::new(&trace).to_string().contains('\x1b'));
}

#[test]
fn siblings_that_are_alike_are_counted_and_failures_are_still_shown() {
    let mut spans: Vec<String> = (0..99)
        .map(|n| {
            span(10 + n, "db.query", n as f64 / 128.0, n as f64 / 128.0 + 0.003 + n as f64 / 16_000.0, "")
        })
        .collect();
    spans[50] = span(60, "db.query", 0.4, 0.5, r#","error":true"#);
    spans.push(span(200, "render", 0.9, 1.0, ""));
    let trace = trace(&[segment(None, &span(1, "a", 0.0, 1.0, &nested(&spans)))]);
    assert_eq!(
        Waterfall::new(&trace).width(80).to_string(),
        "\
1-66f1a2b3-0123456789abcdef01234567  1.00 s  1 segment, 100 subsegments
1970-01-01T00:00:00.000Z

◆ a                       ok     1.00 s  ███████████████████████████████████████
├─ db.query               ok     3.0 ms  ▌
├─ db.query               ok     3.1 ms  ▌
├─ db.query               ok     3.1 ms  ▐
├─ … 95 more db.query, 3.2 ms to 9.1 ms  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
├─ db.query               error  100 ms                 ▐███▌
└─ render                 ok     100 ms                                     ████
"
    );
    let tree = |all| Waterfall::new(&trace).tree_only(true).all(all).to_string();
    assert_eq!(
        tree(false),
        "\
◆ a
├─ db.query
├─ db.query
├─ db.query
├─ … 95 more db.query
├─ db.query  error
└─ render
"
    );
    assert_eq!(tree(true).lines().count(), 101);
}

#[test]
fn a_failure_beneath_keeps_its_sibling_in_sight() {
    let mut spans: Vec<String> =
        (0..20).map(|n| span(10 + n, "call", n as f64, n as f64 + 1.0, "")).collect();
    spans[15] = span(25, "call", 15.0, 16.0, &nested(&[span(99, "inner", 15.0, 16.0, r#","fault":true"#)]));
    let trace = trace(&[segment(None, &span(1, "a", 0.0, 20.0, &nested(&spans)))]);
    assert_eq!(
        Waterfall::new(&trace).tree_only(true).to_string(),
        "\
◆ a
├─ call
├─ call
├─ call
├─ … 16 more call
└─ call
   └─ inner  fault
"
    );
}

#[test]
fn twelve_alike_are_all_shown() {
    let spans: Vec<String> = (0..12).map(|n| span(10 + n, "call", n as f64, n as f64 + 1.0, "")).collect();
    let trace = trace(&[segment(None, &span(1, "a", 0.0, 20.0, &nested(&spans)))]);
    assert_eq!(Waterfall::new(&trace).tree_only(true).to_string().lines().count(), 13);
}

#[test]
fn a_span_without_its_parent_says_whom_it_misses() {
    let trace = trace(&[streamed(0xabc, &span(2, "handler", 0.0, 0.002, ""))]);
    assert_eq!(Waterfall::new(&trace).tree_only(true).to_string(), "handler  (parent missing)\n");
    let picture = Waterfall::new(&trace).to_string();
    assert!(picture.contains("\n   parent 0000000000000abc was not received\n"), "{picture}");
    assert!(picture.contains("2.0 ms  1 subsegment  "), "{picture}");
    let note = "\nThe root was not received; the missing parent is 0000000000000abc\n";
    assert!(picture.contains(note), "{picture}");
    assert!(!Waterfall::new(&shop()).to_string().contains("not received"));
}

#[test]
fn siblings_whose_names_differ_by_digits_are_counted_together() {
    let spans: Vec<String> =
        (0..498).map(|n| span(10 + n, &format!("item-{n}"), n as f64, n as f64 + 1.0, "")).collect();
    let numbered = trace(&[segment(None, &span(1, "a", 0.0, 500.0, &nested(&spans)))]);
    assert_eq!(
        Waterfall::new(&numbered).tree_only(true).to_string(),
        "◆ a\n├─ item-0\n├─ item-1\n├─ item-2\n└─ … 495 more item-*\n"
    );
    // Letters are another matter.
    let spans: Vec<String> = ('a'..='y')
        .zip(10..)
        .map(|(c, id)| span(id, &format!("item-{c}"), id as f64, id as f64 + 1.0, ""))
        .collect();
    let lettered = trace(&[segment(None, &span(1, "a", 0.0, 500.0, &nested(&spans)))]);
    assert_eq!(Waterfall::new(&lettered).tree_only(true).to_string().lines().count(), 26);
}

#[test]
fn levels_that_are_left_out_are_counted() {
    let mut inner = span(99, "s", 0.0, 1.0, r#","annotations":{"k":1}"#);
    for id in (2..14).rev() {
        inner = span(id, "s", 0.0, 1.0, &nested(&[inner]));
    }
    let deep = trace(&[segment(None, &span(1, "a", 0.0, 1.0, &nested(&[inner])))]);
    let picture = Waterfall::new(&deep).to_string();
    let lines: Vec<&str> = picture.lines().skip(2).collect();
    let blanks = "   ".repeat(9);
    assert!(lines[10].starts_with(&format!("{blanks}└─ s ")), "{picture}");
    assert!(lines[11].starts_with(&format!("⋯1 {blanks}└─ s ")), "{picture}");
    assert!(lines[13].starts_with(&format!("⋯3 {blanks}└─ s ")), "{picture}");
    assert_eq!(lines[14].trim_start(), "k=1");
}

#[test]
fn metadata_comes_when_asked_for_and_links_always() {
    let more = r#","annotations":{"tenant":"blue"},"metadata":{"default":{"cart":{"items":2}},"app":{"build":"7\u001b[2J"}},"links":[{"trace_id":"1-66f1a2b3-00000000000000000000000a","id":"00000000000000ff"},{"trace_id":"1-66f1a2b3-00000000000000000000000b","id":"00000000000000fe"}]"#;
    let trace = trace(&[segment(None, &span(1, "a", 0.0, 1.0, more))]);
    let picture = Waterfall::new(&trace).to_string();
    assert!(!picture.contains("cart"), "{picture}");
    let link = "   linked to 1-66f1a2b3-00000000000000000000000a, segment 00000000000000ff\n";
    assert!(picture.contains(link), "{picture}");
    let picture = Waterfall::new(&trace).metadata(true).to_string();
    assert!(picture.contains("   tenant=blue  app.build=7[2J  cart={\"items\":2}\n"), "{picture:?}");
    assert_eq!(
        Waterfall::new(&trace).tree_only(true).metadata(true).to_string(),
        "◆ a  tenant=blue  app.build=7[2J  cart={\"items\":2}\n"
    );
}

#[test]
fn exceptions_that_point_in_a_ring_end() {
    let exception = |id, cause| format!(r#"{{"id":"{id:016x}","message":"m{id}","cause":"{cause:016x}"}}"#);
    let list = [exception(1, 2), exception(2, 3), exception(3, 2)].join(",");
    let more = format!(r#","fault":true,"cause":{{"exceptions":[{list}]}}"#);
    let picture = Waterfall::new(&trace(&[segment(None, &span(1, "a", 0.0, 1.0, &more))])).to_string();
    assert!(picture.contains("   m1\n   caused by m2\n   caused by m3\n"), "{picture}");
    assert!(picture.lines().count() < 20, "{picture}");
}

#[test]
fn hostile_text_and_times_neither_break_out_nor_widen_a_line() {
    let evil = r#","annotations":{"a":"\u001b[2J\r\n\u202ex","wide":"注文サービス注文サービス注文サービス注文サービス注文サービス"},"http":{"request":{"method":"\u0007","url":"/é/"},"response":{"status":123456789012345678}},"fault":true,"cause":{"exceptions":[{"id":"0000000000000001","type":"\u001b]0;t\u0007","message":"😀😀😀"}]}"#
        .replace("é", &"é".repeat(240));
    let mut inner = span(9999, &"注".repeat(200), -1e300, 1e300, &evil);
    for id in (2..60).rev() {
        inner = span(id, &"w".repeat(120), 1e9, 1e9 + 1.0, &nested(&[inner]));
    }
    let trace = trace(&[segment(None, &span(1, "a", 0.0, 1.0, &nested(&[inner])))]);
    for columns in [0, 60, 61, 75, 100, 200, usize::MAX] {
        let picture = Waterfall::new(&trace).width(columns).to_string();
        assert!(!picture.chars().any(|c| c.is_control() && c != '\n'), "{picture:?}");
        let widest = picture.lines().map(width).max();
        assert!(widest <= Some(columns.clamp(60, 1000)), "{widest:?} of {columns}\n{picture}");
        assert!(picture.lines().all(|line| line.trim_end() == line), "blanks at the end\n{picture}");
    }
    assert!(!Waterfall::new(&trace).tree_only(true).to_string().contains('\x1b'));
}

#[test]
fn a_chain_of_ten_thousand_is_drawn_with_a_cut_stem() {
    let mut documents = vec![segment(None, &span(0, "top", 0.0, 1.0, ""))];
    documents.extend((1..10_000).map(|id| streamed(id - 1, &span(id, "s", 0.0, 1.0, ""))));
    let trace = trace(&documents);
    let picture = Waterfall::new(&trace).to_string();
    assert_eq!(picture.lines().count(), 10_002);
    assert!(
        picture.lines().last().is_some_and(|line| line.starts_with("⋯9989 ") && line.contains("└─ s")),
        "no cut"
    );
    assert!(picture.lines().all(|line| width(line) <= 100));
}
