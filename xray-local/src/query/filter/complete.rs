//! Suggestions at the cursor, from what the parser would accept there.
//!
//! Values that occur in the store are not known here: [`Completion::occurring`] says which would fit, and
//! [`Completion::value`] writes one in the form that fits the cursor.

use super::ast::{Subject, Value};
use super::keyword::Operator;
use super::keyword::{Keyword, Kind, Scope};
use super::parser::{Expected, Parser, is_word};
use super::print::is_plain_key;

/// Suggestions at the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Characters before the part that a suggestion replaces.
    pub start: usize,
    /// Characters before the end of that part: the cursor.
    pub end: usize,
    /// The part itself. Suggestions begin with it.
    pub typed: String,
    /// Parts of the language, best first.
    pub suggestions: Vec<Suggestion>,
    /// Values from the store that would fit as well.
    pub occurring: Option<Occurring>,
    form: Form,
}

/// A suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Replacement of the typed part.
    pub insert: String,
    /// One line on its meaning.
    pub hint: String,
}

/// Kinds of values that a store can list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occurring {
    /// Keys of annotations.
    AnnotationKeys,
    /// Values of a keyword or an annotation.
    Values(Subject),
    /// Names of nodes.
    NodeNames,
    /// Types of nodes.
    NodeTypes,
    /// Accounts of nodes.
    Accounts,
}

/// Surroundings of the typed part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// Nothing: strings need quotation marks, keys need `annotation.`.
    #[default]
    Bare,
    /// An opening quotation mark.
    InString,
    /// `annotation[`.
    InBracket,
}

/// Suggests what can stand at `cursor`, in characters. Returns no suggestion where the part before the cursor is not
/// understood.
///
/// ```
/// use xray_local::query::filter::complete;
///
/// let completion = complete("service(\"api\") { thr", 20);
/// assert_eq!(completion.start, 17);
/// assert_eq!(completion.suggestions[0].insert, "throttle");
/// ```
#[must_use]
pub fn complete(text: &str, cursor: usize) -> Completion {
    let before = text.char_indices().nth(cursor).map_or(text, |(at, _)| &text[..at]);
    let (prefix, typed, form) = split(before);
    let mut parser = Parser::new(prefix);
    // The error is expected: the expression ends in the middle.
    let _ = parser.expression();
    let expected = parser.expected_at(prefix.len());
    let end = before.chars().count();
    let start = end - typed.chars().count();
    let mut completion =
        Completion { start, end, typed: typed.to_owned(), suggestions: Vec::new(), occurring: None, form };
    for expected in &expected {
        completion.offer(expected);
    }
    completion
}

/// The part that is complete, the part that is being typed, and what surrounds the latter.
fn split(before: &str) -> (&str, &str, Form) {
    let mut open = None;
    let mut escaped = false;
    for (at, c) in before.char_indices() {
        match (c, open) {
            ('"', Some(_)) if !escaped => open = None,
            ('"', None) => open = Some(at),
            _ => {}
        }
        escaped = c == '\\' && !escaped && open.is_some();
    }
    if let Some(quote) = open {
        return (&before[..quote], &before[quote + 1..], Form::InString);
    }
    if let Some(bracket) = before.rfind('[')
        && !before[bracket..].contains(']')
        && before[..bracket].trim_end().to_ascii_lowercase().ends_with("annotation")
    {
        return (&before[..=bracket], before[bracket + 1..].trim_start(), Form::InBracket);
    }
    let typed = before.len() - before.trim_end_matches(is_word).len();
    let (prefix, typed) = before.split_at(before.len() - typed);
    (prefix, typed, Form::Bare)
}

