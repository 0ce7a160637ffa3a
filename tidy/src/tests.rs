//! A small house, and what is planted in it.

use crate::House;
use crate::house::Files;

const ROOMS: &[(&str, &[&str])] =
    &[("lib", &["verbs", "nouns"]), ("verbs", &["nouns"]), ("nouns", &["ground"]), ("ground", &[])];

fn house() -> House {
    let files = [
        ("lib", "//! A crate.\npub mod verbs;\n\nmod nouns;\n\nmod ground;\n\npub use nouns::Noun;"),
        (
            "verbs::mod",
            "//! Verbs.\n\nmod walk;\n\nmod run;\n\npub use run::run;\npub(crate) use walk::{Pace, walk};",
        ),
        (
            "verbs::walk",
            "//! A verb.\n\nuse crate::nouns::Noun;\n\n/// A number.\npub(crate) struct Pace(Noun);",
        ),
        ("verbs::run", "//! A verb.\n\nuse super::Pace;\n\n/// Runs.\npub fn run(pace: Pace) {}"),
        ("nouns", "//! A noun.\n\n/// A thing.\npub struct Noun(crate::ground::Ground);"),
        ("ground", "//! The ground.\n\n/// A floor.\npub(crate) struct Ground;"),
        ("tests::walks", "//! Tests.\nuse crate::verbs::walk;"),
    ];
    House {
        files: files.map(|(file, text)| (file.to_owned(), text.to_owned())).into(),
        outside: Files::new(),
        rooms: ROOMS,
        absent: &[("nouns", &["Mutex"])],
        test_modules: &["tests"],
        max_summary: 100,
        max_entries: 14,
    }
}

#[track_caller]
fn finds(house: House, line: &str) {
    for findings in [house.upward_imports(), house.circles(), house.misshapen(), house.unclear()] {
        if findings.contains(line) {
            return;
        }
    }
    panic!("{line:?} was not found in {house:#?}");
}

#[test]
fn nothing_is_wrong_with_a_house_in_order() {
    house().upward_imports().assert_none();
    house().circles().assert_none();
    house().misshapen().assert_none();
    house().unclear().assert_none();
}

#[test]
fn this_crate_keeps_its_own_rules() {
    let rooms = &[
        ("lib", &["findings", "house", "pages"] as &[_]),
        ("checks", &["form", "imports", "prose", "house", "findings"]),
        ("pages", &["prose", "findings"]),
        ("form", &["house", "code"]),
        ("imports", &["house", "code"]),
        ("prose", &["house", "code"]),
        ("house", &[]),
        ("code", &[]),
        ("findings", &[]),
    ];
    let house = House::read(env!("CARGO_MANIFEST_DIR")).rooms(rooms);
    house.upward_imports().assert_none();
    house.circles().assert_none();
    house.misshapen().assert_none();
}

#[test]
fn imports_that_run_upwards_are_found_in_every_spelling() {
    for import in [
        "use crate::verbs::run::run;",
        "use crate::verbs::run;",
        "use crate::{\n    ground::Ground,\n    verbs::{Pace as Speed, walk},\n};",
        "use super::verbs::run;",
        "fn f() -> crate::verbs::Pace {}",
        "pub(crate) use crate::verbs::walk;",
    ] {
        finds(house().plant("nouns", import), "nouns may not import from verbs");
    }
    finds(house().plant("ground", "use crate::Noun;"), "ground imports from nouns");
    finds(
        house().plant("ground", "use crate::MAX;"),
        "ground imports from lib: ground may not import from lib",
    );
    finds(house().plant("cellar::mod", "//! New."), "cellar::mod: the list of rooms has no cellar");
}

#[test]
fn imports_of_tests_and_visibilities_are_none() {
    for no_import in [
        "#[cfg(test)]\nuse crate::verbs::run;",
        "#[cfg(test)]\npub(crate) fn f() {\n    crate::verbs::run();\n}",
        "#[cfg(test)]\nmod tests {\n    use crate::verbs::run;\n}",
        "pub(in crate::verbs) fn f() {}",
        "// use crate::verbs::run;",
        "use my_crate::verbs::run;",
    ] {
        house().plant("nouns", no_import).upward_imports().assert_none();
    }
}

#[test]
fn circles_are_found_by_way_of_re_exports_and_inline_modules() {
    let circle = house().plant("verbs::walk", "use super::run;");
    finds(circle.clone(), "verbs::walk is in a circle");
    finds(circle, "verbs::run is in a circle");
    let by_face = house()
        .plant(
            "lib",
            "pub mod face {\n    pub mod inner {\n        pub use crate::verbs::run::{self, Run};\n    }\n}",
        )
        .plant("verbs::walk", "use crate::face::inner::run;");
    finds(by_face, "verbs::run is in a circle");
    finds(
        house().plant("nouns", "use crate::ground::x;").plant("ground", "use crate::nouns::x;"),
        "ground is in a circle",
    );
}

#[test]
fn files_and_folders_have_a_form() {
    finds(house().plant("nouns", "use std::fmt;"), "nouns: begins without a module doc");
    finds(house().plant("nouns", &"\n".repeat(400)), "lines without unit tests, at most 400");
    house().plant("nouns", &format!("//! A noun.{}", "\n".repeat(390))).misshapen().assert_none();
    let tests = "#[cfg(test)]\n#[path = \"nouns/tests.rs\"]\nmod tests;";
    let mut with_tests = house();
    with_tests.files.insert("nouns".into(), format!("//! A noun.{}{tests}", "\n".repeat(400)));
    with_tests.misshapen().assert_none();
    finds(house().plant("nouns", "use std::sync::Mutex;"), "nouns: uses Mutex");
    let full =
        (0..15).fold(house(), |house, number| house.plant(&format!("verbs::verb_{number}"), "//! A verb."));
    finds(full, "verbs: 17 entries, at most 14");
}

#[test]
fn words_and_summaries_stand_alone() {
    finds(house().plant("nouns", "// Whoever reads this."), "nouns, line 1: \"whoever\"");
    finds(house().plant("nouns", "const X: &str = \"nobody is here\";"), "nouns, line 1: \"nobody\"");
    finds(house().plant("nouns", "/// Whether it rains."), "a summary begins with \"Whether\"");
    finds(house().plant("nouns", "/// The same, twice."), "a summary begins with \"The\"");
    finds(house().plant("nouns", &format!("/// {}", "x".repeat(101))), "a summary of 101 characters");
    house().plant("nouns", "/// A word.\n/// Whether it rains is said below.").unclear().assert_none();
    house().plant("tests::more", "// Whoever reads this.").unclear().assert_none();
}
