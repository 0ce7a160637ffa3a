//! The rules of the house, checked on the source text: rooms import downwards, no file is in a circle, each file says
//! what it holds and ends in time, summaries stand alone, and words are those of the field.
//!
//! A *room* is a folder right below `src`. Tests may import everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The rooms from the top down: each may import from those behind it.
const ROOMS: [&str; 12] = [
    "main", "lib", "run", "report", "relay", "receive", "upload", "aws", "spool", "hold", "counters",
    "config",
];

/// Words that comments and messages do without.
const BANNED: [&str; 12] = [
    "mend",
    "mends",
    "mended",
    "goes before",
    "go before",
    "passed over",
    "tell",
    "tells",
    "told",
    "whoever",
    "somebody",
    "nobody",
];

/// Words that a summary does not begin with: its subject is elsewhere.
const NO_SUBJECT: [&str; 13] =
    ["What", "Whether", "How", "Why", "Where", "When", "Who", "Which", "That", "It", "They", "As", "Of"];

const MAX_LINES: usize = 400;
const MAX_ENTRIES: usize = 14;
const MAX_SUMMARY: usize = 100;

/// Source texts by their path below `src`, as `room::file`.
type Files = BTreeMap<String, String>;

fn files() -> Files {
    let mut files = Files::new();
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), "", &mut files);
    files
}

fn read(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{prefix}{name}::"), files);
        } else if let Some(name) = name.strip_suffix(".rs") {
            files.insert(format!("{prefix}{name}"), fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// Files that only tests are built with.
fn is_test(file: &str) -> bool {
    file.split("::").any(|part| part == "simulation" || part == "tests")
}

fn room(file: &str) -> &str {
    file.split("::").next().unwrap()
}

fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests {").map_or(text, |end| &text[..end])
}

/// The files that a file imports from, by its `crate::` and `super::` paths.
fn imports(file: &str, files: &Files) -> BTreeSet<String> {
    let code: Vec<&str> =
        without_tests(&files[file]).lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let own: Vec<&str> = file.split("::").collect();
    let module = &own[..own.len() - usize::from(own.last() == Some(&"mod"))];
    let mut found = BTreeSet::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            if code[..at].ends_with([':', '_']) || code[..at].ends_with(char::is_alphanumeric) {
                continue;
            }
            let rest = &code[at + start.len()..];
            let path = rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').next().unwrap();
            // A second `super` leads one storey further up.
            let mut path: Vec<&str> = path.split("::").filter(|part| !part.is_empty()).collect();
            let mut base =
                if start == "super::" { module[..module.len().saturating_sub(1)].to_vec() } else { vec![] };
            while path.first() == Some(&"super") {
                base.pop();
                path.remove(0);
            }
            base.extend(path);
            found.extend(target(&base, files).filter(|target| target != file));
        }
    }
    found
}

/// The file that a path leads into: the longest beginning of it that is one.
fn target(path: &[&str], files: &Files) -> Option<String> {
    (1..=path.len()).rev().find_map(|end| {
        let file = path[..end].join("::");
        [format!("{file}::mod"), file].into_iter().find(|file| files.contains_key(file))
    })
}

fn check_rooms(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files.keys().filter(|file| !is_test(file)) {
        let from = room(file);
        let Some(place) = ROOMS.iter().position(|room| *room == from) else {
            wrong.push(format!("{file}: no such room in the list"));
            continue;
        };
        let upwards = imports(file, files)
            .into_iter()
            .filter(|to| ROOMS.iter().position(|room| *room == self::room(to)).is_some_and(|to| to < place));
        wrong.extend(upwards.map(|to| format!("{file} imports upwards, from {to}")));
    }
    wrong
}

/// Files that lead back to themselves. A `mod.rs` lists its room, which is no arrow.
fn check_circles(files: &Files) -> Vec<String> {
    let graph: BTreeMap<&String, BTreeSet<String>> =
        files.keys().filter(|file| !is_test(file)).map(|file| (file, imports(file, files))).collect();
    let leads_back = |start: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(file) = next.pop() {
            next.extend(graph.get(file).into_iter().flatten().filter(|to| seen.insert(*to)));
        }
        seen.contains(start)
    };
    graph.keys().filter(|file| leads_back(file)).map(|file| format!("{file} is in a circle")).collect()
}

