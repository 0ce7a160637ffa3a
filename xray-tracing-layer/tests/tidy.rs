//! The rules of the house, checked on the source text: which room may import from which, no circles, what each file
//! says of itself, how long it is, how full a folder is, and which words are not used.
//!
//! A *room* is a folder or a file right below `src`. Tests, in `src/tests` and behind `#[cfg(test)]`, may import
//! everything.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

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

/// Words that comments and messages do without: the glossary in ARCHITECTURE.md has better ones.
const BANNED: &[&str] = &[
    "mend",
    "mends",
    "mended",
    "goes before",
    "go before",
    "passed over",
    "pass over",
    "tell",
    "tells",
    "told",
    "teller",
    "whoever",
    "somebody",
    "nobody",
    "so many",
    "facade",
    "cascade",
    "silence",
];

const MAX_LINES: usize = 400;
const MAX_ENTRIES: usize = 14;

/// A source file: its path below `src`, as `room::file`, and its text.
type Files = BTreeMap<String, String>;

fn files() -> Files {
    let mut files = Files::new();
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), "", &mut files);
    files
}

fn read(folder: &Path, prefix: &str, files: &mut Files) {
    let entries: Vec<_> = fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{prefix}{name}::"), files);
        } else if let Some(name) = name.strip_suffix(".rs") {
            files.insert(format!("{prefix}{name}"), fs::read_to_string(entry.path()).unwrap());
        }
    }
}

fn is_test(file: &str) -> bool {
    file.starts_with("tests::")
}

fn room(file: &str) -> &str {
    file.split("::").next().unwrap()
}

/// The text before the file's unit tests.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests {").map_or(text, |end| &text[..end])
}

/// The code of a text, without comments, `use crate::{a, b}` written out, and without what only tests use.
fn code(text: &str) -> String {
    let lines = without_tests(text).lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<_> = lines.collect();
    code.join("\n").replace("#[cfg(test)]\nuse crate::", "").replace("#[cfg(test)]\npub(crate) use ", "")
}

/// The files that a file imports from, by `crate::` and `super::` paths.
fn imports(file: &str, files: &Files) -> BTreeSet<String> {
    let code = code(&files[file]);
    let own: Vec<_> = file.split("::").collect();
    let module = &own[..own.len() - usize::from(matches!(*own.last().unwrap(), "mod" | "lib"))];
    let mut found = BTreeSet::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            if code[..at].ends_with([':', '_']) || code[..at].ends_with(char::is_alphanumeric) {
                continue;
            }
            let base = if start == "super::" { &module[..module.len().saturating_sub(1)] } else { &[] };
            let path =
                code[at + start.len()..].split(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).next();
            let segments = base.iter().copied().chain(path.unwrap().split("::").filter(|s| !s.is_empty()));
            found.extend(target(&segments.collect::<Vec<_>>(), files).filter(|target| target != file));
        }
    }
    found
}

/// The file that a path leads into: the longest beginning of it that is one. The crate itself is `lib`.
fn target(path: &[&str], files: &Files) -> Option<String> {
    let known = |end: usize| {
        let file = path[..end].join("::");
        [format!("{file}::mod"), file].into_iter().find(|file| files.contains_key(file))
    };
    (1..=path.len()).rev().find_map(known).or_else(|| Some("lib".to_owned()))
}

fn check_arrows(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files.keys().filter(|file| !is_test(file)) {
        let from = room(file);
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == from) else {
            wrong.push(format!("{file}: no such room in the list"));
            continue;
        };
        for to in imports(file, files) {
            if room(&to) != from && !allowed.contains(&room(&to)) {
                wrong.push(format!("{file} imports from {to}: {from} may not import from {}", room(&to)));
            }
        }
    }
    wrong
}

/// Files that lead back to themselves. A `mod.rs` only lists its room, which is no arrow.
fn check_circles(files: &Files) -> Vec<String> {
    let graph: BTreeMap<_, _> =
        files.keys().filter(|file| !is_test(file)).map(|file| (file, imports(file, files))).collect();
    let reaches = |start: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(file) = next.pop() {
            next.extend(graph.get(file).into_iter().flatten().filter(|to| seen.insert(*to)));
        }
        seen.contains(start)
    };
    graph.keys().filter(|file| reaches(file)).map(|file| format!("{file} is in a circle")).collect()
}

