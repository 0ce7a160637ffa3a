//! Fields on their way into a body. Each value is encoded here, once, according to its callsite's plan.
//!
//! User code runs here (`Debug`, `Display`, the redaction hook), so nothing may be locked meanwhile: it may
//! open spans and send events of its own.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::internal::{Body, Section};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::deferred::DeferredFields;
use crate::fields::field_target::FieldTarget;
use crate::fields::redacted_body::RedactedBody;
use crate::fields::slot::Slot;
use crate::fields::value::{DebugAsDisplay, Value, visit};
use crate::settings::redaction::Rules;

/// Puts a span's fields into a body.
pub(crate) struct FieldVisitor<'a> {
    callsite: &'a CallsiteInfo,
    /// Whether a value can't replace another, as no two fields have the same key, and no hook redacts it.
    plain: bool,
    /// Which fields this is about.
    pass: Pass<'a>,
    pub(crate) target: FieldTarget<'a>,
}

/// Of a root's fields some decide what becomes of the others, so they are passed over twice.
enum Pass<'a> {
    /// There is no other.
    Only,
    /// Those that decide.
    Decisive,
    /// The others.
    Rest,
    /// The others, of a root that is not recorded.
    Keep(&'a mut DeferredFields),
}

impl<'a> FieldVisitor<'a> {
    pub(crate) fn new(
        callsite: &'a CallsiteInfo,
        rules: &'a Rules,
        body: &'a mut Body,
        is_segment: bool,
    ) -> Self {
        let target = FieldTarget::new(rules, body, is_segment);
        Self { callsite, plain: false, pass: Pass::Only, target }
    }

    /// For the fields that a span is created with: nothing is there yet.
    pub(crate) fn for_new(
        callsite: &'a CallsiteInfo,
        rules: &'a Rules,
        body: &'a mut Body,
        is_segment: bool,
    ) -> Self {
        Self {
            plain: callsite.unique && rules.redact.is_none(),
            ..Self::new(callsite, rules, body, is_segment)
        }
    }

    /// For those of a new root's fields that decide what becomes of it, and of the others.
    pub(crate) fn for_decision(callsite: &'a CallsiteInfo, rules: &'a Rules, body: &'a mut Body) -> Self {
        Self { pass: Pass::Decisive, ..Self::new(callsite, rules, body, true) }
    }

    /// For the others, when it is recorded.
    pub(crate) fn for_rest(callsite: &'a CallsiteInfo, rules: &'a Rules, body: &'a mut Body) -> Self {
        Self { pass: Pass::Rest, ..Self::for_new(callsite, rules, body, true) }
    }

    /// For the others, when it is not. An error that is one is put into the body all the same.
    pub(crate) fn for_deferring(
        callsite: &'a CallsiteInfo,
        rules: &'a Rules,
        body: &'a mut Body,
        deferred: &'a mut DeferredFields,
    ) -> Self {
        Self { pass: Pass::Keep(deferred), ..Self::new(callsite, rules, body, true) }
    }

    #[inline]
    fn put(&mut self, field: &Field, value: Value<'_>) {
        // Most fields are metadata of a new span.
        if self.plain
            && let Some(Slot::Any { section: Section::Metadata, key }) =
                self.callsite.slots.get(field.index())
        {
            let keep_query = self.target.rules.keep_query;
            return self
                .target
                .body
                .append(Section::Metadata, key, |out| value.put(out, Section::Metadata, keep_query));
        }
        self.put_any(field, value);
    }

    fn put_any(&mut self, field: &Field, value: Value<'_>) {
        let callsite = self.callsite;
        let is_decisive = || callsite.slots.get(field.index()).is_some_and(Slot::is_decisive);
        match &mut self.pass {
            Pass::Only => {}
            Pass::Decisive if is_decisive() => {}
            Pass::Rest if !is_decisive() => {}
            Pass::Keep(deferred) if !is_decisive() => {
                // What no document has is not asked for its text either: headers, for instance.
                if !matches!(callsite.slots.get(field.index()), None | Some(Slot::Ignored)) {
                    deferred.keep(field.index(), value);
                }
                return;
            }
            Pass::Decisive | Pass::Rest | Pass::Keep(_) => return,
        }
        if self.target.rules.redact.is_some() {
            return self.put_redacted(field, value);
        }
        self.put_plain(field, value);
    }

    /// Takes fields that were only copied when they came.
    pub(crate) fn replay(&mut self, deferred: &DeferredFields) {
        for (index, value) in deferred.iter() {
            if let Some(field) = self.callsite.fields.iter().nth(index) {
                self.put_any(&field, value);
            }
        }
    }

    #[cold]
    fn put_redacted(&mut self, field: &Field, value: Value<'_>) {
        let rules = self.target.rules;
        let Some(redact) = &rules.redact else { return };
        value.with_text(|text| match redact.apply(field.name(), text) {
            // An untouched value keeps its type.
            same if same == text => self.put_plain(field, value),
            changed => match self.callsite.slots.get(field.index()) {
                Some(Slot::Secret { key }) => self.target.body.put_text(Section::Metadata, 0, key, &changed),
                _ => self.put_plain(field, Value::Str(&changed)),
            },
        });
    }

    #[inline]
    fn put_plain(&mut self, field: &Field, value: Value<'_>) {
        if let Some(slot) = self.callsite.slots.get(field.index()) {
            slot.write(value, &mut self.target);
        }
    }
}

impl Visit for FieldVisitor<'_> {
    visit! {
        record_str: &str => Str, record_i64: i64 => I64, record_u64: u64 => U64, record_f64: f64 => F64,
        record_bool: bool => Bool, record_debug: &dyn fmt::Debug => Display
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if self.callsite.slots.get(field.index()) == Some(&Slot::Error) {
            if matches!(self.pass, Pass::Decisive) {
                return;
            }
            RedactedBody::new(self.target.body, self.target.rules).add_error(
                field.name(),
                value,
                &self.callsite.stack,
            );
        } else {
            self.put(field, Value::Display(&DebugAsDisplay(value)));
        }
    }
}
