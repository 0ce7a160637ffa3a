//! Every mistake that is known, with the whole message: position, problem, hint.

use crate::query::filter::Filter;

/// Written form, position of the faulty part in characters, message without its beginning.
const REFUSED: &[(&str, usize, &str)] = &[
    ("responsetime >", 14, "expected a number after \"responsetime >\", found the end"),
    ("responsetime > fast", 15, "expected a number after \"responsetime >\", found \"fast\""),
    (r#"service("a" { fault }"#, 12, r#"expected ")" after service("a", found "{""#),
    ("user = 'bob'", 7, "strings take double quotes, found a single quote (write \"bob\")"),
    ("AND ok", 0, "expected a condition, found \"AND\""),
    ("ok OR", 5, "expected a condition after \"ok OR\", found the end"),
    (r#"edge("a")"#, 8, r#"expected "," after edge("a", found ")""#),
    (
        "coverage > 1",
        0,
        "coverage is not accepted at the top level (coverage is for rootcause.responsetime.entity { }, \
         rootcause.responsetime.service { })",
    ),
    (r#"http.status CONTAINS "2""#, 12, "http.status is a number and takes = != < <= > >=, found CONTAINS"),
    ("unknown = 1", 0, "unknown keyword \"unknown\""),
    ("annotation. = 1", 0, "\"annotation.\" has no annotation key (write annotation.KEY)"),
    ("annotation[", 11, "annotation[ has no closing bracket (write annotation[KEY])"),
    ("annotation[] = 1", 11, "annotation[] has no key (write annotation[KEY])"),
    (
        "rootcause.json = #[{]",
        20,
        "the JSON of rootcause.json is not valid: key must be a string at line 1 column 3",
    ),
    (r#"rootcause.json = #[{"Nmae": 1}]"#, 18, "rootcause.json: a root cause has no member \"Nmae\""),
    ("rootcause.json = #[]", 18, "rootcause.json: the list of root causes is empty"),
    (r#""ok""#, 0, r#"expected a condition, found "ok""#),
    ("http.statuscode = 500", 0, "unknown keyword \"http.statuscode\" (did you mean http.status?)"),
    ("status = 500", 0, "unknown keyword \"status\" (did you mean http.status?)"),
    ("respnsetime > 1", 0, "unknown keyword \"respnsetime\" (did you mean responsetime?)"),
    (
        r#"annotation.aws:api_id = "x""#,
        0,
        "\"annotation.aws:api_id\" is not an annotation: a key behind a dot has letters, digits and _ (write \
         annotation[aws:api_id])",
    ),
    (
        "annotation.a.b",
        0,
        "\"annotation.a.b\" is not an annotation: a key behind a dot has letters, digits and _ (write \
         annotation[a.b])",
    ),
    (
        r#"service = "api""#,
        8,
        "expected \"(\" after \"service\", found \"=\" (write service(\"api.example.com\") { fault })",
    ),
    ("NOT error", 0, "unknown keyword \"NOT\" (write !)"),
    ("ok NOT error", 3, "unknown keyword \"NOT\" (write !)"),
    ("error && fault", 6, "unexpected character '&' (write AND)"),
    ("error || fault", 6, "unexpected character '|' (write OR)"),
    ("http.status == 200", 13, "expected a number after \"http.status =\", found \"=\" (write a single =)"),
    ("http.status <> 200", 13, "expected a number after \"http.status <\", found \">\" (write !=)"),
    (
        r#"user =~ "b.*""#,
        6,
        "unexpected character '~' (regular expressions are not part of the language; write CONTAINS)",
    ),
    (
        r#"user IN ("a", "b")"#,
        5,
        "unknown keyword \"IN\" (IN is not part of the language; join comparisons with OR)",
    ),
    (
        r#"user LIKE "a%""#,
        5,
        "unknown keyword \"LIKE\" (LIKE is not part of the language; write CONTAINS, BEGINSWITH or ENDSWITH)",
    ),
    ("responsetime > 500ms", 15, "\"500ms\" is not a number (times are in seconds: 0.5)"),
    ("responsetime > 2s", 15, "\"2s\" is not a number (times are in seconds: 2)"),
    (
        "duration > \"3\"",
        11,
        r#"expected a number after "duration >", found "3" (write the number without quotes: duration > 3)"#,
    ),
    (
        "http.method = 5",
        14,
        "expected a string in double quotes after \"http.method =\", found \"5\" (write \"5\")",
    ),
    (
        "annotation.k = foo",
        15,
        "expected a string in double quotes, a number, true or false after \"annotation.k =\", found \"foo\" (write \
         \"foo\")",
    ),
    (
        r#"annotation.k < "foo""#,
        15,
        r#"expected a number after "annotation.k <", found "foo" (strings are compared by = != CONTAINS BEGINSWITH ENDSWITH)"#,
    ),
    (
        r#"service("a") { service("b") }"#,
        15,
        "service is not accepted in service() { } (service is for the top level)",
    ),
    (
        r#"edge("a", "b") { annotation.k = 1 }"#,
        17,
        "annotation.KEY is not accepted in edge() { } (annotation.KEY is for the top level, service() { })",
    ),
    (
        "service(a)",
        8,
        "expected a name in double quotes or id(...) or \")\" after \"service(\", found \"a\" (write \"a\")",
    ),
    ("service(id())", 11, "expected name, type or account.id after \"service(id(\", found \")\""),
    (r#"service(id(name: "a", name: "b"))"#, 22, "id() has name twice"),
    (r#"service(id(name: ""))"#, 17, "name of id() is empty (leave the part out)"),
    ("service() { }", 12, "expected a condition after \"service() {\", found \"}\""),
    ("rootcause.fault.entity", 22, "expected \"{\" after \"rootcause.fault.entity\", found the end"),
    (
        "rootcause.responsetime.exception { first }",
        0,
        "unknown keyword \"rootcause.responsetime.exception\" (did you mean rootcause.responsetime.entity?)",
    ),
    ("(ok", 3, "expected an operator, AND or OR, a condition or \")\" after \"ok\", found the end"),
    ("ok)", 2, "expected an operator, AND or OR, a condition or the end after \"ok\", found \")\""),
    (r#"user = "bob"#, 7, "the string has no closing quote"),
    ("ok = maybe", 5, "expected true or false after \"ok =\", found \"maybe\""),
    ("responsetime > .5", 15, "\".5\" is not a number (numbers look like 5, 0.7, -1 or 2.5e3)"),
    ("responsetime > 1e999", 15, "\"1e999\" is not a number"),
    ("id(name: \"a\")", 0, "unknown keyword \"id\" (write service(id(name: \"...\")))"),
    ("ok // comment", 3, "unexpected character '/'"),
];

#[test]
fn every_known_mistake_is_explained() {
    let mut differences = Vec::new();
    for (written, offset, message) in REFUSED {
        match Filter::parse(written) {
            Ok(filter) => differences.push(format!("{written}: accepted as {filter}")),
            Err(err) => {
                let expected = format!("Invalid filter expression at character {}: {message}", offset + 1);
                if err.offset != *offset || err.to_string() != expected {
                    differences.push(format!(
                        "{written}\n   found {} {err}\nexpected {offset} {expected}",
                        err.offset
                    ));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn size_and_depth_are_bounded() {
    let long = format!("http.url CONTAINS {:?}", "x".repeat(1_980));
    assert_eq!(long.chars().count(), 2_000);
    assert!(Filter::parse(&long).is_ok());
    let too_long = format!("{long} ");
    let err = Filter::parse(&too_long).unwrap_err();
    assert_eq!((err.offset, err.len), (2_000, 1));
    assert_eq!(
        err.to_string(),
        "Invalid filter expression at character 2001: the expression has 2001 characters; at most 2000 are accepted"
    );

    let nested = |depth: usize| format!("{}ok{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Filter::parse(&nested(32)).is_ok());
    let err = Filter::parse(&nested(40)).unwrap_err();
    assert_eq!((err.offset, err.problem.as_str()), (33, "the expression is nested more than 32 deep"));
    assert!(Filter::parse(&format!("{}ok", "!".repeat(33))).is_err());

    let many = |count: usize| vec!["ok"; count].join(" ");
    assert!(Filter::parse(&many(200)).is_ok());
    assert!(Filter::parse(&many(201)).is_err());
}

#[test]
fn an_error_lists_what_is_accepted() {
    let err = Filter::parse("responsetime > fast").unwrap_err();
    assert_eq!((err.offset, err.len, err.found.as_str()), (15, 4, "fast"));
    assert_eq!(err.expected, ["a number"]);
    // Positions are in characters.
    let err = Filter::parse(r#"user = "äöü" AND nope"#).unwrap_err();
    assert_eq!((err.offset, err.len), (17, 4));
}
