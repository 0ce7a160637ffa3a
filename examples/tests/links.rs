//! Follows the links of every Markdown file in this repository, as far as they lead to a file of ours: relative ones,
//! those to our own repository, and those to the guide. The web is not asked.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::fs;
use std::path::{Path, PathBuf};

const REPOSITORY: &str = "https://github.com/aws-xray-rust/aws-xray-rust/";
const GUIDE: &str = "https://docs.rs/xray-tracing-layer/latest/xray_tracing_layer/guide/";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Files of the repository, hidden folders and build output aside.
fn markdown_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && (!name.starts_with('.') || name == ".github") && name != "target" {
            markdown_files(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// The text without blocks and spans of code, in which brackets are no links.
fn without_code(text: &str) -> String {
    let mut in_block = false;
    let mut out = String::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        if !in_block && !is_fence {
            // Between two backticks is code, and only the link around it counts.
            out.extend(line.split('`').step_by(2));
            out.push('\n');
        }
    }
    out
}

/// The targets of `[..](target)` and `[..]: target`.
fn targets(text: &str) -> Vec<String> {
    let text = without_code(text);
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let named = text.lines().filter(|line| line.starts_with('[')).filter_map(|line| line.split_once("]: "));
    inline.chain(named.map(|(_, target)| target.trim())).map(str::to_owned).collect()
}

/// Anchors of a file's headings, as GitHub and rustdoc make them.
fn anchors(text: &str) -> Vec<String> {
    let mut in_block = false;
    let is_heading = |line: &&str| {
        in_block ^= line.starts_with("```");
        !in_block && line.starts_with('#')
    };
    let headings =
        text.lines().filter(is_heading).map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let letters = |heading: String| -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(letters).collect()
}

/// Why a target leads nowhere. `None` if it leads somewhere, or is none of ours.
fn problem(file: &Path, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let guide = root().join("xray-tracing-layer/src/guide");
    let to = match path {
        "" => file.to_owned(),
        _ if path == REPOSITORY.trim_end_matches('/') => return None,
        _ if path.starts_with(GUIDE) => match path[GUIDE.len()..].trim_end_matches('/') {
            "" => guide.join("mod.rs"),
            chapter => guide.join(chapter).with_extension("md"),
        },
        _ if path.starts_with("crate::guide::") => {
            guide.join(&path["crate::guide::".len()..]).with_extension("md")
        }
        _ if path.starts_with(REPOSITORY) => {
            let inside = &path[REPOSITORY.len()..];
            let kinds = ["blob/main/", "tree/main/"];
            match kinds.into_iter().find_map(|kind| inside.strip_prefix(kind)) {
                Some(inside) => root().join(inside),
                None => return None,
            }
        }
        _ if path.contains("://") || path.contains("::") || path.starts_with("mailto:") => return None,
        _ => file.parent().unwrap().join(path),
    };
    if !to.exists() {
        return Some(format!("{}: {target} leads to no file", file.display()));
    }
    let anchor = anchor.filter(|_| to.extension().is_some_and(|extension| extension == "md"))?;
    let found = anchors(&fs::read_to_string(&to).unwrap()).iter().any(|known| known == anchor);
    (!found).then(|| format!("{}: {target} leads to no heading", file.display()))
}

#[test]
fn every_link_to_a_file_of_ours_leads_somewhere() {
    let mut files = Vec::new();
    markdown_files(&root(), &mut files);
    assert!(files.len() > 15, "{files:?}");
    let all = |file: &PathBuf| targets(&fs::read_to_string(file).unwrap());
    let checked: Vec<_> =
        files.iter().flat_map(|file| all(file).into_iter().map(move |to| (file, to))).collect();
    assert!(checked.len() > 60, "{checked:?}");
    let problems: Vec<_> = checked.iter().filter_map(|(file, target)| problem(file, target)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let readme = root().join("README.md");
    for target in [
        "docs/no-such-file.md",
        "#no-such-heading",
        "crate::guide::lambda#no-such-heading",
        "https://docs.rs/xray-tracing-layer/latest/xray_tracing_layer/guide/none/",
    ] {
        assert!(problem(&readme, target).is_some(), "{target}");
    }
    for target in ["LICENSE-MIT", "#guarantees", "https://example.com/", "crate::guide::aws#queues"] {
        assert_eq!(problem(&readme, target), None);
    }
    assert_eq!(
        targets("a [b](c.md) `[d](e.md)` [`f`](g.md#h)\n```\n[i](j.md)\n```\n[k]: l.md"),
        ["c.md", "g.md#h", "l.md"]
    );
}
