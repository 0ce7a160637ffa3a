//! What fields say of a database: its kind, how to reach it, and the statement. How statements lose their values
//! is [`sanitize`](crate::fields::sanitize)'s.

use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::MAX_VALUE;
use xray_sdk::document::internal::{Body, Buffer, Section, Written};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::conventions::Slot;
use crate::fields::sanitize::connection_string::connection_string;
use crate::fields::sanitize::statement::{Language, Sanitized};
use crate::fields::value::Value;
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
        let language = self.language.unwrap_or_else(|| Language::of(self.rules.database.system.as_deref()));
        self.body.put(place, rank, key, |out| put_statement(out, text, language));
    }

    pub(super) fn put_connection_string(&mut self, text: &str) {
        const KEY: &str = "\"connection_string\":";
        match connection_string(text) {
            Some(clean) => self.body.put_str(Section::Sql, 0, KEY, &clean),
            None if text.trim().is_empty() => {}
            None => self.leave_out(Section::Sql, KEY),
        }
    }

    /// Looks for the database's kind before statements are read: a field behind them may name it.
    #[inline]
    pub(crate) fn read_system(&mut self, fields: impl FnOnce(&mut dyn Visit)) {
        if self.callsite.states_system {
            let mut system = SystemVisitor { callsite: self.callsite, language: None };
            fields(&mut system);
            self.language = system.language;
        }
    }

    /// Takes over what the span's record says of its database.
    pub(crate) fn with_language(mut self, language: Option<Language>) -> Self {
        self.language = language;
        self
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

/// Appends a statement without its values; nothing if its form is not understood.
pub(super) fn put_statement(out: &mut Buffer, statement: &str, language: Language) -> Written {
    let start = out.len();
    let cut = out.put_display_within(Sanitized { statement, language }, MAX_VALUE);
    if out.as_str().ends_with("\"\"") && out.len() == start + 2 {
        out.truncate(start);
        return Written::Nothing;
    }
    Written::cut_if(cut)
}

/// Returns the language of statements by what a record's body says of the database.
pub(crate) fn language_in(body: &Body) -> Option<Language> {
    let system = body
        .text_of(Section::Sql, "\"database_type\":")
        .or_else(|| body.text_of(Section::Metadata, "\"db.system\":"));
    system.map(|system| Language::of(Some(system)))
}

/// Looks for the kind of database among fields, and at nothing else.
pub(crate) struct SystemVisitor<'a> {
    pub(super) callsite: &'a CallsiteInfo,
    pub(super) language: Option<Language>,
}

impl Visit for SystemVisitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.callsite.slots.get(field.index()) == Some(&Slot::DbSystem) {
            self.language = Some(Language::of(Some(value)));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.callsite.slots.get(field.index()) == Some(&Slot::DbSystem) {
            Value::Display(value).with_text(|system| self.language = Some(Language::of(Some(system))));
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
