//! The visitor for the fields of a new root whose fields that decide come first, and which no hook looks at.
//!
//! Those fields are noted: OpenTelemetry's kind, a trace header, a decision of the program's. The root is decided about at the
//! first field that follows. From there on its fields are encoded if it is recorded, and copied otherwise. What a request's
//! root has, a method, a URL and short texts, is appended as ready members. Any other value is encoded by its slot.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::{MAX_STRING, Namespace};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::field_target::{FieldTarget, HeaderField};
use crate::fields::redacted_body::RedactedBody;
use crate::fields::sanitize::url::is_plain_url;
use crate::fields::slot::{Slot, is_call};
use crate::fields::value::{DebugAsDisplay, Value};
use crate::fields::visitor::{PlainVisitor, ReadyWay, ReadyWays};
use crate::lifecycle::core::Core;
use crate::state::record::SpanRecord;

/// Decides about a new root, and writes its fields.
pub(super) struct RootFields<'a> {
    core: &'a Core,
    callsite: &'a CallsiteInfo,
    keys: &'a ReadyWays,
    record: &'a mut SpanRecord,
    id: u64,
    header: Option<HeaderField>,
    forced: Option<bool>,
    is_decided: bool,
    is_written: bool,
}

impl<'a> RootFields<'a> {
    pub(super) fn new(
        core: &'a Core,
        callsite: &'a CallsiteInfo,
        keys: &'a ReadyWays,
        record: &'a mut SpanRecord,
        id: u64,
    ) -> Self {
        let (header, forced) = (None, None);
        Self { core, callsite, keys, record, id, header, forced, is_decided: false, is_written: false }
    }

    /// Notes OpenTelemetry's kind. One that comes after the decision was looked for before it.
    #[inline]
    pub(super) fn note_kind(&mut self, is_call: bool) {
        if is_call && !self.is_decided && self.record.body.namespace().is_none() {
            self.record.body.set_namespace(Namespace::Remote);
        }
    }

    /// Notes any field that decides.
    #[inline(never)]
    fn note(&mut self, slot: &Slot, value: Value<'_>) {
        if !self.is_decided {
            let mut target = FieldTarget::new(&self.core.config.rules, &mut self.record.body, true);
            slot.write_known(value, &mut target);
            self.header = target.header.or_else(|| self.header.take());
            self.forced = target.forced.or(self.forced);
        }
    }

    /// Decides about the root, unless it has been decided about.
    #[inline]
    pub(super) fn decide(&mut self) {
        if !self.is_decided {
            self.decide_now();
        }
    }

    #[inline(never)]
    fn decide_now(&mut self) {
        if self.header.is_none() && self.forced.is_none() {
            self.core.decide_by_kind(self.record, self.id);
        } else {
            self.core.place_root(self.record, (self.id, false), self.header.take(), self.forced);
        }
        (self.is_decided, self.is_written) = (true, self.record.is_written());
    }

    /// Returns whether the root's fields are encoded. All that decides has been noted by now.
    #[inline]
    fn is_written(&mut self) -> bool {
        self.decide();
        self.is_written
    }

    /// Returns the visitor for fields that are encoded.
    #[inline]
    fn visitor(&mut self) -> PlainVisitor<'_> {
        let Self { core, callsite, keys, record, .. } = self;
        PlainVisitor::with_keys(callsite, &keys.keys, &core.config.rules, &mut record.body, true)
    }

    #[inline(never)]
    fn put_url(&mut self, field: &Field, url: &str) {
        match self.keys.keys.get(field.index()) {
            Some(key) if url.len() <= MAX_STRING && is_plain_url(url) => {
                self.record.body.append_unescaped(key, url);
            }
            _ => self.put_other(field, Value::Str(url)),
        }
    }

    #[inline(never)]
    fn put_other(&mut self, field: &Field, value: Value<'_>) {
        let Some(slot) = self.callsite.slots.get(field.index()) else { return };
        if slot.is_decisive() {
            return self.note(slot, value);
        }
        if self.is_written() {
            return self.visitor().put_by_slot(slot, value);
        }
        // Fields that documents do not contain, such as headers, are not even formatted.
        if *slot != Slot::Ignored {
            self.defer(field, value);
        }
    }

    #[inline]
    fn defer(&mut self, field: &Field, value: Value<'_>) {
        self.record.deferred.get_or_insert_default().keep(field.index(), value);
    }
}

impl Visit for RootFields<'_> {
    fn record_str(&mut self, field: &Field, text: &str) {
        match self.keys.ways.get(field.index()) {
            Some(ReadyWay::Kind) => self.note_kind(is_call(text)),
            Some(ReadyWay::Short | ReadyWay::Url { .. }) if !self.is_written() => {
                self.defer(field, Value::Str(text));
            }
            // A blank text may count as absent.
            Some(ReadyWay::Short) if !text.starts_with(' ') => self.visitor().record_str(field, text),
            Some(ReadyWay::Url { .. }) => self.put_url(field, text),
            _ => self.put_other(field, Value::Str(text)),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put_other(field, Value::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put_other(field, Value::U64(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put_other(field, Value::F64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put_other(field, Value::Bool(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_other(field, Value::Display(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if self.callsite.slots.get(field.index()) != Some(&Slot::Error) {
            return self.put_other(field, Value::Display(&DebugAsDisplay(value)));
        }
        // Encoded at once in any root, because it can't be copied.
        self.decide();
        let (rules, stack) = (&self.core.config.rules, &self.callsite.stack);
        RedactedBody::new(&mut self.record.body, rules).add_error(field.name(), value, stack);
    }
}
