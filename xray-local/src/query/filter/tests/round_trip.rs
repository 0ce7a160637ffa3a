//! Printed trees parse to equal trees, and no text makes the parser panic.

use proptest::prelude::*;

use super::generate::{Random, Vocabulary};
use crate::query::filter::keyword::Scope;
use crate::query::filter::{Filter, Selector, complete};

fn non_empty() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("names and keys have a character", |string| !string.trim().is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_tree_parses_to_an_equal_tree(
        seed in any::<u64>(),
        names in prop::collection::vec(non_empty(), 3),
        strings in prop::collection::vec(any::<String>(), 3),
        numbers in prop::collection::vec(-1e9_f64..1e9, 3),
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let strings: Vec<&str> = strings.iter().map(String::as_str).collect();
        let vocabulary = Vocabulary {
            names: &names,
            types: &names,
            accounts: &names,
            keys: &names,
            strings: &strings,
            numbers: &numbers,
        };
        let expr = vocabulary.expression(&mut Random(seed), Scope::Trace, 4);
        let printed = expr.to_string();
        prop_assume!(printed.chars().count() <= 2_000);
        let parsed = Filter::parse(&printed);
        prop_assert_eq!(parsed.as_ref().map(Filter::expr), Ok(Some(&expr)), "{}", printed);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>(), cursor in 0_usize..100) {
        let _ = (Filter::parse(&text), Selector::parse(&text), complete(&text, cursor));
    }

    #[test]
    fn a_damaged_expression_is_parsed_or_refused(
        at in 0_usize..200,
        replacement in "[-a-z0-9\"\\\\{}()\\[\\]!=<>.#:, ]{0,3}",
        which in 0_usize..4,
    ) {
        let whole = [
            r#"service(id(name: "a", type: "T")) { fault OR responsetime > 2.5 } AND annotation[a.b] = "12345""#,
            r#"rootcause.json = #[{"Services":[{"Name":"A","EntityPath":[{"Name":"f"}]}]}] OR !user CONTAINS "x\"y""#,
            r#"edge("a", "b") { error } ok !partial duration <3 rootcause.fault.entity { last and name = "d" }"#,
            r#"annotation.a = -1.5e3 AND (http.status != 200 OR group.name = "g") AND service() { !root }"#,
        ][which];
        let mut chars: Vec<char> = whole.chars().collect();
        let at = at % chars.len();
        let end = (at + 1).min(chars.len());
        chars.splice(at..end, replacement.chars());
        let text: String = chars.into_iter().collect();
        let completion = complete(&text, at);
        prop_assert!(completion.start <= completion.end);
        match Filter::parse(&text) {
            Ok(filter) => {
                let again = Filter::parse(&filter.to_string());
                prop_assert_eq!(again.as_ref().map(Filter::expr), Ok(filter.expr()));
            }
            Err(err) => prop_assert!(err.offset <= text.chars().count(), "{} {}", text, err),
        }
    }
}
