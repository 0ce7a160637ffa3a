//! The imports of files, and those of them that run upwards or in a circle.
//!
//! A name that a `mod.rs` or `lib.rs` re-exports counts as an import of the file that it comes from. A `mod` line is
//! no import: a table of contents lists its room.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::code;
use crate::house::{House, room};

/// A path from the crate's root.
type Path = Vec<String>;

/// The re-exports of all tables of contents: module and name, and what they lead to.
type Exports = BTreeMap<(Path, String), Path>;

pub(crate) fn upward(house: &House) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, imports) in graph(house) {
        let from = room(&file);
        let Some((_, allowed)) = house.rooms.iter().find(|(room, _)| *room == from) else {
            wrong.push(format!("{file}: the list of rooms has no {from}"));
            continue;
        };
        let upwards = imports.iter().filter(|to| room(to) != from && !allowed.contains(&room(to)));
        wrong.extend(
            upwards.map(|to| format!("{file} imports from {to}: {from} may not import from {}", room(to))),
        );
    }
    wrong
}

pub(crate) fn circles(house: &House) -> Vec<String> {
    let graph = graph(house);
    let leads_back = |start: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(file) = next.pop() {
            next.extend(graph.get(file).into_iter().flatten().filter(|to| seen.insert(*to)));
        }
        seen.contains(start)
    };
    // What the crate's root re-exports, nobody has to import from it.
    let files = graph.keys().filter(|file| *file != "lib" && leads_back(file));
    files.map(|file| format!("{file} is in a circle")).collect()
}

/// The files that each file imports from. Tests are not in it.
fn graph(house: &House) -> BTreeMap<String, BTreeSet<String>> {
    let used: BTreeMap<_, _> = house.files.iter().map(|(file, text)| (file, uses(file, text))).collect();
    let mut exports = Exports::new();
    for (module, path) in used.values().flat_map(|uses| &uses.exported) {
        if let Some(name) = path.last() {
            exports.insert((module.clone(), name.clone()), path.clone());
        }
    }
    let imports = |file: &String, uses: &Uses| {
        let targets = uses.imported.iter().filter_map(|path| target(path, house, &exports, 0));
        targets.filter(|target| target != file).collect()
    };
    used.iter()
        .filter(|(file, _)| !house.is_test(file))
        .map(|(file, uses)| ((*file).clone(), imports(file, uses)))
        .collect()
}

/// The paths that a file imports, and those that it re-exports with the module that does.
#[derive(Default)]
struct Uses {
    imported: Vec<Path>,
    exported: Vec<(Path, Path)>,
}

fn uses(file: &str, text: &str) -> Uses {
    let is_contents = file == "lib" || file == "mod" || file.ends_with("::mod");
    let (mut uses, mut rest) = (Uses::default(), String::new());
    // The file's module, and the inline modules in which a line stands.
    let mut module: Vec<&str> =
        file.split("::").filter(|part| !matches!(*part, "mod" | "lib" | "main")).collect();
    let mut inline = Vec::new();
    let code = code(text);
    let mut lines = code.iter();
    while let Some(line) = lines.next() {
        let indentation = &line[..line.len() - line.trim_start().len()];
        if inline.last().is_some_and(|start| *start == indentation) && line.trim_start().starts_with('}') {
            (_, _) = (inline.pop(), module.pop());
            continue;
        }
        let (is_public, item) = visibility(line.trim_start());
        if let Some(name) = item.strip_prefix("mod ").and_then(|item| item.strip_suffix(" {")) {
            inline.push(indentation);
            module.push(name);
        } else if let Some(start) = item.strip_prefix("use ") {
            let mut tree = start.to_owned();
            while !tree.ends_with(';') {
                let Some(line) = lines.next() else { break };
                tree.push_str(line.trim());
            }
            let paths = expand(tree.trim_end_matches(';')).into_iter();
            let paths = paths.filter_map(|path| absolute(&path, &module, is_public));
            if is_public && is_contents {
                let own: Path = module.iter().map(|part| (*part).to_owned()).collect();
                uses.exported.extend(paths.map(|path| (own.clone(), path)));
            } else {
                uses.imported.extend(paths);
            }
        } else {
            rest.push_str(item);
            rest.push('\n');
        }
    }
    let module: Vec<&str> =
        file.split("::").filter(|part| !matches!(*part, "mod" | "lib" | "main")).collect();
    for start in ["crate::", "super::"] {
        for (at, _) in rest.match_indices(start) {
            let is_inner = rest[..at].ends_with([':', '_']) || rest[..at].ends_with(char::is_alphanumeric);
            let path = rest[at..].split(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).next();
            let path = path.filter(|_| !is_inner).and_then(|path| absolute(path, &module, false));
            uses.imported.extend(path);
        }
    }
    uses
}

/// An item without its `pub`, and whether it had one. Who may see an item is no import.
fn visibility(line: &str) -> (bool, &str) {
    let Some(item) = line.strip_prefix("pub") else { return (false, line) };
    match (item.strip_prefix(' '), item.strip_prefix('(')) {
        (Some(item), _) => (true, item),
        (None, Some(item)) => (true, item.split_once(") ").map_or("", |(_, item)| item)),
        (None, None) => (false, line),
    }
}

/// The paths of a tree: `a::{self, b, c::{d, e as f}}` is `a`, `a::b`, `a::c::d`, `a::c::e`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((start, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return Some(path.to_owned()).filter(|path| !path.is_empty()).into_iter().collect();
    };
    let rest = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let (mut paths, mut depth, mut item) = (Vec::new(), 0, String::new());
    for c in rest.chars().chain([',']) {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            paths.extend(expand(&std::mem::take(&mut item)).iter().map(|item| match item.as_str() {
                "self" => start.trim_end_matches("::").to_owned(),
                item => format!("{start}{item}"),
            }));
        } else {
            item.push(c);
        }
    }
    paths
}

/// A path from the crate's root; `None` for those of other crates. A re-export may begin in a module of its own.
fn absolute(path: &str, module: &[&str], is_export: bool) -> Option<Path> {
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

/// The file that a path leads into: the longest beginning of it that is one, or that a table of contents re-exports.
/// A name of the crate's root is `lib`'s.
fn target(path: &[String], house: &House, exports: &Exports, depth: usize) -> Option<String> {
    for end in (0..=path.len()).rev() {
        let exported = path.get(end).and_then(|name| exports.get(&(path[..end].to_vec(), name.clone())));
        if let Some(to) = exported.filter(|to| depth < 8 && to.as_slice() != path) {
            return target(&[to, &path[end + 1..]].concat(), house, exports, depth + 1);
        }
        let file = path[..end].join("::");
        let found = [format!("{file}::mod"), file].into_iter().find(|file| house.files.contains_key(file));
        if found.is_some() {
            return found;
        }
    }
    (!path.is_empty()).then(|| "lib".to_owned())
}
