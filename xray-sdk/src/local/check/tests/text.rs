//! The document as a text: one JSON object in UTF-8, its length, and damaged ones.

use super::super::check;
use super::{assert_problems, lines, nested, segment};

#[test]
fn a_document_is_one_json_object_in_utf8() {
    let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for (document, problem) in [
        ("", "reject not JSON: EOF"),
        (" ", "reject not JSON: EOF"),
        ("plain text", "reject not JSON: expected value"),
        ("{\"id\":", "reject not JSON: EOF"),
        ("{\"id\":NaN}", "reject not JSON: expected value"),
        ("{\"id\":\"\u{1}\"}", "reject not JSON: control character"),
        ("[{}]", "reject a document is one JSON object, not an array"),
        ("null", "reject a document is one JSON object, not null"),
        ("\u{feff}{}", "reject not JSON"),
        ("T1SCgQ=", "reject an OpenTelemetry batch"),
        (&deep(129), "reject nested deeper than 128 levels"),
        (&deep(30_000), "reject nested deeper than 128 levels"),
    ] {
        assert_problems(document, &[problem]);
    }
    assert_problems(&format!("{0}\n{0}", segment("")), &["reject more than one document in the datagram"]);
    assert_eq!(lines(&check(b"{\"id\":\"\xff\"}")), ["reject not UTF-8 at byte 7"]);
}

#[test]
fn the_text_is_held_against_the_daemons_log_and_written_tightly() {
    let spaced = segment("").replace(r#""name":"#, r#""name": "#);
    assert_problems(&spaced, &["warn not compact JSON: a blank between tokens at byte "]);
    assert_problems(
        &format!("\n{}", segment("")),
        &["warn not compact JSON: a blank between tokens at byte 0"],
    );
    let id = r#""id":"70de5b6f19ff9a0a","#;
    let last = nested("").replace(id, "");
    let last = format!("{},{}}}", &last[..last.len() - 1], id.trim_end_matches(','));
    assert_problems(&last, &["warn id: the first \"id\":\"…\" in the text is not the document's own"]);
    assert_problems(&segment(r#","name":"shop""#), &[r#"warn name: the key "name" is written twice"#]);
}

#[test]
fn a_document_has_at_most_64000_bytes() {
    let padded = |bytes: usize| {
        let empty = segment(r#","metadata":{"default":{"x":""}}"#);
        empty.replace(r#""x":"""#, &format!(r#""x":"{}""#, "x".repeat(bytes - empty.len())))
    };
    assert_eq!(padded(64_000).len(), 64_000);
    assert_problems(&padded(64_000), &[]);
    assert_problems(&padded(64_001), &["reject 64001 bytes, X-Ray takes 64000"]);
}

/// Whatever a document is cut or flipped to, the answer is a list and no panic.
#[test]
fn damaged_documents_never_panic() {
    let whole = nested(r#","sql":{"url":"a:é"},"cause":{"exceptions":[{"id":"0011223344556677"}]}"#);
    for at in 0..whole.len() {
        let mut bytes = whole.clone().into_bytes();
        let _ = check(&bytes[..at]);
        for byte in [b'"', b'{', b'1', 0, 0xff] {
            bytes[at] = byte;
            let _ = check(&bytes);
        }
    }
}
