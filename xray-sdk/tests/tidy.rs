//! The house's rules, checked in the text of `src`: rooms import downwards only, no file imports itself by way of
//! others, each file says what it is, none is too long, and the words that have better ones are not used.

#![expect(clippy::unwrap_used, reason = "a test that can't read the sources has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Each room, a folder or a file below `src`, and those that it may import from. `lib.rs` imports from all.
const ROOMS: [(&str, &[&str]); 14] = [
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

/// Lines of a file without its tests.
const MAX_LINES: usize = 400;

/// Words of comments and messages that have plainer ones.
const BANNED: [&str; 14] = [
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
    "whoever",
    "somebody",
    "nobody",
    "so many",
];

/// Text by the path below `src`, without `.rs`: `daemon/udp/socket`.
type Sources = BTreeMap<String, String>;

fn sources() -> Sources {
    fn read(folder: &Path, prefix: &str, sources: &mut Sources) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            match name.strip_suffix(".rs") {
                None => read(&entry.path(), &format!("{prefix}{name}/"), sources),
                // Tests may import everything.
                Some("tests") => {}
                Some(name) => {
                    sources.insert(format!("{prefix}{name}"), fs::read_to_string(entry.path()).unwrap());
                }
            }
        }
    }
    let mut sources = Sources::new();
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), "", &mut sources);
    sources
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap()
}

fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap()
}

fn code(text: &str) -> String {
    without_tests(text)
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
fn expand(path: &str) -> Vec<String> {
    let path = path.trim();
    let Some((head, rest)) = path.split_once('{') else {
        return vec![path.split(" as ").next().unwrap().trim().to_owned()];
    };
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in rest.trim_end().strip_suffix('}').unwrap_or(rest).chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(c),
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expand(&format!("{head}{}", part.trim()))).collect()
}

/// What a `mod.rs`, or `document` in `lib.rs`, hands on: each name with the path below the room that it comes from.
fn handed_on(sources: &Sources, module: &str) -> BTreeMap<String, String> {
    let text = match (sources.get(&format!("{module}/mod")), module) {
        (Some(text), _) => code(text),
        (None, "document") => {
            let lib = code(&sources["lib"]);
            lib.split("pub mod document {")
                .nth(1)
                .unwrap_or_default()
                .split("pub mod daemon")
                .next()
                .unwrap()
                .to_owned()
        }
        _ => return BTreeMap::new(),
    };
    let uses = text.split("use ").skip(1).filter_map(|rest| rest.split(';').next()).flat_map(expand);
    uses.filter(|path| !path.starts_with("crate::"))
        .map(|path| path.trim_start_matches("super::").to_owned())
        .map(|path| (path.rsplit("::").next().unwrap().to_owned(), path))
        .collect()
}

/// The files that a file imports from.
fn imports(sources: &Sources, file: &str) -> BTreeSet<String> {
    let code = code(&sources[file]);
    let mut paths = Vec::new();
    for statement in code.split("use ").skip(1).filter_map(|rest| rest.split(';').next()) {
        paths.extend(expand(statement));
    }
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    paths.extend(code.split(|c| !is_path(c)).map(str::to_owned));
    let module: Vec<&str> = file.trim_end_matches("/mod").split('/').collect();
    let absolute = paths.iter().filter_map(|path| {
        let mut segments = path.split("::").peekable();
        let mut base = match segments.next()? {
            "crate" => Vec::new(),
            "super" => module[..module.len() - 1].to_vec(),
            _ => return None,
        };
        while segments.next_if_eq(&"super").is_some() {
            base.pop();
        }
        // `pub(super)` is no import.
        segments.peek()?;
        base.extend(segments.filter(|segment| *segment != "internal"));
        Some(base.join("/"))
    });
    absolute.filter_map(|path| target(sources, &path)).filter(|target| target != file).collect()
}

