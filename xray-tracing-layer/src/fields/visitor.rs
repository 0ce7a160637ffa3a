//! Fields on their way into a body. Each value is encoded here, once, according to its callsite's plan.
//!
//! User code runs here (`Debug`, `Display`, the redaction hook), so nothing may be locked meanwhile: it may
//! open spans and send events of its own.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::TraceHeader;
use xray_sdk::document::internal::{Body, Section, Written, put_name};
use xray_sdk::document::{MAX_STRING, MAX_VALUE, Namespace};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::conventions::Slot;
use crate::fields::deferred::DeferredFields;
use crate::fields::redacted_body::RedactedBody;
use crate::fields::sanitize::host::{HostPort, ip_address, is_socket_path};
use crate::fields::sanitize::statement::Language;
use crate::fields::sanitize::url::SafeUrl;
use crate::fields::sanitize::written::put_clean;
use crate::fields::value::{DebugAsDisplay, Value, visit};
use crate::settings::redaction::Rules;

/// Puts a span's fields into a body.
pub(crate) struct FieldVisitor<'a> {
    pub(super) callsite: &'a CallsiteInfo,
    /// Whether a value can't replace another, as no two fields have the same key, and nobody redacts it.
    plain: bool,
    /// Which fields this is about.
    pass: Pass<'a>,
    pub(super) rules: &'a Rules,
    pub(super) body: &'a mut Body,
    /// Whether the body is a segment's: some members stand only there.
    pub(super) is_segment: bool,
    /// What statements are written in, if a field or the record says so.
    pub(super) language: Option<Language>,
    /// A trace header among the fields.
    pub(crate) header: Option<HeaderField>,
    /// Whether the span is to be kept, if a field says so.
    pub(crate) forced: Option<bool>,
    /// An end user named on a subsegment: X-Ray has a place for it on the segment only.
    pub(crate) user: Option<String>,
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

/// A trace header that came as a field.
pub(crate) struct HeaderField {
    /// `None` if it could not be read.
    pub(crate) header: Option<TraceHeader>,
    pub(crate) platform_root: bool,
}

