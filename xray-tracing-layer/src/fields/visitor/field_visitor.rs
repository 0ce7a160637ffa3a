//! The visitor that encodes a span's fields. Each value is encoded once, by the slot of its field.
//!
//! User code runs here (`Debug`, `Display`, the redaction hook) and may open spans and send events itself.
//! Therefore no lock may be held.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::internal::{Body, Section};

use super::plain_visitor::PlainVisitor;
use super::ready_ways::{ReadyWay, ReadyWays};
use crate::fields::callsite::CallsiteInfo;
use crate::fields::deferred::DeferredFields;
use crate::fields::field_target::FieldTarget;
use crate::fields::redacted_body::RedactedBody;
use crate::fields::sanitize::statement::Language;
use crate::fields::slot::{Slot, is_call};
use crate::fields::value::{DebugAsDisplay, Value, visit};
use crate::settings::redaction::Rules;

/// Writes a span's fields into its target.
pub(crate) struct FieldVisitor<'a> {
    callsite: &'a CallsiteInfo,
    /// Set if values can simply be appended: no two fields have the same key, and there is no redaction
    /// hook.
    plain: bool,
    /// The ways of short texts and URLs, if these can simply be appended.
    ways: Option<&'a ReadyWays>,
    /// The fields that this visitor handles.
    pass: Pass<'a>,
    pub(crate) target: FieldTarget<'a>,
}

/// A pass through a root's fields. Some fields decide whether the others are encoded, so there are two passes.
enum Pass<'a> {
    /// The only pass: all fields.
    Only,
    /// The first pass: decisive fields.
    Decisive,
    /// The second pass, for a recorded root: the other fields.
    Rest,
    /// The second pass, for an unrecorded root: the other fields, copied.
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
        Self { callsite, plain: false, ways: None, pass: Pass::Only, target }
    }

    /// Creates a visitor for the fields of a new span, whose body is empty.
    pub(crate) fn for_new(
        callsite: &'a CallsiteInfo,
        rules: &'a Rules,
        body: &'a mut Body,
        is_segment: bool,
    ) -> Self {
        let mut visitor = Self::new(callsite, rules, body, is_segment);
        visitor.plain = callsite.unique && rules.redact.is_none();
        visitor.ways = callsite.ways.as_deref().filter(|_| visitor.plain);
        visitor.target.distinct = callsite.distinct_request;
        visitor
    }

    /// Creates a visitor for the decisive fields of a new root.
    pub(crate) fn for_decision(callsite: &'a CallsiteInfo, rules: &'a Rules, body: &'a mut Body) -> Self {
        Self { pass: Pass::Decisive, ..Self::new(callsite, rules, body, true) }
    }

    /// Creates a visitor for the other fields of a recorded root.
    pub(crate) fn for_rest(callsite: &'a CallsiteInfo, rules: &'a Rules, body: &'a mut Body) -> Self {
        Self { pass: Pass::Rest, ..Self::for_new(callsite, rules, body, true) }
    }

    /// Creates a visitor that copies the other fields of an unrecorded root. An error value is encoded at
    /// once, because it can't be copied.
    pub(crate) fn for_deferring(
        callsite: &'a CallsiteInfo,
        rules: &'a Rules,
        body: &'a mut Body,
        deferred: &'a mut DeferredFields,
    ) -> Self {
        Self { pass: Pass::Keep(deferred), ..Self::new(callsite, rules, body, true) }
    }

    #[inline]
    pub(crate) fn put(&mut self, field: &Field, value: Value<'_>) {
        let Some(slot) = self.callsite.slots.get(field.index()) else { return };
        // Most fields are metadata of a new span.
        if self.plain
            && let Slot::Any { section: Section::Metadata, key, .. } = slot
        {
            let keep_query = self.target.rules.keep_query;
            return self.target.body.append(Section::Metadata, 0, key.as_key(), |out| {
                value.put(out, Section::Metadata, keep_query)
            });
        }
        self.put_any(field, slot, value);
    }

    /// Puts a string by its ready way. Puts nothing and returns `false` if it has none.
    #[inline]
    fn put_ready(&mut self, field: &Field, text: &str) -> bool {
        let Some(ReadyWays { ways, keys }) = self.ways else { return false };
        match (ways.get(field.index()), keys.get(field.index())) {
            // A blank text may count as absent.
            (Some(ReadyWay::Short), _) if !text.starts_with(' ') => {
                let FieldTarget { rules, body, is_segment, .. } = &mut self.target;
                PlainVisitor::with_keys(self.callsite, keys, rules, body, *is_segment)
                    .record_str(field, text);
                true
            }
            (Some(ReadyWay::Kind), _) if matches!(self.pass, Pass::Only) => {
                if is_call(text) {
                    self.target.set_remote();
                }
                true
            }
            (Some(ReadyWay::Url { rank }), Some(key)) => self.target.put_plain_url(*rank, key, text),
            _ => false,
        }
    }

    #[inline(never)]
    fn put_any(&mut self, field: &Field, slot: &Slot, value: Value<'_>) {
        match &mut self.pass {
            Pass::Only => {}
            Pass::Decisive if slot.is_decisive() => {}
            Pass::Rest if !slot.is_decisive() => {}
            Pass::Keep(deferred) if !slot.is_decisive() => {
                // Fields that documents do not contain, such as headers, are not even formatted.
                if !matches!(slot, Slot::Ignored) {
                    deferred.keep(field.index(), value);
                }
                return;
            }
            Pass::Decisive | Pass::Rest | Pass::Keep(_) => return,
        }
        // By what the field says, whatever a hook makes of it.
        if *slot == Slot::DbSystem && self.callsite.has_statement && self.target.language.is_none() {
            value.with_text(|system| self.target.language = Some(Language::of(Some(system))));
        }
        if self.target.rules.redact.is_some() {
            return self.put_redacted(field, slot, value);
        }
        slot.write(value, &mut self.target);
    }

    /// Encodes copied fields.
    pub(crate) fn replay(&mut self, deferred: &DeferredFields) {
        for (index, value) in deferred.iter() {
            if let Some(field) = self.callsite.fields.iter().nth(index) {
                self.put(&field, value);
            }
        }
    }

    #[cold]
    fn put_redacted(&mut self, field: &Field, slot: &Slot, value: Value<'_>) {
        let rules = self.target.rules;
        let Some(redact) = &rules.redact else { return };
        value.with_text(|text| match redact.apply(field.name(), text) {
            // An unchanged value keeps its type.
            same if same == text => slot.write(value, &mut self.target),
            changed => match slot {
                Slot::Secret { section, rank, key } => {
                    let (section, rank) = (*section, *rank);
                    let shown = Slot::Any { section, rank, key: key.clone() };
                    shown.write(Value::Str(&changed), &mut self.target);
                }
                _ => slot.write(Value::Str(&changed), &mut self.target),
            },
        });
    }
}

