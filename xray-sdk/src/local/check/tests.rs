//! Each rule broken once, and a document of each kind that breaks none.

use super::{Problem, Severity, check};

const IDS: &str = r#""id":"70de5b6f19ff9a0a","trace_id":"1-66f1a2b3-0123456789abcdef01234567""#;

/// A segment of the fewest keys that raise no problem, and these besides.
fn segment(more: &str) -> String {
    format!(
        r#"{{{IDS},"name":"shop","start_time":5,"end_time":6.5,"aws":{{"xray":{{"sdk":"X-Ray for Rust"}}}}{more}}}"#
    )
}

/// A subsegment sent on its own.
fn streamed(more: &str) -> String {
    format!(
        r#"{{{IDS},"type":"subsegment","parent_id":"70de5b6f19ff9a0b","name":"db","start_time":5,"end_time":6{more}}}"#
    )
}

/// A segment with one nested subsegment.
fn nested(more: &str) -> String {
    segment(&format!(
        r#","subsegments":[{{"id":"70de5b6f19ff9a0c","name":"db","start_time":5,"end_time":6{more}}}]"#
    ))
}

fn lines(problems: &[Problem]) -> Vec<String> {
    let sign = |problem: &Problem| if problem.severity == Severity::Reject { "reject" } else { "warn" };
    problems.iter().map(|problem| format!("{} {problem}", sign(problem))).collect()
}

#[track_caller]
fn assert_problems(document: &str, expected: &[&str]) {
    let found = lines(&check(document.as_bytes()));
    let matches = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| a.starts_with(b));
    assert!(matches, "\nexpected {expected:#?}\nfound {found:#?}\nin {document:.400}");
}

