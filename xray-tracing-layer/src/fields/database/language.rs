//! The language of statements, looked for where it may be known: in fields, and in a span's body.
//!
//! A field behind the statement may name the database, so the kind of database is read before the statement is.

use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::internal::{Body, Section, keys};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::sanitize::statement::Language;
use crate::fields::slot::Slot;
use crate::fields::value::Value;

/// Returns the language of statements by what a span's body says of the database.
pub(crate) fn language_in(body: &Body) -> Option<Language> {
    let system = body
        .text_of(Section::Sql, keys::DATABASE_TYPE)
        .or_else(|| body.text_of(Section::Metadata, keys::DB_SYSTEM));
    system.map(|system| Language::of(Some(system)))
}

/// Returns the language of a callsite's statement by its other fields. Visits none if no field behind the statement may say
/// so: one in front of it is met in time.
#[inline]
pub(crate) fn language_of(callsite: &CallsiteInfo, fields: impl FnOnce(&mut dyn Visit)) -> Option<Language> {
    if !callsite.states_system_late {
        return None;
    }
    let mut visitor = LanguageVisitor { callsite, language: None };
    fields(&mut visitor);
    visitor.language
}

struct LanguageVisitor<'a> {
    callsite: &'a CallsiteInfo,
    language: Option<Language>,
}

impl LanguageVisitor<'_> {
    fn put(&mut self, field: &Field, value: Value<'_>) {
        if self.callsite.slots.get(field.index()) == Some(&Slot::DbSystem) {
            value.with_text(|system| self.language = Some(Language::of(Some(system))));
        }
    }
}

impl Visit for LanguageVisitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::Str(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::Display(value));
    }
}
