//! The rules of the house, checked on the source text: which room may import from which, no circles, what each file
//! says of itself, how long it is, and how full a folder is.
//!
//! A *room* is a folder or a file right below `src`. A name that a `mod.rs` re-exports counts as an import of the file
//! that it comes from. Tests may import everything.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

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

const MAX_LINES: usize = 400;
const MAX_ENTRIES: usize = 14;

/// Source files: their paths below `src`, as `room::file`, and their text.
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

fn is_test(file: &str) -> bool {
    file.split("::").any(|part| part == "tests")
}

fn room(file: &str) -> &str {
    file.split("::").next().unwrap()
}

/// The path of the module that a file holds.
fn module(file: &str) -> Vec<&str> {
    let mut path: Vec<_> = file.split("::").collect();
    if matches!(path.last(), Some(&("mod" | "lib" | "main"))) {
        path.pop();
    }
    path
}

/// The text before the file's unit tests.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests {").map_or(text, |end| &text[..end])
}

/// The code of a text: without comments, unit tests, and items that only tests use.
fn code(text: &str) -> String {
    let lines = without_tests(text).lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut parts: Vec<_> =
        lines.collect::<Vec<_>>().join("\n").split("#[cfg(test)]").map(str::to_owned).collect();
    for part in parts.iter_mut().skip(1) {
        *part = part.split_once(';').map_or("", |(_, rest)| rest).to_owned();
    }
    parts.concat()
}

/// The paths of a tree: `a::{b, c::{d, e as f}}` is `a::b`, `a::c::d`, `a::c::e`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((start, rest)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap().to_owned()];
    };
    let (mut paths, mut depth, mut item) = (Vec::new(), 0, String::new());
    for c in rest[..rest.rfind('}').unwrap()].chars().chain([',']) {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            let item = std::mem::take(&mut item);
            paths.extend(
                expand(&item)
                    .into_iter()
                    .filter(|item| !item.is_empty())
                    .map(|item| format!("{start}{item}")),
            );
        } else {
            item.push(c);
        }
    }
    paths
}

/// The paths that a file imports, and those that it re-exports, from the crate's root.
fn uses(file: &str, text: &str) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let (code, module) = (code(text), module(file));
    let (mut imported, mut exported, mut rest) = (Vec::new(), Vec::new(), String::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let is_public = line.trim_start().starts_with("pub");
        let statement = line.trim_start().trim_start_matches("pub");
        // `pub(in super::super) use …`
        let statement = if statement.starts_with('(') {
            statement.split_once(") ").map_or("", |(_, rest)| rest)
        } else {
            statement
        };
        let Some(start) = statement.trim_start().strip_prefix("use ") else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut tree = start.to_owned();
        while !tree.ends_with(';') {
            tree.push_str(lines.next().unwrap().trim());
        }
        let paths = expand(tree.trim_end_matches(';'))
            .into_iter()
            .filter_map(|path| absolute(&path, &module, is_public));
        if is_public && file.ends_with("mod") { exported.extend(paths) } else { imported.extend(paths) }
    }
    // Who may see an item is no import.
    let rest: String =
        rest.split("pub(in ").map(|part| part.trim_start_matches(|c| "super:".contains(c))).collect();
    for start in ["crate::", "super::"] {
        for (at, _) in rest.match_indices(start) {
            let is_inner = rest[..at].ends_with([':', '_']) || rest[..at].ends_with(char::is_alphanumeric);
            let path = rest[at..].split(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).next().unwrap();
            imported.extend(absolute(path, &module, false).filter(|_| !is_inner));
        }
    }
    (imported, exported)
}

/// A path from the crate's root; `None` for those of other crates. A re-export may begin in a module of its own.
fn absolute(path: &str, module: &[&str], is_export: bool) -> Option<Vec<String>> {
    let mut parts: Vec<_> = path.split("::").filter(|part| !part.is_empty() && *part != "*").collect();
    let mut base = module.to_vec();
    match *parts.first()? {
        "crate" => base.clear(),
        "self" => {}
        "super" => {
            while parts.get(1) == Some(&"super") {
                parts.remove(0);
                base.pop();
            }
            base.pop();
        }
        _ if is_export => parts.insert(0, "self"),
        _ => return None,
    }
    Some(base.into_iter().chain(parts.into_iter().skip(1)).map(str::to_owned).collect())
}

