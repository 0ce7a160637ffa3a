//! Fields about a database: its kind, how to reach it, and the statement. How these lose their secrets is
//! [`sanitize`](crate::fields::sanitize)'s.

use xray_sdk::document::MAX_VALUE;
use xray_sdk::document::internal::{Buffer, Key, Section, Written, keys};

use crate::fields::field_target::FieldTarget;
use crate::fields::sanitize::connection_string::connection_string;
use crate::fields::sanitize::known_statement::KnownStatements;
use crate::fields::sanitize::statement::{Language, Sanitized};
use crate::fields::value::Value;

impl FieldTarget<'_> {
    pub(in crate::fields) fn put_statement(&mut self, rank: u8, statement: &str) {
        const KEY: Key<'_> = keys::SANITIZED_QUERY;
        self.set_remote();
        let statement = if is_trimmed(statement) { statement } else { statement.trim() };
        if statement.is_empty() || self.rules.drop_sql_text || (self.has_whole_statement && rank > WHOLE) {
            return;
        }
        if self.rules.keep_sql_literals {
            self.has_put_statement = true;
            return self.body.put_text(Section::Sql, rank, KEY, statement);
        }
        let language = self.language.unwrap_or_else(|| Language::of(self.rules.database.system.as_deref()));
        let mut written = Written::Nothing;
        self.body.put(Section::Sql, rank, KEY, |out| {
            written = put_statement(out, statement, language, &KNOWN);
            written
        });
        self.has_put_statement |= written != Written::Nothing;
    }

    /// Returns whether a whole statement was announced that is not understood. Its summary may be, so everything is to be put
    /// again.
    pub(crate) fn takes_summary(&mut self) -> bool {
        let takes = self.has_whole_statement && !self.has_put_statement && !self.rules.drop_sql_text;
        if takes {
            self.body.clear();
            self.has_whole_statement = false;
        }
        takes
    }

    pub(in crate::fields) fn put_connection_string(&mut self, text: &str) {
        const KEY: Key<'_> = keys::CONNECTION_STRING;
        match connection_string(text) {
            Some(clean) => self.body.put_str(Section::Sql, 0, KEY, &clean),
            None if text.trim().is_empty() => {}
            None => self.leave_out(Section::Sql, KEY),
        }
    }

    pub(crate) fn put_db_system(&mut self, system: &str) {
        self.set_remote();
        let system = system.trim_ascii();
        if system.is_empty() {
            return;
        }
        // The console can't draw an `sql` block for a store that does not speak it.
        let (section, key) = if is_sql(system) {
            (Section::Sql, keys::DATABASE_TYPE)
        } else {
            (Section::Metadata, keys::DB_SYSTEM)
        };
        // The name of last resort: without it, the map would show a node for each operation. In front of the members, so
        // that these stand together.
        if !self.is_segment {
            let rules = self.rules;
            match section {
                Section::Sql => self.put_ready_name(NAMELESS, keys::OTEL, &rules.database.name),
                _ => self.put_name(NAMELESS, keys::OTEL, Value::Str(system)),
            }
        }
        // A system has a name, and a name no control characters.
        if system.contains(char::is_control) {
            self.leave_out(section, key);
        } else {
            self.body.put_str(section, 0, key, system);
        }
        if section == Section::Sql {
            self.put_sql_versions(system);
        }
    }

    fn put_sql_versions(&mut self, system: &str) {
        let rules = self.rules;
        for known in rules.sql_versions.iter().filter(|known| system.starts_with(known.system)) {
            self.body.put_str(Section::Sql, 0, known.key, &known.version);
        }
    }
}

/// Appends a statement without its values; nothing if its form is not understood.
fn put_statement(out: &mut Buffer, statement: &str, language: Language, known: &KnownStatements) -> Written {
    if known.put(out, statement, language) {
        return Written::Whole;
    }
    let start = out.len();
    let wrote = put_sanitized(out, statement, language);
    if wrote == Written::Whole {
        known.keep(out, start, statement, language);
    }
    wrote
}

#[inline(never)]
fn put_sanitized(out: &mut Buffer, statement: &str, language: Language) -> Written {
    let start = out.len();
    let cut = out.put_display_within(Sanitized { statement, language }, MAX_VALUE);
    if out.len() == start + "\"\"".len() {
        out.truncate(start);
        return Written::Nothing;
    }
    Written::cut_if(cut)
}

/// The highest rank of a statement that is whole. Above is the summary that sqlx sends beside one.
const WHOLE: u8 = 1;

/// Statements of this process that need no change.
static KNOWN: KnownStatements = KnownStatements::new();

/// The rank of the name that any other name overrides.
const NAMELESS: u8 = u8::MAX;

/// Returns whether a string begins and ends with visible ASCII, as most do.
fn is_trimmed(text: &str) -> bool {
    let ends = [text.as_bytes().first(), text.as_bytes().last()];
    ends.into_iter().all(|end| end.is_some_and(u8::is_ascii_graphic))
}

/// Returns whether X-Ray's `sql` block is made for a value of `db.system`.
fn is_sql(system: &str) -> bool {
    !matches!(
        system,
        "dynamodb"
            | "aws.dynamodb"
            | "redis"
            | "mongodb"
            | "memcached"
            | "elasticsearch"
            | "opensearch"
            | "couchdb"
            | "couchbase"
            | "neo4j"
            | "hbase"
            | "aws.redshift.data"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_known_statement_is_shown_as_an_unknown_one(
            statement in "(SELECT|insert into|PRAGMA|GET) [a-z \"'$?0-9=\n`;/*-]{9,30}", system in 0_usize..5,
        ) {
            let system = [None, Some("sqlite"), Some("postgresql"), Some("mysql"), Some("redis")][system];
            let language = Language::of(system);
            let (mut scanned, known) = (Buffer::new(), KnownStatements::new());
            let wrote = put_sanitized(&mut scanned, &statement, language);
            for _ in 0..2 {
                let mut shown = Buffer::new();
                prop_assert_eq!(put_statement(&mut shown, &statement, language, &known), wrote);
                prop_assert_eq!(shown.as_str(), scanned.as_str());
            }
            prop_assert!(!known.put(&mut scanned, &statement, language) || scanned.as_str().ends_with(&json(&statement)));
        }
    }

    fn json(statement: &str) -> String {
        serde_json::to_string(statement).unwrap()
    }

    #[test]
    fn a_statement_with_placeholders_is_scanned_once() {
        let (known, language) = (KnownStatements::new(), Language::of(None));
        for (statement, is_known) in [
            ("SELECT customer FROM orders WHERE shop = $1", true),
            ("SELECT customer FROM orders WHERE shop = '1'", false),
            ("SELECT customer /* of a shop */ FROM orders", false),
        ] {
            let mut out = Buffer::new();
            assert_eq!(put_statement(&mut out, statement, language, &known), Written::Whole);
            assert_eq!(known.put(&mut out, statement, language), is_known, "{statement}");
        }
    }
}
