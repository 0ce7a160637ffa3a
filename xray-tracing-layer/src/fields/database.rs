//! What fields say of a database: the kind, and the statement. How a statement loses its values is
//! [`sql`](crate::fields::sql)'s.

use xray_sdk::document::MAX_VALUE;
use xray_sdk::document::internal::{Section, Written};

use crate::fields::sql::WithoutLiterals;
use crate::fields::visitor::FieldVisitor;

impl FieldVisitor<'_> {
    pub(super) fn put_statement(&mut self, place: Section, rank: u8, key: &str, text: &str) {
        self.set_remote();
        let text = text.trim();
        if text.is_empty() || self.rules.drop_sql_text {
            return;
        }
        if self.rules.keep_sql_literals {
            return self.body.put_text(place, rank, key, text);
        }
        let shown = WithoutLiterals(text);
        self.body.put(place, rank, key, |out| Written::cut_if(out.put_display_within(shown, MAX_VALUE)));
    }

    pub(crate) fn put_db_system(&mut self, system: &str) {
        self.set_remote();
        // The console can't draw an `sql` block for a store that does not speak it.
        let (place, key) = match NOT_SQL.contains(&system) {
            true => (Section::Metadata, "\"db.system\":"),
            false => (Section::Sql, "\"database_type\":"),
        };
        self.body.put_str(place, 0, key, system);
        if place == Section::Sql {
            self.put_sql_versions(system);
            if !self.is_segment {
                // For want of any other name: a node for each operation is none of a database.
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

/// The rank of a name that any other goes before.
const NAMELESS: u8 = u8::MAX;

/// Values of `db.system` that X-Ray's `sql` block does not fit.
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
