//! The tables of DynamoDB's batches, transactions and statements.
//!
//! The SDK's input attributes are strings, and these operations have more than one table. The names are read
//! from the request, which is JSON: only the members that hold a table's name, or a statement, are looked at.

use std::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Returns the names of an operation's tables, each once; none for an operation that the SDK captures itself.
pub(super) fn tables_of(operation: &str, request: &[u8]) -> Vec<String> {
    let (path, is_statement): (&[Step], _) = match operation {
        "BatchGetItem" | "BatchWriteItem" => (&[Step::Member("RequestItems"), Step::Keys], false),
        "TransactGetItems" | "TransactWriteItems" => {
            (&[Step::Member("TransactItems"), Step::Each, Step::Each, Step::Member("TableName")], false)
        }
        "ExecuteStatement" => (&[Step::Member("Statement")], true),
        "BatchExecuteStatement" => {
            (&[Step::Member("Statements"), Step::Each, Step::Member("Statement")], true)
        }
        "ExecuteTransaction" => {
            (&[Step::Member("TransactStatements"), Step::Each, Step::Member("Statement")], true)
        }
        _ => return Vec::new(),
    };
    let mut found = Found::default();
    let mut json = serde_json::Deserializer::from_slice(request);
    // What was found before an error is as good.
    let _ = Find { path, found: &mut found, is_statement }.deserialize(&mut json);
    found.0
}

/// A step from a JSON value to those inside.
#[derive(Clone, Copy)]
enum Step {
    /// The member of this name.
    Member(&'static str),
    /// All members, or all elements.
    Each,
    /// The names of all members.
    Keys,
}

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn add(&mut self, table: &str) {
        if self.0.len() < MAX_TABLES && !self.0.iter().any(|known| known == table) {
            self.0.push(table.to_owned());
        }
    }
}

/// The maximum of tables to name. A transaction has at most a hundred items.
const MAX_TABLES: usize = 100;

/// The search at one value.
struct Find<'a> {
    path: &'a [Step],
    found: &'a mut Found,
    is_statement: bool,
}

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { path, found, is_statement } = self;
        while let Some(key) = map.next_key::<String>()? {
            match path.split_first() {
                Some((Step::Keys, _)) => {
                    found.add(&key);
                    map.next_value::<IgnoredAny>()?;
                }
                Some((Step::Each, path)) => map.next_value_seed(Find { path, found, is_statement })?,
                Some((Step::Member(name), path)) if *name == key => {
                    map.next_value_seed(Find { path, found, is_statement })?;
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { path, found, is_statement } = self;
        match path.split_first() {
            Some((Step::Each, path)) => {
                while list.next_element_seed(Find { path, found, is_statement })?.is_some() {}
            }
            _ => while list.next_element::<IgnoredAny>()?.is_some() {},
        }
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if self.path.is_empty() {
            if self.is_statement {
                table_in(text).into_iter().for_each(|table| self.found.add(table));
            } else {
                self.found.add(text);
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Returns the table of a PartiQL statement: the name after `FROM`, `INTO` or `UPDATE`.
///
/// DynamoDB knows one table for each statement (DynamoDB Developer Guide, "PartiQL statements"). A name in double
/// quotes may be followed by that of an index.
fn table_in(statement: &str) -> Option<&str> {
    let mut rest = statement.trim_start();
    let mut is_next = false;
    while let Some(first) = rest.chars().next() {
        let quoted = matches!(first, '"' | '\'');
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let (token, after) = if quoted {
            let (inside, after) = rest[1..].split_once(first)?;
            (inside, after)
        } else {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            rest.split_at(end.max(first.len_utf8()))
        };
        if is_next {
            // An unquoted name ends at its first dot, behind which is the index.
            let table = if quoted { token } else { token.split('.').next()? };
            return (first != '\'' && (quoted || is_word(first)) && !table.is_empty()).then_some(table);
        }
        is_next = !quoted && ["FROM", "INTO", "UPDATE"].iter().any(|word| token.eq_ignore_ascii_case(word));
        rest = after.trim_start();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_transactions_and_statements_name_their_tables() {
        for (operation, request, tables) in [
            (
                "BatchGetItem",
                r#"{"RequestItems":{"orders":{"Keys":[{"id":{"S":"7"}}]},"users":{"Keys":[]}},"x":null}"#,
                &["orders", "users"][..],
            ),
            (
                "BatchWriteItem",
                r#"{"RequestItems":{"orders":[{"PutRequest":{"Item":{"RequestItems":{"S":"secret"}}}}]}}"#,
                &["orders"],
            ),
            (
                "TransactGetItems",
                r#"{"TransactItems":[{"Get":{"Key":{"id":{"N":"1"}},"TableName":"a"}},{"Get":{"TableName":"b"}}]}"#,
                &["a", "b"],
            ),
            (
                "TransactWriteItems",
                r#"{"ClientRequestToken":"t","TransactItems":[
                    {"Put":{"Item":{"TableName":{"S":"secret"}},"TableName":"a"}},
                    {"Delete":{"TableName":"b"}},{"ConditionCheck":{"TableName":"a"}}]}"#,
                &["a", "b"],
            ),
            (
                "ExecuteStatement",
                r#"{"Statement":"SELECT * FROM \"orders\" WHERE id = 'secret'"}"#,
                &["orders"],
            ),
            (
                "BatchExecuteStatement",
                r#"{"Statements":[{"Statement":"UPDATE orders SET a = ?"},{"Statement":"delete from \"us.ers\""}]}"#,
                &["orders", "us.ers"],
            ),
            (
                "ExecuteTransaction",
                r#"{"TransactStatements":[{"Statement":"INSERT INTO orders VALUE {'id': 'secret'}"}]}"#,
                &["orders"],
            ),
            ("GetItem", r#"{"TableName":"orders"}"#, &[]),
            ("BatchGetItem", r#"{"RequestItems":{"orders":{}},"#, &["orders"]),
            ("BatchGetItem", "[1, true, -2, 0.5, \"x\"]", &[]),
            ("BatchGetItem", "no JSON", &[]),
            ("BatchGetItem", "", &[]),
        ] {
            assert_eq!(tables_of(operation, request.as_bytes()), tables, "{operation} {request}");
        }
        let many: Vec<_> = (0..200).map(|i| format!("\"t{i}\":{{}}")).collect();
        let request = format!("{{\"RequestItems\":{{{}}}}}", many.join(","));
        assert_eq!(tables_of("BatchGetItem", request.as_bytes()).len(), MAX_TABLES);
    }

    #[test]
    fn a_statement_names_its_table_and_nothing_else() {
        for (statement, table) in [
            ("SELECT a FROM orders", Some("orders")),
            ("select a from\n\torders where b = 'from x'", Some("orders")),
            ("SELECT 'x from y' FROM \"my-orders\".\"by-date\" WHERE a = 1", Some("my-orders")),
            ("SELECT a FROM orders.by_date", Some("orders")),
            ("EXISTS(SELECT * FROM orders WHERE id = 1)", Some("orders")),
            ("INSERT INTO \"orders\" VALUE {'id': 1}", Some("orders")),
            ("UPDATE orders SET b = 1", Some("orders")),
            ("DELETE FROM orders WHERE id = 1", Some("orders")),
            ("SELECT a FROM 'secret'", None),
            ("SELECT a FROM \"unclosed", None),
            ("SELECT a FROM", None),
            ("SELECT a FROM (x)", None),
            ("größe \"ü", None),
            ("", None),
        ] {
            assert_eq!(table_in(statement), table, "{statement}");
        }
    }
}