fn check_files(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, text) in files {
        let opening = text.lines().take_while(|line| line.starts_with("//!")).count();
        if opening < 3 {
            wrong.push(format!("{file}: {opening} lines of `//!` at its head, at least 3"));
        }
        let lines = without_tests(text).lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{file}: {lines} lines without tests, at most {MAX_LINES}"));
        }
    }
    let mut folders: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for file in files.keys().filter(|file| !is_test(file)) {
        let path: Vec<&str> = file.split("::").collect();
        for depth in 0..path.len() {
            let entries = folders.entry(path[..depth].join("::")).or_default();
            entries.extend(Some(path[depth]).filter(|entry| *entry != "mod"));
        }
    }
    let full = folders.iter().filter(|(_, entries)| entries.len() > MAX_ENTRIES);
    wrong.extend(
        full.map(|(folder, entries)| format!("{folder}: {} entries, at most {MAX_ENTRIES}", entries.len())),
    );
    wrong
}

/// First lines of doc comments: how they begin, and how long they are.
fn check_summaries(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, text) in files {
        let mut before = "";
        for (number, line) in without_tests(text).lines().enumerate() {
            let (line, last) = (line.trim(), std::mem::replace(&mut before, line.trim()));
            let marker = ["/// ", "//! "].into_iter().find(|marker| line.starts_with(marker));
            let Some(marker) = marker.filter(|marker| !last.starts_with(marker.trim())) else { continue };
            let summary = &line[marker.len()..];
            let first = summary.split([' ', ',']).next().unwrap();
            if NO_SUBJECT.contains(&first) || summary.starts_with("The same") {
                wrong.push(format!("{file}, line {}: a summary begins with {first:?}", number + 1));
            }
            if summary.chars().count() > MAX_SUMMARY {
                wrong.push(format!("{file}, line {}: a summary of {} characters", number + 1, summary.len()));
            }
        }
    }
    wrong
}

fn check_words(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| !is_test(file)) {
        for (number, line) in without_tests(text).lines().enumerate() {
            let prose = match line.find("//") {
                Some(comment) if !line[..comment].ends_with(':') => line[comment..].to_owned(),
                _ => line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" "),
            };
            let letter = |c: char| if c.is_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { ' ' };
            let prose = format!(" {} ", prose.chars().map(letter).collect::<String>());
            for word in BANNED.iter().filter(|word| prose.contains(&format!(" {word} "))) {
                wrong.push(format!("{file}, line {}: {word:?}", number + 1));
            }
        }
    }
    wrong
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_import_downwards_only() {
    assert_none(&check_rooms(&files()));
}

#[test]
fn no_file_is_in_a_circle() {
    assert_none(&check_circles(&files()));
}

#[test]
fn each_file_says_what_it_holds_and_no_file_and_no_folder_is_full() {
    assert_none(&check_files(&files()));
}

#[test]
fn summaries_stand_alone() {
    assert_none(&check_summaries(&files()));
}

#[test]
fn comments_and_messages_use_the_words_of_the_field() {
    assert_none(&check_words(&files()));
}

#[test]
fn what_is_planted_is_found() {
    let plant = |file: &str, text: &str| {
        let mut files = files();
        let old = files.get(file).cloned().unwrap_or_default();
        files.insert(file.to_owned(), format!("{text}\n{old}"));
        files
    };
    let finds = |wrong: Vec<String>, what: &str| {
        assert!(wrong.iter().any(|wrong| wrong.contains(what)), "{what:?} is not in {wrong:?}");
    };
    finds(
        check_rooms(&plant("upload::engine", "use crate::report::metrics::Metrics;")),
        "upload::engine imports upwards, from report::metrics",
    );
    finds(
        check_rooms(&plant("counters::counts", "use super::super::upload::Note;")),
        "counters::counts imports upwards, from upload::mod",
    );
    finds(check_rooms(&plant("new::file", "")), "new::file: no such room");
    finds(check_circles(&plant("upload::engine", "use super::answers::x;")), "upload::engine is in a circle");
    finds(
        check_circles(&plant("upload::engine", "use super::answers::x;")),
        "upload::answers is in a circle",
    );
    finds(check_files(&plant("hold::new", "//! One line.")), "hold::new: 1 lines of `//!`");
    finds(check_files(&plant("hold::new", &"\n".repeat(MAX_LINES + 1))), "lines without tests");
    finds(check_summaries(&plant("hold::new", "/// Whether it rains.")), "begins with \"Whether\"");
    finds(check_summaries(&plant("hold::new", &format!("/// {}", "x".repeat(200)))), "200 characters");
    finds(check_words(&plant("hold::new", "// Whoever reads this.")), "hold::new, line 1: \"whoever\"");
    let mut files = files();
    files.extend((0..=MAX_ENTRIES).map(|number| (format!("hold::file_{number}"), String::new())));
    finds(check_files(&files), "hold: 1");
}
