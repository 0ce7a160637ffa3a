//! [`House`]: a crate's sources and its list of rooms.
//!
//! The only file here that reads files. The rules about them are in the files above.

#![expect(clippy::unwrap_used, reason = "a check that cannot read the sources has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Source texts by their module path, as `room::file`, `room::mod` or `lib`.
pub(crate) type Files = BTreeMap<String, String>;

/// Names with a list for each.
type Lists = &'static [(&'static str, &'static [&'static str])];

/// A crate's sources and its list of rooms.
#[derive(Clone, Debug)]
pub struct House {
    pub(crate) files: Files,
    /// Integration tests and benchmarks, by their path.
    pub(crate) outside: Files,
    pub(crate) rooms: Lists,
    pub(crate) absent: Lists,
    pub(crate) test_modules: &'static [&'static str],
    pub(crate) max_summary: usize,
    pub(crate) max_entries: usize,
}

impl House {
    /// Reads the sources of the crate in a folder.
    ///
    /// # Panics
    /// The files can't be read.
    #[must_use]
    pub fn read(folder: impl AsRef<Path>) -> Self {
        let (mut files, mut outside) = (Files::new(), Files::new());
        read(&folder.as_ref().join("src"), "", &mut files);
        for part in ["tests", "benches"] {
            read(&folder.as_ref().join(part), &format!("{part}/"), &mut outside);
        }
        Self {
            files,
            outside,
            rooms: &[],
            absent: &[],
            test_modules: &["tests"],
            max_summary: 120,
            max_entries: 14,
        }
    }

    /// Sets the rooms, each with those that it may import from.
    #[must_use]
    pub fn rooms(self, rooms: Lists) -> Self {
        Self { rooms, ..self }
    }

    /// Sets words that a room's code does without.
    #[must_use]
    pub fn absent(self, absent: Lists) -> Self {
        Self { absent, ..self }
    }

    /// Sets the names of modules that only tests are built with. Defaults to `tests`.
    #[must_use]
    pub fn test_modules(self, test_modules: &'static [&'static str]) -> Self {
        Self { test_modules, ..self }
    }

    /// Sets the characters that the first line of a doc comment may have. Defaults to 120.
    #[must_use]
    pub fn max_summary(self, max_summary: usize) -> Self {
        Self { max_summary, ..self }
    }

    /// Sets the entries that a folder may have beside `mod.rs` and tests. Defaults to 14.
    #[must_use]
    pub fn max_entries(self, max_entries: usize) -> Self {
        Self { max_entries, ..self }
    }

    /// Puts a text before that of a file, or makes a new file of it.
    #[must_use]
    pub fn plant(mut self, file: &str, text: &str) -> Self {
        let old = self.files.remove(file).unwrap_or_default();
        self.files.insert(file.to_owned(), format!("{text}\n{old}"));
        self
    }

    pub(crate) fn is_test(&self, file: &str) -> bool {
        file.split("::").any(|part| self.test_modules.contains(&part))
    }
}

/// The room that a file belongs to.
pub(crate) fn room(file: &str) -> &str {
    file.split("::").next().unwrap_or(file)
}

fn read(folder: &Path, prefix: &str, files: &mut Files) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{prefix}{name}::"), files);
        } else if let Some(name) = name.strip_suffix(".rs") {
            files.insert(format!("{prefix}{name}"), fs::read_to_string(entry.path()).unwrap());
        }
    }
}
