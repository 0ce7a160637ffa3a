//! The pages of the workspace in Markdown: their words, and the length of their lines.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn pages_use_the_words_of_the_field_in_lines_that_can_be_compared() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut pages = Vec::new();
    markdown(root, &mut pages);
    assert!(pages.len() > 15, "{pages:?}");
    for page in pages {
        let name = page.strip_prefix(root).unwrap().display().to_string();
        tidy::unclear_page(&name, &fs::read_to_string(&page).unwrap()).assert_none();
    }
}

/// Collects the Markdown files below a folder, without those of builds and of tools.
fn markdown(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !name.starts_with('.') && !matches!(&*name, "target" | "node_modules") {
            markdown(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}
