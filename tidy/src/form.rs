//! The form of files and folders: how they begin, how long they are, and which words a room's code does without.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::{code, without_tests};
use crate::house::{House, room};

/// Lines of a file, without the unit tests at its end.
const MAX_LINES: usize = 400;

pub(crate) fn files(house: &House) -> impl Iterator<Item = String> {
    let mut wrong = Vec::new();
    for (file, text) in house.files.iter().chain(&house.outside) {
        if !text.starts_with("//!") {
            wrong.push(format!("{file}: begins without a module doc"));
        }
        let lines = without_tests(text).lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{file}: {lines} lines without unit tests, at most {MAX_LINES}"));
        }
    }
    for (file, text) in house.files.iter().filter(|(file, _)| !house.is_test(file)) {
        let code = code(text).join("\n");
        let absent =
            house.absent.iter().filter(|(name, _)| *name == room(file)).flat_map(|(_, words)| *words);
        wrong.extend(absent.filter(|word| code.contains(**word)).map(|word| format!("{file}: uses {word}")));
    }
    wrong.into_iter()
}

pub(crate) fn folders(house: &House) -> impl Iterator<Item = String> {
    let mut folders: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for file in house.files.keys().filter(|file| !house.is_test(file)) {
        let path: Vec<_> = file.split("::").collect();
        for depth in 0..path.len() {
            let entries = folders.entry(path[..depth].join("::")).or_default();
            entries.extend(Some(path[depth]).filter(|entry| !matches!(*entry, "mod" | "lib" | "main")));
        }
    }
    let full = folders.into_iter().filter(|(_, entries)| entries.len() > house.max_entries);
    full.map(|(folder, entries)| {
        format!("{folder}: {} entries, at most {}", entries.len(), house.max_entries)
    })
}
