//! Fields about a database: its kind, how to reach it, and the statement. How these lose their secrets is
//! [`sanitize`](crate::fields::sanitize)'s.

use xray_sdk::document::MAX_VALUE;
use xray_sdk::document::internal::{Buffer, Key, Section, Written, keys};

use crate::fields::field_target::FieldTarget;
use crate::fields::sanitize::connection_string::connection_string;
use crate::fields::sanitize::statement::{Language, Sanitized};
use crate::fields::value::Value;

impl FieldTarget<'_> {
    pub(in crate::fields) fn put_statement(&mut self, rank: u8, statement: &str) {
        const KEY: Key<'_> = keys::SANITIZED_QUERY;
        self.set_remote();
        let statement = statement.trim();
        if statement.is_empty() || self.rules.drop_sql_text {
            return;
        }
        if self.rules.keep_sql_literals {
            return self.body.put_text(Section::Sql, rank, KEY, statement);
        }
        let language = self.language.unwrap_or_else(|| Language::of(self.rules.database.system.as_deref()));
        self.body.put(Section::Sql, rank, KEY, |out| put_statement(out, statement, language));
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
        let (section, key) = if NOT_SQL.contains(&system) {
            if !self.is_segment {
                self.put_name(NAMELESS, keys::OTEL, Value::Str(system));
            }
            (Section::Metadata, keys::DB_SYSTEM)
        } else {
            (Section::Sql, keys::DATABASE_TYPE)
        };
        // A system has a name, and a name no control characters.
        if system.contains(char::is_control) {
            self.leave_out(section, key);
        } else {
            self.body.put_str(section, 0, key, system);
        }
        if section == Section::Sql {
            self.put_sql_versions(system);
            if !self.is_segment {
                // The name of last resort: without it, the map would show a node for each operation.
                let rules = self.rules;
                self.put_ready_name(NAMELESS, keys::OTEL, &rules.database.name);
            }
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
fn put_statement(out: &mut Buffer, statement: &str, language: Language) -> Written {
    let start = out.len();
    let cut = out.put_display_within(Sanitized { statement, language }, MAX_VALUE);
    if out.len() == start + "\"\"".len() {
        out.truncate(start);
        return Written::Nothing;
    }
    Written::cut_if(cut)
}

/// The rank of the name that any other name overrides.
const NAMELESS: u8 = u8::MAX;

/// Values of `db.system` for which X-Ray's `sql` block is not made.
const NOT_SQL: &[&str] = &[
    "dynamodb",
    "aws.dynamodb",
    "redis",
    "mongodb",
    "memcached",
    "elasticsearch",
    "opensearch",
    "couchdb",
    "couchbase",
    "neo4j",
    "hbase",
    "aws.redshift.data",
];