/// What each file imports from, by way of re-exports.
fn graph(files: &Files) -> BTreeMap<String, BTreeSet<String>> {
    let mut exports: BTreeMap<(Vec<String>, String), Vec<String>> = BTreeMap::new();
    for (file, text) in files {
        let own: Vec<String> = module(file).into_iter().map(str::to_owned).collect();
        for path in uses(file, text).1 {
            exports.insert((own.clone(), path.last().unwrap().clone()), path);
        }
    }
    let imports = |file: &String| {
        let (imported, _) = uses(file, &files[file]);
        let targets = imported.iter().filter_map(|path| target(path, files, &exports, 0));
        targets.filter(|target| target != file).collect()
    };
    files.keys().filter(|file| !is_test(file)).map(|file| (file.clone(), imports(file))).collect()
}

/// The file that a path leads into: the longest beginning of it that is one.
fn target(
    path: &[String],
    files: &Files,
    exports: &BTreeMap<(Vec<String>, String), Vec<String>>,
    depth: usize,
) -> Option<String> {
    for end in (1..=path.len()).rev() {
        let file = path[..end].join("::");
        let Some(found) = [format!("{file}::mod"), file].into_iter().find(|file| files.contains_key(file))
        else {
            continue;
        };
        let exported = path.get(end).and_then(|name| exports.get(&(path[..end].to_vec(), name.clone())));
        return match exported.filter(|to| depth < 8 && to.as_slice() != path) {
            Some(to) => target(&[to, &path[end + 1..]].concat(), files, exports, depth + 1),
            None => Some(found),
        };
    }
    None
}

fn check_arrows(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, imports) in graph(files) {
        let from = room(&file);
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == from) else {
            wrong.push(format!("{file}: no such room in the list"));
            continue;
        };
        for to in imports {
            if room(&to) != from && !allowed.contains(&room(&to)) {
                wrong.push(format!("{file} imports from {to}: {from} may not import from {}", room(&to)));
            }
        }
    }
    wrong
}

fn check_circles(files: &Files) -> Vec<String> {
    let graph = graph(files);
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
    for (file, text) in files {
        if !text.starts_with("//!") {
            wrong.push(format!("{file}: begins without a module doc"));
        }
        let lines = without_tests(text).lines().count();
        if lines > MAX_LINES && !is_test(file) {
            wrong.push(format!("{file}: {lines} lines without tests, at most {MAX_LINES}"));
        }
        if is_test(file) {
            continue;
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
    let full = folders.iter().filter(|(folder, entries)| !is_test(folder) && count(entries) > MAX_ENTRIES);
    full.map(|(folder, entries)| format!("{folder}: {} entries, at most {MAX_ENTRIES}", count(entries)))
        .collect()
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
fn what_is_planted_is_found() {
    let mut files = files();
    let plant = |files: &mut Files, file: &str, text: &str| {
        let text = format!("//! Planted.\n{text}\n{}", files.get(file).map_or("", String::as_str));
        files.insert(file.to_owned(), text);
    };
    plant(&mut files, "model::key", "use crate::store::{Options, Store};");
    assert!(check_arrows(&files).iter().any(|wrong| wrong.contains("model may not import from store")));
    plant(&mut files, "query::groups", "fn planted() -> crate::api::ApiError { todo!() }");
    assert!(check_arrows(&files).iter().any(|wrong| wrong.contains("query may not import from api")));
    // By way of the re-exports of two rooms' tables of contents.
    plant(&mut files, "access::policy::statement", "use super::{\n    Policy,\n    Context,\n};");
    assert!(check_circles(&files).contains(&"access::policy::statement is in a circle".to_owned()));
    plant(&mut files, "ingest::tree", "use rusqlite::Connection;");
    assert!(check_files(&files).contains(&"ingest::tree: uses rusqlite".to_owned()));
    files.insert("model::long".to_owned(), "\n".repeat(MAX_LINES + 1));
    assert_eq!(check_files(&files).iter().filter(|wrong| wrong.starts_with("model::long")).count(), 2);
    for number in 0..=MAX_ENTRIES {
        plant(&mut files, &format!("store::file_{number}"), "");
    }
    assert!(check_folders(&files).iter().any(|wrong| wrong.starts_with("store: ")));
}
