//! The rules of the house, checked on the source text: which room may import from which, no circles, how files begin
//! and end, how full a folder is, words and summaries.

use tidy::House;

/// Each room, a folder or a file below `src`, and those that it may import from.
const ROOMS: &[(&str, &[&str])] = &[
    ("lib", &["daemon", "document", "header", "id", "json", "segment"]),
    ("text", &[]),
    ("id", &["text"]),
    ("json", &["id"]),
    ("header", &["id", "text"]),
    ("document", &["id", "json"]),
    ("daemon", &["document", "json", "text"]),
    ("segment", &["daemon", "document", "header", "id", "json"]),
    ("http_client", &[]),
    ("sampling", &["daemon", "http_client", "id"]),
    ("origin", &["document", "http_client"]),
    ("sqs", &["header", "segment"]),
    ("receive", &[]),
    ("local", &["document", "receive"]),
    ("testing", &["daemon", "local"]),
];

fn house() -> House {
    // `document` is one grammar; its contents in `lib.rs` list what stands on what.
    House::read(env!("CARGO_MANIFEST_DIR")).rooms(ROOMS).max_entries(30)
}

#[test]
fn rooms_import_downwards_only() {
    house().upward_imports().assert_none();
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    house().circles().assert_none();
}

#[test]
fn files_say_what_they_are_and_no_file_and_no_folder_is_full() {
    house().misshapen().assert_none();
}

#[test]
fn words_are_plain_and_summaries_stand_alone() {
    house().unclear().assert_none();
}

#[test]
fn what_is_planted_is_found() {
    let upward = house().plant("json::buffer", "use crate::document::MAX_NAME;");
    upward.upward_imports().assert_contains("json may not import from document");
    let circle = house().plant("document::section", "use crate::document::internal::{Kind, Frame};");
    circle.circles().assert_contains("document::frame is in a circle");
    house()
        .plant("sampling::new", "use super::x;")
        .misshapen()
        .assert_contains("sampling::new: begins without");
    house().plant("sampling::new", "// tell").unclear().assert_contains("sampling::new, line 1: \"tell\"");
}
