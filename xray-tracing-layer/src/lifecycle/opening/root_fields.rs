//! The visitor for the fields of a new root of which the kind alone may decide, and which no hook looks at.
//!
//! The root is decided about at its kind, if that comes first, or at whatever comes instead. From there on its fields are
//! encoded if it is recorded, and copied otherwise. What a request's root has, a method, a URL and short texts, is appended as
//! ready members. Any other value is encoded as [`FieldVisitor`] does.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::MAX_STRING;

use crate::fields::callsite::CallsiteInfo;
use crate::fields::sanitize::url::is_plain_url;
use crate::fields::slot::{Slot, is_call};
use crate::fields::value::Value;
use crate::fields::visitor::{FieldVisitor, PlainVisitor, ReadyWay, ReadyWays};
use crate::lifecycle::core::Core;
use crate::state::record::SpanRecord;

/// Decides about a new root, and writes its fields.
pub(super) struct RootFields<'a> {
    core: &'a Core,
    callsite: &'a CallsiteInfo,
    keys: &'a ReadyWays,
    record: &'a mut SpanRecord,
    id: u64,
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
        Self { core, callsite, keys, record, id, is_decided: false, is_written: false }
    }

    /// Decides about a root without a kind.
    pub(super) fn finish(mut self) {
        self.decide(false);
    }

    /// Decides about the root, unless it has been decided about.
    #[inline]
    pub(super) fn decide(&mut self, is_call: bool) {
        if !self.is_decided {
            self.decide_now(is_call);
        }
    }

    #[inline(never)]
    fn decide_now(&mut self, is_call: bool) {
        self.core.decide_by_kind(self.record, self.id, is_call);
        (self.is_decided, self.is_written) = (true, self.record.is_written());
    }

    /// Returns whether the root's fields are encoded. A root that has shown no kind by now has none.
    #[inline]
    fn is_written(&mut self) -> bool {
        self.decide(false);
        self.is_written
    }

    #[inline]
    fn put_short(&mut self, field: &Field, text: &str) {
        let Self { core, callsite, keys, record, .. } = self;
        let rules = &core.config.rules;
        PlainVisitor::with_keys(callsite, &keys.keys, rules, &mut record.body, true).record_str(field, text);
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
        if matches!(self.keys.ways.get(field.index()), Some(ReadyWay::Kind)) {
            return value.with_text(|kind| self.decide(is_call(kind)));
        }
        if self.is_written() {
            return self.visitor().put(field, value);
        }
        // Fields that documents do not contain, such as headers, are not even formatted.
        if self.callsite.slots.get(field.index()).is_some_and(|slot| *slot != Slot::Ignored) {
            self.record.deferred.get_or_insert_default().keep(field.index(), value);
        }
    }

    fn visitor(&mut self) -> FieldVisitor<'_> {
        let (rules, SpanRecord { body, deferred, .. }) = (&self.core.config.rules, &mut *self.record);
        if self.is_written {
            FieldVisitor::for_rest(self.callsite, rules, body)
        } else {
            FieldVisitor::for_deferring(self.callsite, rules, body, deferred.get_or_insert_default())
        }
    }
}

impl Visit for RootFields<'_> {
    fn record_str(&mut self, field: &Field, text: &str) {
        let way = self.keys.ways.get(field.index());
        if matches!(way, Some(ReadyWay::Kind)) {
            return self.decide(is_call(text));
        }
        match way {
            _ if !self.is_written() => self.put_other(field, Value::Str(text)),
            // A blank text may count as absent.
            Some(ReadyWay::Short) if !text.starts_with(' ') => self.put_short(field, text),
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
        self.is_written();
        self.visitor().record_error(field, value);
    }
}
