//! The rules of the house, checked on the source text: which room may import from which, no circles, how files begin
//! and end, how full a folder is, words and summaries.

use tidy::House;

/// Each room and those that it may import from, from the top down.
const ROOMS: &[(&str, &[&str])] = &[
    ("lib", &["builder", "integrations", "handle", "span_ext", "layer", "state", "settings"]),
    ("builder", &["handle", "layer", "lifecycle", "state", "fields", "settings"]),
    ("integrations", &["handle", "span_ext", "layer", "fields"]),
    ("handle", &["lifecycle", "state"]),
    ("span_ext", &["layer", "fields"]),
    ("layer", &["lifecycle", "state", "fields"]),
    ("lifecycle", &["state", "fields", "settings"]),
    ("state", &["fields", "settings"]),
    ("fields", &["settings"]),
    ("settings", &[]),
    ("guide", &[]), // chapters, no code
];

/// Words that a room does without, in code.
const ABSENT: &[(&str, &[&str])] = &[
    ("lifecycle", &["info_span!", "debug!", "error!", "std::env"]),
    ("state", &["info_span!", "debug!", "error!", "std::env", "dyn Visit", "UdpSocket"]),
    ("fields", &["Mutex", "RwLock", "std::env", "info_span!", "error!"]),
    ("settings", &["Mutex", "RwLock", "std::env", "info_span!", "error!"]),
];

fn house() -> House {
    House::read(env!("CARGO_MANIFEST_DIR")).rooms(ROOMS).absent(ABSENT)
}

#[test]
fn rooms_import_downwards_only() {
    house().upward_imports().assert_none();
}

#[test]
fn no_file_is_in_a_circle() {
    house().circles().assert_none();
}

#[test]
fn each_file_says_what_it_is_and_ends_in_time_and_no_folder_is_full() {
    house().misshapen().assert_none();
}

#[test]
fn comments_and_messages_use_the_words_of_the_field() {
    house().unclear().assert_none();
}

#[test]
fn what_is_planted_is_found() {
    let upward = house().plant("settings::config", "use crate::state::table::Table;");
    upward.upward_imports().assert_contains("settings may not import from state");
    let circle = house()
        .plant("state::clock::clock", "use crate::state::record::{Role, SpanRecord};")
        .plant("state::record", "use crate::{state::clock::Clock};");
    circle.circles().assert_contains("state::record is in a circle");
    let words = house().plant("fields::url", "/// Whoever reads this.\nuse std::sync::Mutex;");
    words.unclear().assert_contains("fields::url, line 1: \"whoever\"");
    words.misshapen().assert_contains("fields::url: uses Mutex");
}
