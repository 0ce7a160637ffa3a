//! Every expression that the guide or public code shows, with its canonical form: equal forms mean equal trees.

use crate::query::filter::{Filter, Selector};

/// Written form and canonical form.
const ACCEPTED: &[(&str, &str)] = &[
    // X-Ray's developer guide.
    ("responsetime > 5", "responsetime > 5"),
    ("duration >= 5 AND duration <= 8", "duration >= 5 AND duration <= 8"),
    ("ok", "ok"),
    ("!ok", "!ok"),
    ("ok = false", "ok = false"),
    (
        r#"rootcause.fault.entity { last and name = "deserialize" }"#,
        r#"rootcause.fault.entity { last AND name = "deserialize" }"#,
    ),
    (
        r#"rootcause.responsetime.entity { remote and coverage > 0.7 and name = "traces" }"#,
        r#"rootcause.responsetime.entity { remote AND coverage > 0.7 AND name = "traces" }"#,
    ),
    (
        r#"rootcause.fault.service { inferred and name = traces and type = "AWS::DynamoDB" }"#,
        r#"rootcause.fault.service { inferred AND name = "traces" AND type = "AWS::DynamoDB" }"#,
    ),
    (
        r#"service("data-plane") {root = true and fault = true}"#,
        r#"service("data-plane") { root = true AND fault = true }"#,
    ),
    ("http.status != 200", "http.status != 200"),
    ("ok !partial duration <3", "ok AND !partial AND duration < 3"),
    ("rootcause.fault.service { index > 5 }", "rootcause.fault.service { index > 5 }"),
    (
        "rootcause.responsetime.entity { last and coverage > 0.8 }",
        "rootcause.responsetime.entity { last AND coverage > 0.8 }",
    ),
    (r#"http.url CONTAINS "/api/game/""#, r#"http.url CONTAINS "/api/game/""#),
    (r#"user CONTAINS """#, r#"user CONTAINS """#),
    (r#"rootcause.fault.service { name = "Auth" }"#, r#"rootcause.fault.service { name = "Auth" }"#),
    (
        r#"rootcause.responsetime.service { last and type = "AWS::DynamoDB" }"#,
        r#"rootcause.responsetime.service { last AND type = "AWS::DynamoDB" }"#,
    ),
    (
        r#"rootcause.fault.exception { last and message = "Access Denied for account_id: 1234567890" }"#,
        r#"rootcause.fault.exception { last AND message = "Access Denied for account_id: 1234567890" }"#,
    ),
    (r#"service("api.example.com") { fault }"#, r#"service("api.example.com") { fault }"#),
    ("service() { fault }", "service() { fault }"),
    (
        r#"edge("api.example.com", "backend.example.com") { error }"#,
        r#"edge("api.example.com", "backend.example.com") { error }"#,
    ),
    (
        r#"http.url BEGINSWITH "http://api.example.com/" AND http.url CONTAINS "/v2/" AND !service("api.example.com")"#,
        r#"http.url BEGINSWITH "http://api.example.com/" AND http.url CONTAINS "/v2/" AND !service("api.example.com")"#,
    ),
    ("http.url AND responseTime > 2", "http.url AND responsetime > 2"),
    (r#"annotation.gameid = "817DL6VO""#, r#"annotation.gameid = "817DL6VO""#),
    ("annotation.age", "annotation.age"),
    ("!annotation.age", "!annotation.age"),
    ("annotation.age > 29", "annotation.age > 29"),
    (
        r#"group.name = "high_response_time" AND user = "alice""#,
        r#"group.name = "high_response_time" AND user = "alice""#,
    ),
    (
        r#"rootcause.json = #[{ "Services": [ { "Name": "GetWeatherData", "EntityPath": [{ "Name": "GetWeatherData" }, { "Name": "get_temperature" } ] }, { "Name": "GetTemperature", "EntityPath": [ { "Name": "GetTemperature" } ] } ] }]"#,
        r#"rootcause.json = #[{"Services":[{"EntityPath":[{"Name":"GetWeatherData"},{"Name":"get_temperature"}],"Name":"GetWeatherData"},{"EntityPath":[{"Name":"GetTemperature"}],"Name":"GetTemperature"}]}]"#,
    ),
    (
        r#"service(id(name: "random-name", type: "AWS::Lambda::Function")) { error }"#,
        r#"service(id(name: "random-name", type: "AWS::Lambda::Function")) { error }"#,
    ),
    (
        r#"service(id(type: "AWS::Lambda::Function")) { error }"#,
        r#"service(id(type: "AWS::Lambda::Function")) { error }"#,
    ),
    (r#"service(id(account.id: "account-id"))"#, r#"service(id(account.id: "account-id"))"#),
    (
        r#"edge(id(name: "service-one", type:"service::type"), id(name: "service-two", type:"service::type")) { error }"#,
        r#"edge(id(name: "service-one", type: "service::type"), id(name: "service-two", type: "service::type")) { error }"#,
    ),
    (
        r#"fault = true AND http.url CONTAINS "example/game" AND responsetime >= 5"#,
        r#"fault = true AND http.url CONTAINS "example/game" AND responsetime >= 5"#,
    ),
    (
        r#"service("api.example.com") { fault = true OR responsetime > 2.5 } AND annotation.account = "12345""#,
        r#"service("api.example.com") { fault = true OR responsetime > 2.5 } AND annotation.account = "12345""#,
    ),
    // Public code and tutorials.
    (
        r#"(service(id(name: "frontend"  ))) AND (Annotation[aws.local.environment] = "k8s:default")"#,
        r#"service("frontend") AND annotation[aws.local.environment] = "k8s:default""#,
    ),
    (r#"service("service-name"){fault = true}"#, r#"service("service-name") { fault = true }"#),
    (
        r#"annotation[aws.local.operation]="GET /api/orders""#,
        r#"annotation[aws.local.operation] = "GET /api/orders""#,
    ),
    (
        r#"service("api"){fault = true} AND annotation[aws.local.operation]="POST /visits""#,
        r#"service("api") { fault = true } AND annotation[aws.local.operation] = "POST /visits""#,
    ),
    (r#"annotation.user_nickname contains "bri""#, r#"annotation.user_nickname CONTAINS "bri""#),
    (r#"user = "user-123" AND (error OR fault)"#, r#"user = "user-123" AND (error OR fault)"#),
    (
        r#"service("checkout") { annotation.order_value > 1000 }"#,
        r#"service("checkout") { annotation.order_value > 1000 }"#,
    ),
    (r#"service(id(name: "N" , type: "T"))"#, r#"service(id(name: "N", type: "T"))"#),
    // What this crate decided.
    (r#"error = "true""#, "error = true"),
    ("ok OR fault AND error", "ok OR fault AND error"),
    ("(ok OR fault) AND error", "(ok OR fault) AND error"),
    ("ok OR (fault error)", "ok OR fault AND error"),
    ("!http.status = 200", "!http.status = 200"),
    ("!(ok AND fault)", "!(ok AND fault)"),
    ("!!ok", "!!ok"),
    ("ok\n\tAND\r\nfault", "ok AND fault"),
    (r#"edge("", "b")"#, r#"edge("", "b")"#),
    (r#"edge(, "b")"#, r#"edge("", "b")"#),
    (r#"service("")"#, "service()"),
    (r#"service(id(type: "T", name: "N"))"#, r#"service(id(name: "N", type: "T"))"#),
    (r#"service(id(name: "N", type: ""))"#, r#"service(id(name: "N", type: ""))"#),
    (r#"annotation["k"] = 1"#, "annotation.k = 1"),
    (r#"annotation[ aws:api_id ] = "x""#, r#"annotation[aws:api_id] = "x""#),
    ("annotation.b = true", "annotation.b = true"),
    ("annotation.n = -1.5e3", "annotation.n = -1500"),
    (r#"http.url = "C:\temp\"x\\""#, r#"http.url = "C:\\temp\"x\\""#),
    ("FAULT and HTTP.STATUS >= 500", "fault AND http.status >= 500"),
];

#[test]
fn every_published_expression_is_understood() {
    for (written, canonical) in ACCEPTED {
        let filter = Filter::parse(written).unwrap_or_else(|err| panic!("{written}: {err}"));
        assert_eq!(filter.to_string(), *canonical, "{written}");
        assert_eq!(Filter::parse(canonical).unwrap().expr(), filter.expr(), "{written}");
    }
}

#[test]
fn a_bare_word_is_a_string_and_a_warning() {
    let filter = Filter::parse("rootcause.fault.service { name = traces }").unwrap();
    assert_eq!(filter.warnings(), ["traces is read as \"traces\"; strings take double quotes"]);
    assert!(Filter::parse(r#"rootcause.fault.service { name = "traces" }"#).unwrap().warnings().is_empty());
}

#[test]
fn blanks_are_no_filter() {
    for blank in ["", " ", "\n\t "] {
        assert_eq!(Filter::parse(blank).unwrap().expr(), None, "{blank:?}");
    }
}

#[test]
fn a_selector_is_one_node_or_one_edge() {
    for (written, canonical) in [
        (r#"id(name: "a")"#, r#"service("a")"#),
        (r#"service(id(name: "a" , type: "T"))"#, r#"service(id(name: "a", type: "T"))"#),
        (r#"edge(id(name: "a"), id(name: "b"))"#, r#"edge("a", "b")"#),
        (r#"service("a") { fault }"#, r#"service("a") { fault }"#),
    ] {
        assert_eq!(Selector::parse(written).unwrap().to_string(), canonical, "{written}");
    }
    let long = format!("service({:?})", "x".repeat(500));
    for written in [
        "",
        "fault",
        r#"service("a") AND service("b")"#,
        r#"annotation.a = "1""#,
        r#"service("a") AND annotation.a = "1""#,
        r#"service("a") { annotation.a = 1 }"#,
        r#"id(name: "a") fault"#,
        "id()",
        &long,
    ] {
        assert!(Selector::parse(written).is_err(), "{written}");
    }
    assert!(Selector::parse(r#"id(name: "a")"#).unwrap().is_id());
    assert!(!Selector::parse(r#"edge("a", "b")"#).unwrap().is_id());
}
