//! The rules of the house, checked on the source text: which room may import from which, no circles, how files begin
//! and end, how full a folder is, words and summaries.

use tidy::House;

/// Each room and those that it may import from, from the top down.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &[]),
    ("lib", &[]),
    ("run", &["report", "relay", "receive", "upload", "aws", "spool", "hold", "counters", "config"]),
    ("report", &["relay", "receive", "upload", "aws", "spool", "hold", "counters", "config"]),
    ("relay", &["receive", "upload", "aws", "spool", "hold", "counters", "config"]),
    ("receive", &["upload", "aws", "spool", "hold", "counters", "config"]),
    ("upload", &["aws", "spool", "hold", "counters", "config"]),
    ("aws", &["spool", "hold", "counters", "config"]),
    ("spool", &["hold", "counters", "config"]),
    ("hold", &["counters", "config"]),
    ("counters", &["config"]),
    ("config", &[]),
];

fn house() -> House {
    let house = House::read(env!("CARGO_MANIFEST_DIR")).rooms(ROOMS);
    house.test_modules(&["simulation", "tests"]).max_summary(100)
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
fn each_file_says_what_it_holds_and_no_file_and_no_folder_is_full() {
    house().misshapen().assert_none();
}

#[test]
fn words_are_plain_and_summaries_stand_alone() {
    house().unclear().assert_none();
}

#[test]
fn what_is_planted_is_found() {
    let upward = house().plant("upload::engine", "use crate::report::metrics::Metrics;");
    upward.upward_imports().assert_contains("upload may not import from report");
    let upward = house().plant("counters::counts", "use super::super::upload::Note;");
    upward.upward_imports().assert_contains("counters may not import from upload");
    let circle = house().plant("upload::engine", "use super::answers::x;");
    circle.circles().assert_contains("upload::engine is in a circle");
    circle.circles().assert_contains("upload::answers is in a circle");
    house().plant("hold::new", "").misshapen().assert_contains("hold::new: begins without a module doc");
}
