//! Rules between the keys of a span, and of a whole document: times, flags, ids, places, counts.

use super::{assert_problems, nested, segment, streamed};

#[test]
fn trace_ids_have_one_shape() {
    for id in [
        "66f1a2b30123456789abcdef01234567",
        "1-66f1a2b3-0123456789abcdef0123456",
        "1-66f1a2b3-0123456789abcdef012345678",
        "1-66f1a2b-0123456789abcdef012345678",
        "2-66f1a2b3-0123456789abcdef01234567",
        "1-66f1a2b3-0123456789abcdef0123456g",
        "1-66f1a2b3-0123456789abcdef01234567-1",
    ] {
        let problem = format!("reject trace_id: \"{id}\" is not 1-");
        assert_problems(&segment("").replace("1-66f1a2b3-0123456789abcdef01234567", id), &[&problem]);
    }
    assert_problems(&segment("").replace("66f1a2b3", "66F1A2B3"), &["warn trace_id: "]);
}

#[test]
fn a_span_has_ended_or_is_in_progress() {
    let times = |times: &str| segment("").replace(r#""start_time":5,"end_time":6.5"#, times);
    for (with, problem) in [
        (r#""start_time":5"#, "reject end_time: missing, and `in_progress` is not true"),
        (r#""start_time":5,"in_progress":false"#, "reject end_time: missing"),
        (
            r#""start_time":5,"end_time":6,"in_progress":true"#,
            "warn in_progress: true, and yet there is an `end_time`",
        ),
        (r#""start_time":5,"end_time":4.5"#, "warn end_time: 4.5 is before the start, 5"),
        (r#""start_time":"5","end_time":6"#, "reject start_time: must be a number, not a string"),
        (r#""start_time":5,"end_time":1727112883125"#, "warn end_time: not seconds since 1970"),
        (r#""start_time":-5,"end_time":6"#, "warn start_time: not seconds since 1970"),
    ] {
        assert_problems(&times(with), &[problem]);
    }
    assert_problems(&times(r#""start_time":5,"end_time":5"#), &[]);
    assert_problems(
        &nested("").replace(r#","end_time":6}"#, "}"),
        &["reject subsegments[0].end_time: missing, and `in_progress` is not true"],
    );
}

#[test]
fn flags_have_a_reason_and_follow_the_status() {
    let status = |status: u32, flags: &str| {
        segment(&format!(r#","http":{{"response":{{"status":{status}}}}}{flags}"#))
    };
    let lost = "true without a cause or an http status of 400 or more";
    assert_problems(&segment(r#","fault":true"#), &[&format!("warn fault: {lost}")]);
    assert_problems(&segment(r#","error":true"#), &[&format!("warn error: {lost}")]);
    assert_problems(&segment(r#","throttle":true"#), &[&format!("warn throttle: {lost}")]);
    assert_problems(&status(200, r#","fault":true"#), &[&format!("warn fault: {lost}")]);
    assert_problems(&status(200, r#","fault":true,"cause":{"exceptions":[]}"#), &[]);
    assert_problems(&segment(r#","fault":false,"error":false,"throttle":false"#), &[]);
    for (code, flags, missing) in [
        (399, "", &[][..]),
        (400, "", &["error"]),
        (404, r#","error":true"#, &[]),
        (404, r#","fault":true"#, &["error"]),
        (429, "", &["error", "throttle"]),
        (429, r#","error":true"#, &["throttle"]),
        (499, r#","error":false"#, &["error"]),
        (500, "", &["fault"]),
        (599, r#","error":true"#, &["fault"]),
        (600, "", &[]),
    ] {
        let expected: Vec<String> = missing
            .iter()
            .map(|key| format!("warn {key}: not true, and yet the http status is {code}"))
            .collect();
        assert_problems(&status(code, flags), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn ids_are_used_once_and_refer_to_something() {
    assert_problems(
        &nested("").replace("70de5b6f19ff9a0c", "70de5b6f19ff9a0a"),
        &["warn subsegments[0].id: \"70de5b6f19ff9a0a\" occurs twice"],
    );
    assert_problems(&streamed("").replace("9a0b", "9a0a"), &["warn parent_id: is its own id"]);
    assert_problems(
        &nested(r#","trace_id":"1-66f1a2b3-0123456789abcdef76543210""#),
        &["warn subsegments[0].trace_id: \"1-66f1a2b3-0123456789abcdef76543210\" differs"],
    );
    let exception = r#"{"id":"0011223344556677"}"#;
    assert_problems(
        &segment(&format!(r#","cause":{{"exceptions":[{exception},{exception}]}}"#)),
        &["warn cause.exceptions[1].id: \"0011223344556677\" is the id of two exceptions"],
    );
    assert_problems(
        &segment(r#","cause":{"exceptions":[{"id":"0011223344556677","cause":"0011223344556678"}]}"#),
        &["warn cause.exceptions[0].cause: no exception of this cause has the id \"0011223344556678\""],
    );
}

#[test]
fn keys_stand_where_they_mean_something() {
    for (key, path) in [
        (r#","sql":{}"#, "sql"),
        (r#","precursor_ids":[]"#, "precursor_ids"),
        (r#","namespace":"remote""#, "namespace"),
        (r#","traced":true"#, "traced"),
        (r#","http":{"request":{"traced":true}}"#, "http.request.traced"),
    ] {
        assert_problems(&segment(key), &[&format!("warn {path}: is for subsegments")]);
        assert_problems(&nested(key), &[]);
    }
    for (key, path) in [
        (r#","origin":"AWS::Lambda""#, "origin"),
        (r#","resource_arn":"a""#, "resource_arn"),
        (r#","http":{"request":{"client_ip":"::1"}}"#, "http.request.client_ip"),
        (r#","http":{"request":{"x_forwarded_for":true}}"#, "http.request.x_forwarded_for"),
    ] {
        assert_problems(&streamed(key), &[&format!("warn {path}: is for segments")]);
        assert_problems(&nested(key), &[&format!("warn subsegments[0].{path}: is for segments")]);
        assert_problems(&segment(key), &[]);
    }
    assert_problems(&segment("").replace("xray", "else"), &["warn aws.xray: missing"]);
    assert_problems(&segment(r#","type":"segment""#), &["warn type: \"segment\" means nothing"]);
}

#[test]
fn annotations_and_links_of_a_span_are_counted() {
    let many = |count: usize| (0..count).map(|n| format!(r#""k{n}":1"#)).collect::<Vec<_>>().join(",");
    let with = |outer, inner| {
        nested(&format!(r#","annotations":{{{}}}"#, many(inner)))
            .replace(r#""aws":"#, &format!(r#""annotations":{{{}}},"aws":"#, many(outer)))
    };
    assert_problems(&with(50, 50), &[]);
    assert_problems(&with(51, 1), &["warn annotations: 51, X-Ray indexes 50 of a trace"]);
    assert_problems(&with(1, 51), &["warn subsegments[0].annotations: 51, X-Ray indexes 50 of a trace"]);
    let link = r#"{"trace_id":"1-66f1a2b3-0123456789abcdef01234567","id":"70de5b6f19ff9a0b"}"#;
    let links = |count| segment(&format!(r#","links":[{}]"#, vec![link; count].join(",")));
    assert_problems(&links(100), &[]);
    assert_problems(&links(101), &["warn links: 101 links, X-Ray keeps 100"]);
}