#[test]
fn documents_of_every_kind_and_key_pass() {
    for document in [
        segment(""),
        segment(r#","parent_id":"70de5b6f19ff9a0b""#),
        segment("").replace(r#""end_time":6.5"#, r#""in_progress":true"#),
        segment(r#","in_progress":false"#),
        segment(r#","end_time":1727112883.250123"#).replace(r#","end_time":6.5"#, ""),
        streamed(""),
        streamed("").replace(r#""end_time":6"#, r#""in_progress":true"#),
        nested(""),
        nested(r#","subsegments":[]"#),
        // As the Python SDK writes nested ones.
        nested(
            r#","in_progress":false,"type":"subsegment","namespace":"local","parent_id":"70de5b6f19ff9a0a","trace_id":"1-66f1a2b3-0123456789abcdef01234567""#,
        ),
        segment(
            r#","origin":"AWS::EC2::Instance","resource_arn":"arn:aws:ec2:1","user":"u-17","service":{"version":"1.4","runtime":"rustc","runtime_version":"1.90"},"fault":true,"http":{"request":{"method":"POST","url":"https://shop.example/cart","user_agent":"curl/8","client_ip":"203.0.113.9","x_forwarded_for":true},"response":{"status":503,"content_length":-1}},"annotations":{"tenant":"blue","http.retries":2,"beta":true,"share":0.5},"metadata":{"default":{"cart":{"items":[1,null]}},"aws.like":{}},"links":[{"trace_id":"1-66f1a2b3-0123456789abcdef01234567","id":"70de5b6f19ff9a0b","attributes":{"a":1}}]"#,
        ),
        segment(r#","error":true,"cause":"70de5b6f19ff9a0f""#),
        segment("").replace(
            r#"{"xray""#,
            r#"{"account_id":"1","ec2":{"instance_id":"i-0b","availability_zone":"a"},"ecs":{"container":"c"},"eks":{"pod":"p"},"elastic_beanstalk":{"deployment_id":7},"cloudwatch_logs":[{"log_group":"g","arn":"a"}],"xray""#,
        ),
        streamed(
            r#","namespace":"aws","traced":true,"precursor_ids":["70de5b6f19ff9a0e"],"error":true,"throttle":true,"http":{"request":{"method":"POST","url":"https://x","traced":true},"response":{"status":429,"content_length":86}},"aws":{"operation":"Query","region":"eu-west-1","request_id":"A","retries":2,"table_name":"carts","resource_names":["carts"]},"cause":{"working_directory":"/srv","paths":["a"],"exceptions":[{"id":"0011223344556677","type":"T","message":"slow","remote":true,"truncated":12,"skipped":0,"cause":"0011223344556678","stack":[{"path":"src/a.rs","line":41,"label":"f"},{}]},{"id":"0011223344556678"}]}"#,
        ),
        streamed(
            r#","namespace":"remote","sql":{"url":"postgres://db.example:5432/shop?ssl=1","connection_string":"c","sanitized_query":"select 1","database_type":"PostgreSQL","database_version":"16","driver_version":"1","user":"app","preparation":"statement"}"#,
        ),
    ] {
        assert_problems(&document, &[]);
    }
}

#[test]
fn keys_hold_what_the_schema_says() {
    for (more, problem) in [
        (r#","resource_arn":1"#, "reject resource_arn: must be a string, not a number"),
        (r#","origin":["a"]"#, "reject origin: must be a string, not an array"),
        (r#","user":null"#, "reject user: must be a string, not null"),
        (r#","in_progress":"true""#, "reject in_progress: must be a boolean, not a string"),
        (r#","error":1"#, "reject error: must be a boolean"),
        (r#","throttle":"x""#, "reject throttle: must be a boolean"),
        (r#","fault":{}"#, "reject fault: must be a boolean, not an object"),
        (
            r#","parent_id":"70de5b6f19ff9a0""#,
            r#"reject parent_id: "70de5b6f19ff9a0" is not 16 hexadecimal digits"#,
        ),
        (r#","parent_id":"70de5b6f19ff9a0g""#, "reject parent_id: "),
        (r#","parent_id":"70DE5b6f19ff9a0b""#, "warn parent_id: \"70DE5b6f19ff9a0b\" has upper-case digits"),
        (r#","service":"x""#, "reject service: must be an object, not a string"),
        (r#","service":{"version":1}"#, "reject service.version: must be a string"),
        (r#","http":[]"#, "reject http: must be an object, not an array"),
        (
            r#","http":{"request":{"x_forwarded_for":"yes"}}"#,
            "reject http.request.x_forwarded_for: must be a boolean",
        ),
        (
            r#","http":{"response":{"status":"200"}}"#,
            "reject http.response.status: must be an integer, not a string",
        ),
        (r#","http":{"response":{"status":200.5}}"#, "reject http.response.status: must be an integer"),
        (
            r#","http":{"response":{"content_length":1.0}}"#,
            "reject http.response.content_length: must be an integer",
        ),
        (r#","annotations":[]"#, "reject annotations: must be an object"),
        (
            r#","annotations":{"a":null}"#,
            "reject annotations.a: must be a string, a number or a boolean, not null",
        ),
        (r#","annotations":{"a":["b"]}"#, "reject annotations.a: must be"),
        (r#","annotations":{"a":{}}"#, "reject annotations.a: must be"),
        (r#","annotations":{"a-b":1}"#, r#"warn annotations["a-b"]: X-Ray drops it: a key has letters"#),
        (r#","annotations":{"ä":1}"#, r#"warn annotations["ä"]: X-Ray drops it"#),
        (r#","annotations":{"":1}"#, r#"warn annotations.: X-Ray drops it: a key has 1 to 500"#),
        (
            r#","metadata":{"default":1}"#,
            "reject metadata.default: a namespace must hold an object, not a number",
        ),
        (r#","metadata":{"AWS.x":{}}"#, r#"warn metadata["AWS.x"]: namespaces that begin"#),
        (r#","cause":1"#, "reject cause: must be an exception's id or an object, not a number"),
        (r#","cause":"x""#, "reject cause: \"x\" is not 16"),
        (r#","cause":{"paths":"x"}"#, "reject cause.paths: must be an array, not a string"),
        (r#","cause":{"paths":["a",1]}"#, "reject cause.paths[1]: must be a string"),
        (r#","cause":{"exceptions":[{"message":"m"}]}"#, "reject cause.exceptions[0].id: missing"),
        (r#","cause":{"exceptions":[{"id":"m"}]}"#, "reject cause.exceptions[0].id: \"m\" is not 16"),
        (
            r#","cause":{"exceptions":[{"id":"0011223344556677","truncated":"1"}]}"#,
            "reject cause.exceptions[0].truncated: must be an integer",
        ),
        (
            r#","cause":{"exceptions":[{"id":"0011223344556677","stack":[{"line":"1"}]}]}"#,
            "reject cause.exceptions[0].stack[0].line: must be an integer",
        ),
        (r#","links":[{"id":"70de5b6f19ff9a0b"}]"#, "reject links[0].trace_id: missing"),
        (r#","links":{}"#, "reject links: must be an array"),
        (r#","subsegments":{}"#, "reject subsegments: must be an array"),
        (r#","subsegments":[1]"#, "reject subsegments[0]: must be an object, not a number"),
    ] {
        let found = lines(&check(segment(more).as_bytes()));
        assert!(
            found.iter().any(|line| line.starts_with(problem)),
            "{more} expects {problem}\nfound {found:#?}"
        );
    }
    for (more, problem) in [
        (r#","namespace":"Remote""#, r#"reject namespace: "Remote" is not one of aws, remote, local"#),
        (r#","precursor_ids":["x"]"#, "reject precursor_ids[0]: "),
        (r#","traced":1"#, "reject traced: must be a boolean"),
        (r#","sql":{"sanitized_query":1}"#, "reject sql.sanitized_query: must be a string"),
        (r#","aws":{"table_name":1}"#, "reject aws.table_name: must be a string"),
        (
            r#","aws":{"xray":{"auto_instrumentation":"yes"}}"#,
            "reject aws.xray.auto_instrumentation: must be a boolean",
        ),
        (
            r#","aws":{"elastic_beanstalk":{"deployment_id":"7"}}"#,
            "reject aws.elastic_beanstalk.deployment_id: must be a number",
        ),
    ] {
        assert_problems(&streamed(more), &[problem]);
    }
}

#[test]
fn strings_have_their_limits_in_characters() {
    for (limit, key) in [
        (250, r#","user":"@""#),
        (250, r#","http":{"request":{"url":"@"}}"#),
        (250, r#","http":{"request":{"method":"@"}}"#),
        (250, r#","http":{"request":{"user_agent":"@"}}"#),
        (250, r#","http":{"request":{"client_ip":"@"}}"#),
        (1000, r#","annotations":{"a":"@"}"#),
    ] {
        let with = |length: usize| segment(&key.replace('@', &"é".repeat(length)));
        assert_problems(&with(limit), &[]);
        let found = lines(&check(with(limit + 1).as_bytes()));
        let expected = format!("{} characters, at most {limit} are allowed", limit + 1);
        assert!(found.len() == 1 && found[0].ends_with(&expected), "{found:?}");
    }
    let key = |length: usize| segment(&format!(r#","annotations":{{"{}":1}}"#, "k".repeat(length)));
    assert_problems(&key(500), &[]);
    assert_eq!(check(key(501).as_bytes()).len(), 1);
    let user = |length: usize| streamed(&format!(r#","sql":{{"user":"{}"}}"#, "u".repeat(length)));
    assert_problems(&user(250), &[]);
    assert_problems(&user(251), &["reject sql.user: 251 characters"]);
}

#[test]
fn names_are_one_to_200_characters_of_the_class_wherever_they_stand() {
    let long = "é".repeat(200);
    for name in ["shop", "a b_.:/%&#=+-@", "注文", &long] {
        assert_problems(&segment("").replace("shop", name), &[]);
    }
    for (name, problem) in [
        ("", "reject name: empty"),
        ("a?b", "reject name: '?' may not stand in a name"),
        ("a\\\\b", r"reject name: '\\' may not"),
        ("a\\tb", r"reject name: '\t' may not"),
        ("😀", "reject name: '😀' may not"),
        (&format!("{long}é"), "reject name: 201 characters, at most 200 are allowed"),
    ] {
        assert_problems(&segment("").replace("shop", name), &[problem]);
        assert_problems(&streamed("").replace("db", name), &[problem]);
        assert_problems(
            &nested("").replace("\"db\"", &format!("\"{name}\"")),
            &[&problem.replace("name: ", "subsegments[0].name: ")],
        );
    }
}

#[test]
fn what_is_required_is_missed() {
    let without = |document: String, part: &str| {
        assert!(document.contains(part), "{part} in {document}");
        document.replace(part, "")
    };
    assert_problems(&without(segment(""), r#""id":"70de5b6f19ff9a0a","#), &["reject id: missing"]);
    assert_problems(&without(segment(""), r#""name":"shop","#), &["reject name: missing"]);
    assert_problems(&without(segment(""), r#""start_time":5,"#), &["reject start_time: missing"]);
    let trace_id = r#","trace_id":"1-66f1a2b3-0123456789abcdef01234567""#;
    assert_problems(&without(segment(""), trace_id), &["reject trace_id: missing"]);
    assert_problems(
        &without(streamed(""), trace_id),
        &["reject trace_id: missing: a subsegment sent on its own"],
    );
    assert_problems(
        &without(streamed(""), r#""parent_id":"70de5b6f19ff9a0b","#),
        &["reject parent_id: missing: a subsegment sent on its own"],
    );
    assert_problems(
        &without(nested(""), r#""id":"70de5b6f19ff9a0c","#),
        &["reject subsegments[0].id: missing"],
    );
    assert_problems(&without(nested(""), r#""name":"db","#), &["reject subsegments[0].name: missing"]);
    assert_problems(
        &without(nested(""), r#","start_time":5,"end_time":6}"#).replace("\"db\"", "\"db\",\"end_time\":6}"),
        &["reject subsegments[0].start_time: missing"],
    );
}

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

#[test]
fn database_urls_have_the_shape_that_a_collector_takes() {
    for (url, fits) in [
        ("postgres://db.example:5432/shop", true),
        ("jdbc:mysql://db/shop?user=a", true),
        ("sqlite::memory:", true),
        ("mysql:shop", true),
        ("postgres://db", true),
        ("shop@db.example", false),
        ("", false),
        (":x", false),
        ("postgres:", false),
        ("postgres:?x", false),
        ("db.example/a:b", false),
    ] {
        let found = check(streamed(&format!(r#","sql":{{"url":"{url}"}}"#)).as_bytes());
        assert_eq!(found.is_empty(), fits, "{url}: {found:?}");
    }
}

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
