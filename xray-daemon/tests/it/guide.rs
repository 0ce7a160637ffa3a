//! The guide's lists are those of the code: metrics, lines of the log, flags and keys.

use std::collections::BTreeSet;
use std::path::Path;

use xray_daemon::report::metrics;

fn guide() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/daemon.md");
    std::fs::read_to_string(path).unwrap()
}

/// The first cell in backticks of each row of the tables in a chapter.
fn rows(chapter: &str) -> BTreeSet<String> {
    let guide = guide();
    let (_, rest) = guide.split_once(&format!("\n## {chapter}\n")).unwrap();
    let chapter = rest.split("\n## ").next().unwrap();
    chapter
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            // Two backticks hold what has backticks in it.
            let ticks = if line.starts_with("| ``") { "``" } else { "`" };
            line.split(ticks).nth(1).unwrap().to_owned()
        })
        .collect()
}

#[test]
fn the_guide_explains_every_metric_and_no_other() {
    let expected: BTreeSet<String> = metrics::names().into_iter().collect();
    assert_eq!(rows("Metrics"), expected);
}

#[test]
fn the_guide_explains_every_line_of_the_log_and_no_other() {
    let mut logged = BTreeSet::new();
    let mut literals = BTreeSet::new();
    for source in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let code = source.split("#[cfg(test)]").next().unwrap();
        literals.extend(strings(code));
        for level in ["error!(", "warn!(", "info!("] {
            for (_, after) in code.match_indices(level).map(|(at, _)| code.split_at(at + level.len())) {
                let literal = after.trim_start();
                if literal.starts_with('"') {
                    logged.extend(strings(literal).into_iter().next());
                }
            }
        }
    }
    let shown = rows("Lines of the log");
    let is_worded = |line: &&String| line.chars().any(char::is_alphabetic);
    let missing: Vec<&String> =
        logged.iter().filter(is_worded).filter(|line| !shown.contains(*line)).collect();
    assert!(missing.is_empty(), "not in the guide: {missing:#?}");
    let unknown: Vec<&String> = shown.iter().filter(|line| !literals.contains(*line)).collect();
    assert!(unknown.is_empty(), "not in the code: {unknown:#?}");
}

fn sources(directory: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources.extend(self::sources(&path));
        } else {
            sources.push(std::fs::read_to_string(&path).unwrap());
        }
    }
    sources
}

/// The string literals of some code, with `…` for each argument.
fn strings(code: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut characters = code.chars();
    let mut open: Option<String> = None;
    while let Some(character) = characters.next() {
        match (&mut open, character) {
            (None, '"') => open = Some(String::new()),
            (Some(string), '"') => {
                strings.push(generalized(string));
                open = None;
            }
            (Some(string), '\\') => match characters.next() {
                Some('\n') => string.push('\n'),
                Some(escaped) => string.push(escaped),
                None => {}
            },
            (Some(string), character) => string.push(character),
            (None, '\'') => {
                // A character literal, or a lifetime, which the next quote does not end.
                let mut ahead = characters.clone();
                let (first, second) = (ahead.next(), ahead.next());
                if first == Some('\\') || second == Some('\'') {
                    characters = ahead;
                }
            }
            (None, '/') if characters.as_str().starts_with('/') => {
                characters = characters.as_str().split_once('\n').map_or("", |(_, rest)| rest).chars();
            }
            (None, _) => {}
        }
    }
    strings
}

/// A format string as a reader of the log knows it: without line breaks, and with `…` for what varies.
fn generalized(format: &str) -> String {
    let mut line = String::new();
    let mut depth = 0;
    for part in format
        .split('\n')
        .enumerate()
        .map(|(number, part)| if number == 0 { part } else { part.trim_start() })
    {
        for character in part.chars() {
            match character {
                '{' => {
                    depth += 1;
                    line.push('…');
                }
                '}' => depth -= 1,
                character if depth == 0 => line.push(character),
                _ => {}
            }
        }
    }
    line
}

#[test]
fn strings_of_code_are_read() {
    let code =
        "let a: &'static str = \"one {x:?}\"; // \"no\"\n let c = '\"'; f('\\'', \"two \\\n     lines\")";
    assert_eq!(strings(code), ["one …", "two lines"]);
}

#[test]
fn links_between_the_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for page in ["docs/daemon.md", "docs/daemon-migration.md", "xray-daemon/README.md"] {
        let path = root.join(page);
        let content = std::fs::read_to_string(&path).unwrap();
        for (_, after) in content.match_indices("](").map(|(at, _)| content.split_at(at + 2)) {
            let target = after.split(')').next().unwrap();
            let (file, chapter) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.starts_with("https://") || file.exists(), "{page}: {target}");
            if !chapter.is_empty() {
                let there = std::fs::read_to_string(&file).unwrap().lines().any(|line| {
                    let title = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                    line.starts_with('#') && title == chapter
                });
                assert!(there, "{page}: {target}");
            }
        }
    }
}

#[test]
fn the_sample_configuration_is_accepted_and_is_the_defaults() {
    use xray_daemon::config::{Command, Environment};

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/cfg.yaml");
    let sample = std::fs::read_to_string(&path).unwrap();
    let load = |content: &str, name: &str| {
        let path = std::env::temp_dir().join(format!("xray-daemon-guide-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        let arguments = ["-c".to_owned(), path.to_str().unwrap().to_owned()];
        let command = Command::parse(&arguments, Environment::default()).unwrap();
        std::fs::remove_file(&path).unwrap();
        let Command::Run(load) = command else { panic!("{command:?}") };
        assert!(load.warnings.is_empty(), "{:?}", load.warnings);
        format!("{:?}", load.config)
    };
    assert_eq!(load(&sample, "sample"), load("Version: 2\n", "empty"));
    // The part of our own, which the file has as comments.
    let (head, own) = sample.split_once("#XrayDaemon:").unwrap();
    let own = format!("{head}XrayDaemon:{}", own.replace("\n#", "\n"));
    let config = load(&own, "own");
    assert!(config.contains("/var/lib/xray-daemon") && config.contains("/SamplingTargets"), "{config}");
}
