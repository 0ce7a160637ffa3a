//! A YAML file as a tree in which every value knows its line.
//!
//! `yaml-rust2` does the reading and hands over events; the tree is for messages that point at a line. Aliases are
//! refused, since no configuration of a daemon has them. `file` gives the tree its meaning.

use yaml_rust2::parser::{Event, MarkedEventReceiver, Parser};
use yaml_rust2::scanner::{Marker, TScalarStyle};

/// A value of the file.
#[derive(Debug)]
pub(super) enum Node {
    /// A scalar; `plain` if it has no quotes, so that it can be a number, a switch or null.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Entry>),
    /// Keys in the order of the file.
    Map(Vec<(String, Entry)>),
}

/// A value and the line that it begins in, counted from 1.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) node: Node,
}

impl Entry {
    /// Returns whether the value is absent: nothing, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.node, Node::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }
}

/// Reads the first document of a YAML file. `None` if the file has none.
///
/// # Errors
/// A message with the line, if the file is not YAML, or has an alias or a key that is no scalar.
pub(super) fn parse(text: &str) -> Result<Option<Entry>, String> {
    let mut builder = Builder::default();
    // An editor of Windows begins a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Parser::new_from_str(text).load(&mut builder, false).map_err(|err| err.to_string())?;
    match builder.error {
        Some(error) => Err(error),
        None => Ok(builder.root),
    }
}

/// Open containers, innermost last.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Entry>,
    error: Option<String>,
}

struct Open {
    line: usize,
    node: Node,
    /// The key of a map whose value is yet to come.
    key: Option<String>,
}

impl Builder {
    fn close(&mut self) {
        if let Some(Open { line, node, .. }) = self.open.pop() {
            self.add(Entry { line, node });
        }
    }

    fn add(&mut self, entry: Entry) {
        let Some(parent) = self.open.last_mut() else {
            self.root.get_or_insert(entry);
            return;
        };
        match (&mut parent.node, parent.key.take(), entry) {
            (Node::List(list), _, entry) => list.push(entry),
            (Node::Map(map), Some(key), entry) => map.push((key, entry)),
            (Node::Map(_), None, Entry { node: Node::Scalar { text, .. }, .. }) => parent.key = Some(text),
            (_, _, Entry { line, .. }) => self.fail(line, "a key has to be a plain word"),
        }
    }

    fn fail(&mut self, line: usize, message: &str) {
        self.error.get_or_insert_with(|| format!("line {line}: {message}"));
    }
}

impl MarkedEventReceiver for Builder {
    fn on_event(&mut self, event: Event, mark: Marker) {
        let line = mark.line();
        match event {
            Event::Scalar(text, style, ..) => {
                self.add(Entry { line, node: Node::Scalar { text, plain: style == TScalarStyle::Plain } });
            }
            Event::SequenceStart(..) => {
                self.open.push(Open { line, node: Node::List(Vec::new()), key: None });
            }
            Event::MappingStart(..) => self.open.push(Open { line, node: Node::Map(Vec::new()), key: None }),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(_) => self.fail(line, "aliases are not supported"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_lines() {
        let Entry { node: Node::Map(map), .. } =
            parse("A: 1\nB:\n  C: \"x\"\n  D: [y, z]\n").unwrap().unwrap()
        else {
            panic!("a map");
        };
        assert_eq!((map[0].0.as_str(), map[0].1.line), ("A", 1));
        let Node::Map(inner) = &map[1].1.node else { panic!("a map") };
        assert_eq!((inner[0].0.as_str(), inner[0].1.line), ("C", 3));
        assert!(matches!(&inner[0].1.node, Node::Scalar { text, plain: false } if text == "x"));
        assert!(matches!(&inner[1].1.node, Node::List(list) if list.len() == 2 && list[0].line == 4));
    }

    #[test]
    fn an_empty_file_has_no_document_and_null_is_no_value() {
        assert!(parse("").unwrap().is_none_or(|entry| entry.is_null()));
        assert!(parse("# only a comment\n").unwrap().is_none_or(|entry| entry.is_null()));
        let Entry { node: Node::Map(map), .. } = parse("A:\nB: ~\nC: ''\n").unwrap().unwrap() else {
            panic!()
        };
        assert_eq!(map.iter().map(|(_, entry)| entry.is_null()).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_key() {
        let Entry { node: Node::Map(map), .. } = parse("\u{feff}Version: 2\r\n").unwrap().unwrap() else {
            panic!()
        };
        assert_eq!(map[0].0, "Version");
    }

    #[test]
    fn mistakes_have_a_line() {
        assert!(parse("A: [1\nB: 2").unwrap_err().contains("line"));
        assert_eq!(parse("A: &a 1\nB: *a\n").unwrap_err(), "line 2: aliases are not supported");
        assert_eq!(parse("? [1]\n: 2\n").unwrap_err(), "line 1: a key has to be a plain word");
    }
}