/// The file that a path leads to, through what modules hand on.
fn target(sources: &Sources, path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('/').collect();
    for end in (1..=segments.len()).rev() {
        let module = segments[..end].join("/");
        if sources.contains_key(&module) {
            return Some(module);
        }
        let next = segments.get(end).copied().unwrap_or_default();
        if let Some(from) = handed_on(sources, &module).get(next) {
            return target(sources, &format!("{module}/{}", from.replace("::", "/")));
        }
    }
    None
}

fn upward(sources: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    for file in sources.keys().filter(|file| *file != "lib") {
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room(file)) else {
            found.push(format!("{file}: a room that the list does not know"));
            continue;
        };
        for segment in code(&sources[file]).split("crate::").skip(1) {
            let to: String = segment.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let is_root = !ROOMS.iter().any(|(name, _)| *name == to) && !to.is_empty();
            if is_root || (!to.is_empty() && to != room(file) && !allowed.contains(&to.as_str())) {
                found.push(format!("{file}: may not import from {to}"));
            }
        }
    }
    found
}

/// Files that import themselves by way of others.
fn circles(sources: &Sources) -> Vec<String> {
    let graph: BTreeMap<&str, BTreeSet<String>> = sources
        .keys()
        .filter(|file| *file != "lib")
        .map(|file| (file.as_str(), imports(sources, file)))
        .collect();
    let leads_back = |start: &&str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![*start]);
        while let Some(file) = next.pop() {
            for (to, _) in
                graph.get(file).into_iter().flatten().filter_map(|to| graph.get_key_value(to.as_str()))
            {
                if to == start {
                    return true;
                }
                if seen.insert(*to) {
                    next.push(*to);
                }
            }
        }
        false
    };
    graph
        .keys()
        .filter(|file| !file.ends_with("/mod"))
        .filter(|file| leads_back(file))
        .map(|file| format!("{file}: in a circle"))
        .collect()
}

fn forms(sources: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in sources {
        if !text.starts_with("//! ") {
            found.push(format!("{file}: says nothing of itself"));
        }
        let lines = without_tests(text).lines().count();
        if lines > MAX_LINES {
            found.push(format!("{file}: {lines} lines without tests"));
        }
        for (number, line) in without_tests(text).lines().enumerate() {
            // Comments and messages: what stands after the first slashes or quotes.
            let Some((_, prose)) = line.split_once("//").or_else(|| line.split_once('"')) else { continue };
            let words = format!(" {} ", prose.to_lowercase().replace(|c: char| !c.is_alphanumeric(), " "));
            let banned = BANNED.iter().filter(|word| words.contains(&format!(" {word} ")));
            found.extend(banned.map(|word| format!("{file}:{}: {word:?}", number + 1)));
        }
    }
    found
}

#[test]
fn rooms_import_downwards_only() {
    assert_eq!(upward(&sources()), [""; 0]);
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    assert_eq!(circles(&sources()), [""; 0]);
}

#[test]
fn files_say_what_they_are_in_plain_words_and_end_soon() {
    let found = forms(&sources());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_is_planted_is_found() {
    let mut sources = sources();
    sources.get_mut("json/buffer").unwrap().push_str("\nuse crate::document::MAX_NAME;\n");
    assert_eq!(upward(&sources), ["json/buffer: may not import from document"]);
    sources
        .get_mut("document/section")
        .unwrap()
        .push_str("\nuse crate::document::internal::{Kind, Frame};\n");
    assert!(circles(&sources).contains(&"document/frame: in a circle".to_owned()));
    sources.insert("sampling/new".into(), format!("use super::x;\n// tell{}", "\n".repeat(400)));
    let expected = [
        "sampling/new: says nothing of itself",
        "sampling/new: 401 lines without tests",
        "sampling/new:2: \"tell\"",
    ];
    assert!(
        expected.iter().all(|line| forms(&sources).contains(&(*line).to_owned())),
        "{:?}",
        forms(&sources)
    );
}