impl Completion {
    /// Writes a value from the store as a suggestion, or nothing if it doesn't begin with the typed part.
    #[must_use]
    pub fn value(&self, value: &Value, hint: &str) -> Option<Suggestion> {
        let Value::String(string) = value else {
            return self
                .fits(&value.to_string())
                .then(|| Suggestion { insert: value.to_string(), hint: hint.to_owned() });
        };
        let insert = match (self.form, &self.occurring) {
            (Form::InBracket, _) => format!("{string}]"),
            (Form::Bare, Some(Occurring::AnnotationKeys)) => Subject::Annotation(string.clone()).to_string(),
            (Form::Bare, _) => value.to_string(),
            // The opening quotation mark stands already.
            (Form::InString, _) => value.to_string().split_off(1),
        };
        let is_key = is_plain_key(string) || insert.starts_with("annotation[");
        let begins =
            self.fits(string) || self.fits(&insert) || (is_key && self.fits(&insert.replace('[', ".")));
        begins.then(|| Suggestion { insert, hint: hint.to_owned() })
    }

    fn fits(&self, insert: &str) -> bool {
        let mut typed = self.typed.chars().flat_map(char::to_lowercase);
        let mut insert = insert.chars().flat_map(char::to_lowercase);
        typed.all(|c| insert.next() == Some(c))
    }

    fn add(&mut self, insert: impl Into<String>, hint: &str) {
        let insert = insert.into();
        if self.form == Form::Bare
            && self.fits(&insert)
            && !self.suggestions.iter().any(|other| other.insert == insert)
        {
            self.suggestions.push(Suggestion { insert, hint: hint.to_owned() });
        }
    }

    fn offer(&mut self, expected: &Expected) {
        match expected {
            Expected::Condition(scope) => self.conditions(*scope),
            Expected::Combination => {
                self.add("AND", "both conditions hold");
                self.add("OR", "one of the conditions holds");
            }
            Expected::Symbol(symbol) => self.add(*symbol, ""),
            Expected::OperatorOf(subject) => {
                for operator in subject.kind().operators() {
                    self.add(operator.as_str(), operator_hint(*operator));
                }
            }
            Expected::ValueOf(subject, _) if subject.kind() == Kind::Flag => {
                self.add("true", "");
                self.add("false", "");
            }
            Expected::ValueOf(subject, _) => self.occurring = Some(Occurring::Values(subject.clone())),
            Expected::AnnotationKey => self.occurring = Some(Occurring::AnnotationKeys),
            Expected::Node => {
                self.occurring = Some(Occurring::NodeNames);
                self.add("id(", "a node by name, type or account");
            }
            Expected::NodeName => self.occurring = Some(Occurring::NodeNames),
            Expected::NodeType => self.occurring = Some(Occurring::NodeTypes),
            Expected::NodeAccount => self.occurring = Some(Occurring::Accounts),
            Expected::IdPart => {
                self.add("name: ", "name of the node");
                self.add("type: ", "type of the node");
                self.add("account.id: ", "account of the node");
            }
            Expected::RootCauses => {
                self.add("#[{\"Services\": [{\"Name\": \"", "root causes as in trace summaries");
            }
            Expected::End => {}
        }
    }

    fn conditions(&mut self, scope: Scope) {
        for keyword in Keyword::within(scope) {
            let insert = match keyword.kind {
                Kind::Annotation => "annotation.".to_owned(),
                Kind::Service | Kind::Edge => format!("{}(", keyword.name),
                Kind::Cause(..) => format!("{} {{ ", keyword.name),
                Kind::CauseJson => format!("{} = #[", keyword.name),
                _ => keyword.name.to_owned(),
            };
            if keyword.kind == Kind::Annotation
                && self.form == Form::Bare
                && self.typed.len() > "annotation".len()
            {
                self.occurring = Some(Occurring::AnnotationKeys);
            }
            self.add(insert, keyword.hint);
        }
        self.add("!", "the condition does not hold");
        self.add("(", "conditions that belong together");
    }
}

fn operator_hint(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "is",
        Operator::NotEqual => "is set, and is not",
        Operator::Less => "is less than",
        Operator::LessOrEqual => "is at most",
        Operator::Greater => "is more than",
        Operator::GreaterOrEqual => "is at least",
        Operator::Contains => "has this part",
        Operator::BeginsWith => "begins with this part",
        Operator::EndsWith => "ends with this part",
    }
}