fn check_files(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, text) in files.iter() {
        if !text.starts_with("//!") {
            wrong.push(format!("{file}: begins without a module doc"));
        }
        let lines = without_tests(text).lines().count();
        if lines > MAX_LINES && !is_test(file) {
            wrong.push(format!("{file}: {lines} lines without tests, at most {MAX_LINES}"));
        }
        let absent =
            ABSENT.iter().filter(|(room, _)| *room == self::room(file)).flat_map(|(_, words)| *words);
        let code = code(text);
        wrong.extend(absent.filter(|word| code.contains(**word)).map(|word| format!("{file}: uses {word}")));
    }
    wrong
}

fn check_folders(files: &Files) -> Vec<String> {
    let mut folders: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for file in files.keys() {
        let path: Vec<_> = file.split("::").collect();
        for depth in 0..path.len() {
            folders.entry(path[..depth].join("::")).or_default().insert(path[depth]);
        }
    }
    let count = |entries: &BTreeSet<&str>| entries.iter().filter(|e| !matches!(**e, "mod" | "tests")).count();
    let full = folders
        .iter()
        .filter(|(folder, entries)| !is_test(&format!("{folder}::")) && count(entries) > MAX_ENTRIES);
    full.map(|(folder, entries)| format!("{folder}: {} entries, at most {MAX_ENTRIES}", count(entries)))
        .collect()
}

fn check_words(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| !is_test(file)) {
        for (number, line) in without_tests(text).lines().enumerate() {
            let prose = match line.find("//") {
                Some(comment) if !line[..comment].ends_with(':') => line[comment..].to_owned(),
                _ => line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" "),
            };
            let letters =
                |c: char| if c.is_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { ' ' };
            let prose = format!(" {} ", prose.chars().map(letters).collect::<String>());
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
    assert_none(&check_arrows(&files()));
}

#[test]
fn no_file_is_in_a_circle() {
    assert_none(&check_circles(&files()));
}

#[test]
fn each_file_says_what_it_is_and_ends_in_time() {
    assert_none(&check_files(&files()));
}

#[test]
fn no_folder_is_full() {
    assert_none(&check_folders(&files()));
}

#[test]
fn comments_and_messages_use_the_words_of_the_field() {
    assert_none(&check_words(&files()));
}

#[test]
fn what_is_planted_is_found() {
    let mut files = files();
    let plant = |files: &mut Files, file: &str, text: &str| {
        let text = format!("//! Planted.\n{text}\n{}", files.get(file).map_or("", String::as_str));
        files.insert(file.to_owned(), text);
    };
    plant(&mut files, "settings::config", "use crate::state::table::Table;");
    assert!(check_arrows(&files).iter().any(|wrong| wrong.contains("settings may not import from state")));
    plant(&mut files, "state::clock::mod", "use crate::state::record::{Role, SpanRecord};");
    plant(&mut files, "state::record", "use crate::{state::clock::Clock};");
    assert!(check_circles(&files).contains(&"state::clock::mod is in a circle".to_owned()));
    plant(&mut files, "fields::url", "/// Whoever reads this.\nuse std::sync::Mutex;");
    assert!(check_words(&files).contains(&"fields::url, line 2: \"whoever\"".to_owned()));
    assert!(check_files(&files).contains(&"fields::url: uses Mutex".to_owned()));
    files.insert("settings::long".to_owned(), "\n".repeat(MAX_LINES + 1));
    assert_eq!(check_files(&files).iter().filter(|wrong| wrong.starts_with("settings::long")).count(), 2);
    for number in 0..=MAX_ENTRIES {
        plant(&mut files, &format!("settings::file_{number}"), "");
    }
    assert!(check_folders(&files).iter().any(|wrong| wrong.starts_with("settings: ")));
}
