//! Each rule broken once, and a document of each kind that breaks none.

use super::{Problem, Severity, check};

mod spans;
mod text;

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
