//! The database members of a document: kind, statement, connection string.
//!
//! Literals are removed from statements in [`sql`](super::sql).

use std::borrow::Cow;

use xray_sdk::document::MAX_VALUE;
use xray_sdk::document::internal::{Section, Written};

use crate::fields::database::sql::WithoutLiterals;
use crate::fields::field_target::FieldTarget;
use crate::fields::url;

impl FieldTarget<'_> {
    pub(in crate::fields) fn put_statement(&mut self, rank: u8, statement: &str) {
        const KEY: &str = "\"sanitized_query\":";
        self.set_remote();
        let statement = statement.trim();
        if statement.is_empty() || self.rules.drop_sql_text {
            return;
        }
        if self.rules.keep_sql_literals {
            return self.body.put_text(Section::Sql, rank, KEY, statement);
        }
        let shown = WithoutLiterals(statement);
        self.body
            .put(Section::Sql, rank, KEY, |out| Written::cut_if(out.put_display_within(shown, MAX_VALUE)));
    }

    pub(in crate::fields) fn put_connection_string(&mut self, text: &str) {
        self.body.put_str(Section::Sql, 0, "\"connection_string\":", &without_password(text));
    }

    pub(crate) fn put_db_system(&mut self, system: &str) {
        self.set_remote();
        // The console can't draw an `sql` block for a store that does not speak it.
        let (section, key) = if NOT_SQL.contains(&system) {
            (Section::Metadata, "\"db.system\":")
        } else {
            (Section::Sql, "\"database_type\":")
        };
        self.body.put_str(section, 0, key, system);
        if section == Section::Sql {
            self.put_sql_versions(system);
            if !self.is_segment {
                // The name of last resort: without it, the map would show a node for each operation.
                let rules = self.rules;
                self.put_ready_name(NAMELESS, "\"otel\":", &rules.database.name);
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

/// Returns a connection string without its password: a URL's, or a `password=…` pair.
fn without_password(text: &str) -> Cow<'_, str> {
    if let Cow::Owned(clean) = url::without_user(text) {
        return clean.into();
    }
    let is_secret = |pair: &&str| {
        let key = pair.split('=').next().unwrap_or(pair).trim().to_ascii_lowercase();
        key == "password" || key == "pwd"
    };
    if !text.split([';', ' ']).any(|pair| is_secret(&pair)) {
        return text.into();
    }
    let separator = if text.contains(';') { ";" } else { " " };
    let kept: Vec<_> = text.split(separator).filter(|pair| !is_secret(pair)).collect();
    kept.join(separator).into()
}