impl<'a> FieldVisitor<'a> {
    pub(crate) fn new(
        callsite: &'a CallsiteInfo,
        rules: &'a Rules,
        body: &'a mut Body,
        is_segment: bool,
    ) -> Self {
        Self {
            callsite,
            plain: false,
            pass: Pass::Only,
            rules,
            body,
            language: None,
            is_segment,
            header: None,
            forced: None,
            user: None,
        }
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
            && let Some(Slot::Any { place: Section::Metadata, key }) = self.callsite.slots.get(field.index())
        {
            let keep_query = self.rules.keep_query;
            return self
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
        if self.rules.redact.is_some() {
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
        let rules = self.rules;
        let Some(redact) = &rules.redact else { return };
        value.with_text(|text| match redact.apply(field.name(), text) {
            // An untouched value keeps its type.
            same if same == text => self.put_plain(field, value),
            changed => match self.callsite.slots.get(field.index()) {
                Some(Slot::Secret { key }) => self.body.put_text(Section::Metadata, 0, key, &changed),
                _ => self.put_plain(field, Value::Str(&changed)),
            },
        });
    }

    #[inline]
    fn put_plain(&mut self, field: &Field, value: Value<'_>) {
        let callsite = self.callsite;
        let Some(slot) = callsite.slots.get(field.index()) else { return };
        match slot {
            Slot::Any { place, key } => {
                let place = *place;
                let keep_query = self.rules.keep_query;
                self.body.put(place, 0, key, |out| value.put(out, place, keep_query));
            }
            Slot::Ignored | Slot::Message => {}
            _ => self.put_known(slot, value),
        }
    }

    fn put_known(&mut self, slot: &Slot, value: Value<'_>) {
        match *slot {
            Slot::Str { place: Section::Top, rank, key } if !self.is_segment => {
                let _ = (rank, key);
                value.with_text(|text| self.user = Some(text.to_owned()));
            }
            Slot::ConnectionString => value.with_text(|text| self.put_connection_string(text)),
            Slot::Secret { ref key } => self.leave_out(Section::Metadata, key),
            Slot::Str { place, rank, key } => {
                if key == "\"rpc.service\":" {
                    self.put_name(0, "\"rpc\":", value);
                }
                value.with_text(|text| self.body.put_str(place, rank, key, text));
            }
            Slot::Text { place, rank, key } => {
                value.with_text(|text| self.put_statement(place, rank, key, text));
            }
            Slot::Number { place, rank, key } => {
                self.body.put(place, rank, key, |out| match value.as_u64() {
                    Some(number) => {
                        out.put_int(number);
                        Written::Whole
                    }
                    None => Written::Nothing,
                });
            }
            // A segment is named by its service: there it is the operation, and metadata takes any text.
            Slot::Name { rank, key: key @ "\"otel\":" } if self.is_segment => {
                self.body.put(Section::Name, rank, key, |out| {
                    Written::cut_if(out.put_escaped_within(value, MAX_STRING))
                });
            }
            Slot::Name { rank, key } => self.put_name(rank, key, value),
            Slot::Url { rank } => value.with_text(|text| self.put_url(rank, text)),
            Slot::UrlPart { key: "\"query\":", .. } if !self.rules.keep_query => {}
            Slot::UrlPart { rank, key: "\"path\":" } => value.with_text(|text| self.put_path(rank, text)),
            Slot::UrlPart { rank, key } => value.with_text(|text| self.put_url_part(rank, key, text)),
            Slot::Host { rank } => value.with_text(|text| self.put_host(rank, text)),
            Slot::ClientIp { rank } => value.with_text(|text| {
                // A receiver takes a subsegment with a client address for a server's.
                let (place, key) = match self.is_segment {
                    true => (Section::HttpRequest, "\"client_ip\":"),
                    false => (Section::Metadata, "\"client.address\":"),
                };
                self.body.put_str(place, rank, key, text);
            }),
            Slot::Forwarded => {
                if self.is_segment && matches!(value, Value::Bool(true)) {
                    self.body.put(Section::HttpRequest, 0, "\"x_forwarded_for\":", |out| {
                        out.put_bool(true);
                        Written::Whole
                    });
                }
            }
            Slot::Status => {
                if let Some(status) = value.as_u64().and_then(|status| u16::try_from(status).ok()) {
                    self.body.set_status(status);
                }
            }
            Slot::GrpcStatus => self.put_grpc_status(value),
            Slot::OtelKind => value.with_text(|kind| {
                if kind.eq_ignore_ascii_case("client") || kind.eq_ignore_ascii_case("producer") {
                    self.set_remote();
                }
            }),
            Slot::OtelStatus => value.with_text(|status| {
                let status = status.to_ascii_lowercase();
                if status.starts_with("error") || status.contains("status::error") {
                    self.body.set_failed();
                }
            }),
            Slot::RpcSystem => value.with_text(|system| match system {
                "aws-api" => self.body.set_namespace(Namespace::Aws),
                _ => self.body.put_str(Section::Rpc, 0, "\"rpc.system\":", system),
            }),
            Slot::Namespace => value.with_text(|namespace| match namespace {
                "aws" => self.body.set_namespace(Namespace::Aws),
                "remote" => self.body.set_namespace(Namespace::Remote),
                _ => {}
            }),
            Slot::DbSystem => value.with_text(|system| self.put_db_system(system)),
            Slot::LogGroups => value.with_text(|groups| self.put_log_groups(groups)),
            Slot::Error => self.put_error(value),
            Slot::ErrorPart { rank, key } => value.with_text(|text| {
                if !text.is_empty() {
                    self.put_error_part(rank, key, text);
                }
            }),
            Slot::Header { platform_root } => value.with_text(|text| {
                self.header = Some(HeaderField { header: text.parse().ok(), platform_root });
            }),
            Slot::Sampled => value.with_text(|text| self.forced = text.parse().ok().or(self.forced)),
            Slot::Any { .. } | Slot::Message | Slot::Ignored => {}
        }
    }

    pub(crate) fn set_remote(&mut self) {
        if self.body.namespace().is_none() {
            self.body.set_namespace(Namespace::Remote);
        }
    }

    /// Puts a name, or a piece of one, that was mended already.
    pub(crate) fn put_ready_name(&mut self, rank: u8, key: &str, name: &str) {
        self.body.put(Section::Name, rank, key, |out| {
            out.put(name);
            Written::Whole
        });
    }

    fn put_name(&mut self, rank: u8, key: &str, value: Value<'_>) {
        value.with_text(|text| {
            if !text.trim().is_empty() {
                self.body.put(Section::Name, rank, key, |out| {
                    put_name(out, text);
                    Written::Whole
                });
            }
        });
    }

    /// Puts a URL without its user and, unless the builder keeps it, without its query.
    fn put_url(&mut self, rank: u8, url: &str) {
        let url = url.trim_ascii();
        if url.is_empty() {
            return;
        }
        let Some(safe) = SafeUrl::parse(url, self.rules.keep_query) else {
            return self.leave_out(Section::HttpRequest, "\"url\":");
        };
        self.body.put_str(Section::HttpRequest, rank, "\"url\":", &safe.to_text());
        // A client's name, behind those that name the host by itself.
        if !self.is_segment
            && let Some(host) = safe.host()
        {
            self.put_name(8 + rank, "\"host\":", Value::Str(host));
        }
    }

    /// Puts the server's host: a name or an address with or without a port, or the path of a socket.
    fn put_host(&mut self, rank: u8, text: &str) {
        let text = text.trim_ascii();
        let name = match HostPort::parse(text) {
            Some(host) => host.host,
            None if text.is_empty() => return,
            None if ip_address(text).is_some() || is_socket_path(text) => text,
            None => return self.leave_out(Section::UrlPart, "\"host\":"),
        };
        self.put_url_part(rank, "\"host\":", text);
        self.put_name(rank, "\"host\":", Value::Str(name));
    }

    /// Puts a path, or that of a whole URL.
    fn put_path(&mut self, rank: u8, text: &str) {
        match SafeUrl::parse(text, self.rules.keep_query).map(SafeUrl::split) {
            Some((_, path)) => self.put_url_part(rank, "\"path\":", path),
            None => self.leave_out(Section::UrlPart, "\"path\":"),
        }
    }

    fn put_url_part(&mut self, rank: u8, key: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        self.body.put(Section::UrlPart, rank, key, |out| {
            Written::cut_if(out.put_escaped_within(text, MAX_STRING))
        });
    }

    /// Counts a value whose form is not understood, and puts nothing.
    pub(super) fn leave_out(&mut self, section: Section, key: &str) {
        self.body.put(section, u8::MAX, key, |_| Written::Nothing);
    }

    /// gRPC's codes that are the caller's mistakes, as in the official SDKs.
    fn put_grpc_status(&mut self, value: Value<'_>) {
        match value.as_u64() {
            Some(0) | None => {}
            Some(8) => self.body.set_throttle(),
            Some(1 | 3 | 5 | 6 | 7 | 9 | 10 | 11 | 16) => self.body.set_error(),
            Some(_) => self.body.set_fault(),
        }
    }

    fn put_log_groups(&mut self, groups: &str) {
        self.body.put(Section::Aws, 0, "\"cloudwatch_logs\":", |out| {
            let (mut cut, mut count) = (false, 0);
            let mut separator = "[";
            for group in groups.split('&').filter(|group| !group.is_empty()).take(MAX_LOG_GROUPS + 1) {
                count += 1;
                if count > MAX_LOG_GROUPS {
                    cut = true;
                    break;
                }
                out.put(std::mem::replace(&mut separator, ","));
                out.put("{\"log_group\":");
                cut |= out.put_string_within(group, MAX_STRING);
                out.put("}");
            }
            out.put(if separator == "[" { "[]" } else { "]" });
            Written::cut_if(cut)
        });
    }

    fn put_error(&mut self, value: Value<'_>) {
        match value {
            Value::Bool(false) => {}
            Value::Bool(true) => self.body.set_failed(),
            _ => value.with_text(|text| {
                if !text.is_empty() {
                    self.put_error_part(2, "\"message\":", text);
                }
            }),
        }
    }

    fn put_error_part(&mut self, rank: u8, key: &str, text: &str) {
        self.body.set_failed();
        let keep_query = self.rules.keep_query;
        self.body.put(Section::ErrorPart, rank, key, |out| {
            Written::cut_if(put_clean(out, text, MAX_VALUE, keep_query))
        });
    }
}

/// Log groups that a document names. A process has a handful.
const MAX_LOG_GROUPS: usize = 20;

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
            RedactedBody::new(self.body, self.rules).add_error(field.name(), value, &self.callsite.stack);
        } else {
            self.put(field, Value::Display(&DebugAsDisplay(value)));
        }
    }
}