impl Visit for FieldVisitor<'_> {
    visit! {
        record_i64: i64 => I64, record_u64: u64 => U64, record_f64: f64 => F64,
        record_bool: bool => Bool, record_debug: &dyn fmt::Debug => Display
    }

    fn record_str(&mut self, field: &Field, text: &str) {
        if !self.put_ready(field, text) {
            self.put(field, Value::Str(text));
        }
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;
    use tracing_core::span::{Attributes, Id};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
    use xray_sdk::SegmentId;
    use xray_sdk::document::internal::{Buffer, Children, Frame, Kind};

    use super::*;
    use crate::fields::callsite::CallsiteCache;

    /// Writes the fields of each span with the ready ways and without, and keeps both documents.
    struct BothWays(CallsiteCache, Arc<Mutex<Vec<[String; 2]>>>);

    impl<S: tracing::Subscriber> Layer<S> for BothWays {
        fn on_new_span(&self, attrs: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            let (_, callsite) = self.0.of(attrs.metadata());
            assert!(callsite.ways.is_some());
            let (rules, none) = (Rules::default(), Children::new());
            let documents = [true, false].map(|is_ready| {
                let mut body = Body::new();
                body.make_room();
                let mut visitor = FieldVisitor::for_new(callsite, &rules, &mut body, false);
                visitor.ways = visitor.ways.filter(|_| is_ready);
                assert_eq!(visitor.ways.is_some(), is_ready);
                attrs.record(&mut visitor);
                let (kind, id) = (Kind::EMBEDDED, SegmentId::from(7));
                let frame =
                    Frame { kind, id, name: "call", start: 1, end: Some(2), body: &body, children: &none };
                let mut out = Buffer::new();
                frame.put(&mut out);
                out.as_str().to_owned()
            });
            self.1.lock().unwrap().push(documents);
        }
    }

    proptest! {
        #[test]
        fn ready_ways_write_what_the_others_do(
            method in "[A-Z]{0,8}|.{0,20}", text in "[a-z ]{0,18}|.{0,9}",
            url in "https?://[a-z.@:-]{0,12}(:[0-9]{0,6})?(/[a-z0-9 ~%;=@/?#:\\\\ü-]{0,12})?|https?://[a-z.]{1,20}(:[0-9]{1,5})?(/[a-z0-9/._-]{0,300})?",
        ) {
            let documents = Arc::default();
            let layer = BothWays(CallsiteCache::new(Default::default()), Arc::clone(&documents));
            tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
                let (method, text, url) = (&*method, &*text, &*url);
                tracing::info_span!("call", otel.kind = "client", http.request.method = method, url.full = url, text);
                tracing::info_span!("call", text, http.url = url, server.address = text, peer.service = method);
                tracing::info_span!("call", http.url = url, otel.kind = "client", http.host = method);
            });
            let documents = documents.lock().unwrap();
            prop_assert_eq!(documents.len(), 3);
            for [ready, other] in documents.iter() {
                prop_assert_eq!(ready, other);
            }
        }
    }
}
