//! Suggestions at the cursor, marked `|`.

use crate::query::filter::{Completion, Occurring, Subject, Value, complete};

fn at(marked: &str) -> Completion {
    let cursor = marked.chars().position(|c| c == '|').unwrap();
    complete(&marked.replace('|', ""), cursor)
}

fn inserts(marked: &str) -> Vec<String> {
    at(marked).suggestions.into_iter().map(|suggestion| suggestion.insert).collect()
}

#[test]
fn keywords_of_the_scope_are_suggested() {
    assert_eq!(inserts("fa|"), ["fault"]);
    assert_eq!(inserts("http.u|"), ["http.url", "http.useragent"]);
    assert_eq!(inserts("service(\"a\") { ro|"), ["root"]);
    assert_eq!(
        inserts("ok AND (rootcause.res|"),
        ["rootcause.responsetime.service { ", "rootcause.responsetime.entity { "]
    );
    assert_eq!(inserts("rootcause.responsetime.entity { cov|"), ["coverage"]);
    assert_eq!(inserts("rootcause.fault.entity { cov|"), Vec::<String>::new());
    let everything = inserts("|");
    for keyword in ["ok", "service(", "annotation.", "rootcause.json = #[", "!", "("] {
        assert!(everything.iter().any(|insert| insert == keyword), "{keyword}");
    }
    assert!(!everything.iter().any(|insert| insert == "coverage"));
}

#[test]
fn operators_and_words_follow_a_keyword() {
    let after = inserts("http.status |");
    assert_eq!(after[..6], ["=", "!=", "<", "<=", ">", ">="]);
    assert!(after.contains(&"AND".to_owned()));
    assert_eq!(inserts("http.url be|"), ["BEGINSWITH"]);
    assert_eq!(inserts("ok a|"), ["AND", "availabilityzone", "annotation."]);
    assert_eq!(inserts("error = |"), ["true", "false"]);
    assert_eq!(inserts("service(|"), ["id(", ")"]);
    assert_eq!(inserts("service(id(|"), ["name: ", "type: ", "account.id: "]);
    assert!(inserts("service(\"a\") |").contains(&"{".to_owned()));
}

#[test]
fn values_of_the_store_are_asked_for() {
    let occurring = |marked: &str| at(marked).occurring;
    assert_eq!(occurring("service(\"fr|"), Some(Occurring::NodeNames));
    assert_eq!(occurring("edge(\"a\", |"), Some(Occurring::NodeNames));
    assert_eq!(occurring("service(id(type: \"|"), Some(Occurring::NodeTypes));
    assert_eq!(occurring("annotation.ga|"), Some(Occurring::AnnotationKeys));
    assert_eq!(occurring("annotation[aws:|"), Some(Occurring::AnnotationKeys));
    assert_eq!(
        occurring("annotation.game = \"8|"),
        Some(Occurring::Values(Subject::Annotation("game".to_owned())))
    );
    assert_eq!(occurring("ok |"), None);
    assert_eq!(occurring("nonsense !! = |"), None);
}

#[test]
fn a_value_is_written_as_the_cursor_needs_it() {
    let insert = |marked: &str, value: &str| {
        at(marked).value(&Value::String(value.to_owned()), "").map(|suggestion| suggestion.insert)
    };
    assert_eq!(insert("service(\"fr|", "front \"end\"").as_deref(), Some("front \\\"end\\\"\""));
    assert_eq!(insert("service(|", "front").as_deref(), Some("\"front\""));
    assert_eq!(insert("service(\"fr|", "api"), None);
    assert_eq!(insert("annotation.ga|", "game").as_deref(), Some("annotation.game"));
    assert_eq!(insert("annotation.aw|", "aws:api").as_deref(), Some("annotation[aws:api]"));
    assert_eq!(insert("annotation[aws|", "aws:api").as_deref(), Some("aws:api]"));
    let completion = at("x = \"äö\" |");
    assert_eq!((completion.start, completion.end), (9, 9));
}
