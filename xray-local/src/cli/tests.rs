//! Help texts and pages: every command line that they show is one that the program takes.

use clap::{Command, CommandFactory};

use super::Arguments;

/// Columns of the narrowest terminal for which help is laid out: clap breaks longer lines, and a broken command line
/// can't be pasted.
const COLUMNS: usize = 100;

/// Every command with its own name in front, from the top down.
fn commands() -> Vec<(String, Command)> {
    let mut found = vec![("xray-local".to_owned(), Arguments::command())];
    let mut at = 0;
    while let Some((name, command)) = found.get(at).cloned() {
        found
            .extend(command.get_subcommands().map(|sub| (format!("{name} {}", sub.get_name()), sub.clone())));
        at += 1;
    }
    found
}

/// The command lines of `xray-local` in a text, each as its words. A line that ends with a backslash goes on. Words
/// end where the shell's own syntax or a remark begins.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let text = text.split("\\\n").map(str::trim).collect::<Vec<_>>().join(" ");
    let text = text.replace("cargo run -p xray-local --features aws --", "xray-local");
    let text = text
        .replace("cargo run -p xray-local -- ", "xray-local ")
        .replace("cargo run -p xray-local ", "xray-local ");
    let mut lines = Vec::new();
    for line in text.lines().flat_map(pipeline) {
        let line = line.trim();
        let line = line.strip_prefix("source <(").map_or(line, |inner| inner.trim_end_matches(')'));
        let line = line.trim_start_matches("- run: ").trim_start_matches("command: ");
        if line == "xray-local" || line.starts_with("xray-local ") {
            lines.push(words(line));
        }
    }
    lines
}

/// The commands of a pipeline; a `|` between quotes is none of the shell's.
fn pipeline(line: &str) -> Vec<String> {
    let (mut parts, mut quote) = (vec![String::new()], None);
    for letter in line.chars() {
        match (quote, letter) {
            (None, '|') => parts.push(String::new()),
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
        if quote.is_some() || letter != '|' {
            parts.last_mut().unwrap().push(letter);
        }
    }
    parts
}

fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut blanks) = (Vec::new(), None::<String>, None, 0);
    for letter in line.chars() {
        blanks = if letter == ' ' { blanks + 1 } else { 0 };
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(letter);
            }
            // A remark stands two blanks or a `#` away.
            (None, ' ') if blanks == 2 => break,
            (None, '#' | '>') if word.is_none() => break,
            (None, ' ') => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

fn assert_taken(place: &str, text: &str) -> usize {
    let lines = command_lines(text);
    for words in &lines {
        if let Err(err) = Arguments::command().try_get_matches_from(words) {
            panic!("{place}: {words:?}\n{err}");
        }
    }
    lines.len()
}

#[test]
fn the_arguments_are_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn every_command_has_examples_that_it_takes_and_that_no_terminal_breaks() {
    for (name, command) in commands() {
        // `serve` is the command without a name, whose examples stand at the top.
        if name.ends_with(" help") || name == "xray-local serve" {
            continue;
        }
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(assert_taken(&name, &help) > 0, "{name} has no examples");
        for line in help.lines() {
            assert!(line.chars().count() <= COLUMNS, "{name}: {line}");
        }
        let own = format!("{name} ");
        assert!(
            help.lines().any(|line| line.contains(&own) || line.trim_end().ends_with(&name)),
            "{name}: {help}"
        );
    }
}

#[test]
fn every_command_line_on_the_pages_is_taken() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut count = 0;
    for page in
        ["README.md", "docs/local.md", "docs/console.md", "docs/daemon.md", "docs/filter-expressions.md"]
    {
        let text = std::fs::read_to_string(format!("{folder}/{page}")).unwrap();
        let fenced = text.split("```").skip(1).step_by(2);
        let spans = text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2));
        count += fenced.map(|block| assert_taken(page, block)).sum::<usize>();
        // In prose, a command may stand alone: `xray-local traces`, `xray-local completions bash`.
        count += spans
            .filter(|span| span.contains("xray-local "))
            .map(|span| assert_taken(page, span))
            .sum::<usize>();
    }
    assert!(count > 25, "{count} command lines");
}

#[test]
fn command_lines_are_read_as_a_shell_does() {
    let read = |text: &str| command_lines(text);
    assert_eq!(read("xray-local traces 'a = \"b|c\"' | jq .Id"), [["xray-local", "traces", "a = \"b|c\""]]);
    assert_eq!(read("$ x\nxray-local tail   draws\n"), [["xray-local", "tail"]]);
    assert_eq!(read("xray-local show \\\n   latest # the newest"), [["xray-local", "show", "latest"]]);
    assert_eq!(read("xray-local export > file"), [["xray-local", "export"]]);
    assert_eq!(read("source <(xray-local completions bash)"), [["xray-local", "completions", "bash"]]);
}
