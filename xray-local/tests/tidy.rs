//! The rules of the house, checked on the source text: which room may import from which, no circles, how files begin
//! and end, how full a folder is, words and summaries.

use tidy::House;

/// Each room and those that it may import from, from the top down.
const ROOMS: &[(&str, &[&str])] = &[
    ("lib", &[]),
    ("main", &["cli"]),
    ("cli", &["serve", "console", "api", "control", "access", "query", "store", "ingest", "model", "demo"]),
    ("serve", &["console", "access", "store", "model"]),
    ("console", &["control", "access", "query", "store", "ingest", "model", "demo"]),
    ("api", &["control", "access", "query", "store", "model"]),
    ("control", &["access", "query", "store", "model"]),
    ("access", &["store", "model"]),
    ("query", &["store", "ingest", "model"]),
    ("store", &["ingest", "model"]),
    ("ingest", &["model"]),
    ("demo", &["model"]),
    ("model", &[]),
];

/// Words that a room does without, in code: `api` and `console` never read the tables of traces, `query` knows nothing
/// of HTTP, `ingest` and `model` know nothing of storage.
const ABSENT: &[(&str, &[&str])] = &[
    ("api", &["FROM traces", "FROM segments", "FROM calls", "INSERT INTO"]),
    ("console", &["FROM traces", "FROM segments", "FROM calls", "INSERT INTO"]),
    ("query", &["axum", "http::", "hyper", "INSERT INTO"]),
    ("ingest", &["rusqlite", "axum", "http::"]),
    ("model", &["rusqlite", "axum", "http::"]),
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
fn words_are_plain_and_summaries_stand_alone() {
    house().unclear().assert_none();
}

#[test]
fn what_is_planted_is_found() {
    let upward = house().plant("model::key", "use crate::store::{Options, Store};");
    upward.upward_imports().assert_contains("model may not import from store");
    let upward = house().plant("query::groups", "fn planted() -> crate::api::ApiError { todo!() }");
    upward.upward_imports().assert_contains("query may not import from api");
    // By way of the re-exports of two rooms' tables of contents.
    let circle = house().plant("access::policy::statement", "use super::{\n    Policy,\n    Context,\n};");
    circle.circles().assert_contains("access::policy::statement is in a circle");
    house().plant("ingest::tree", "use rusqlite::Connection;").misshapen().assert_contains("uses rusqlite");
}
