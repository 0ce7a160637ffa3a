//! The table of keywords is in order, and the reference page is the table.

use crate::query::filter::keyword::{Keyword, Kind};
use crate::query::filter::{Filter, reference};

#[test]
fn each_handle_finds_its_own_row() {
    for keyword in Keyword::all() {
        assert_eq!(keyword.field.keyword().name, keyword.name);
        assert!(!keyword.places.is_empty() && !keyword.hint.is_empty() && !keyword.doc.is_empty());
    }
}

#[test]
fn each_example_of_the_table_is_understood() {
    for keyword in
        Keyword::all().filter(|keyword| keyword.kind != Kind::Annotation || keyword.form.contains(".age"))
    {
        Filter::parse(keyword.form).unwrap_or_else(|err| panic!("{}: {err}", keyword.form));
    }
}

#[test]
fn the_reference_page_is_made_from_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/filter-expressions.md");
    #[expect(clippy::disallowed_methods, reason = "a switch of the test")]
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(path, reference::page()).unwrap();
    }
    let file = std::fs::read_to_string(path).unwrap();
    assert!(file == reference::page(), "run the test with UPDATE_DOCS=1 to write {path}");
}
