//! The visitor for the fields of a recorded root that have not decided about it, if no hook looks at them.
//!
//! What a request's root has, a method, a URL and short texts, is appended as ready members. Any other value is encoded as
//! [`FieldVisitor`] does.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::document::MAX_STRING;
use xray_sdk::document::internal::{Body, PlainKey};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::sanitize::url::is_plain_url;
use crate::fields::value::Value;
use crate::fields::visitor::FieldVisitor;
use crate::settings::redaction::Rules;

/// The way of a field of a root into its document.
#[derive(Debug)]
pub(crate) enum RootKey {
    /// None: the field has decided about the root.
    Decided,
    /// A member that a short text becomes as it is.
    Short(PlainKey),
    /// The URL of the request.
    Url(PlainKey),
    /// Any other.
    Other,
}

/// Writes the fields of a new root into its body.
pub(crate) struct RootVisitor<'a> {
    callsite: &'a CallsiteInfo,
    keys: &'a [RootKey],
    rules: &'a Rules,
    body: &'a mut Body,
}

impl<'a> RootVisitor<'a> {
    /// Creates a visitor. Returns `None` if two fields of the callsite may be the same member, or a hook has to see the
    /// values.
    #[inline]
    pub(crate) fn of(callsite: &'a CallsiteInfo, rules: &'a Rules, body: &'a mut Body) -> Option<Self> {
        let keys = callsite.root_keys.as_deref().filter(|_| rules.redact.is_none())?;
        Some(Self { callsite, keys, rules, body })
    }

    #[inline(never)]
    fn put_short(&mut self, field: &Field, key: &PlainKey, text: &str) {
        // A bland string holds none of the bytes that a secret stands behind. A blank one may count as absent.
        if text.starts_with(' ') || !self.body.append_bland(key, text) {
            self.put_other(field, Value::Str(text));
        }
    }

    #[inline(never)]
    fn put_url(&mut self, field: &Field, key: &PlainKey, text: &str) {
        let url = text.trim_ascii();
        if url.len() <= MAX_STRING && is_plain_url(url) {
            self.body.append_unescaped(key, url);
        } else {
            self.put_other(field, Value::Str(text));
        }
    }

    #[inline(never)]
    fn put_other(&mut self, field: &Field, value: Value<'_>) {
        FieldVisitor::for_rest(self.callsite, self.rules, self.body).put(field, value);
    }
}

impl Visit for RootVisitor<'_> {
    fn record_str(&mut self, field: &Field, text: &str) {
        match self.keys.get(field.index()) {
            Some(RootKey::Decided) => {}
            Some(RootKey::Short(key)) => self.put_short(field, key, text),
            Some(RootKey::Url(key)) => self.put_url(field, key, text),
            Some(RootKey::Other) | None => self.put_other(field, Value::Str(text)),
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
        FieldVisitor::for_rest(self.callsite, self.rules, self.body).record_error(field, value);
    }
}
