//! Fields on their way into a body. Each value is encoded here, once, according to its callsite's plan.
//!
//! User code runs here (`Debug`, `Display`, the redaction hook), so nothing may be locked meanwhile: it may
//! open spans and send events of its own.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use xray_sdk::TraceHeader;
use xray_sdk::document::internal::{Body, Section, Written, put_name};
use xray_sdk::document::{MAX_STRING, Namespace};

use crate::fields::callsite::CallsiteInfo;
use crate::fields::conventions::Slot;
use crate::fields::deferred::DeferredFields;
use crate::fields::redacted_body::RedactedBody;
use crate::fields::url;
use crate::fields::value::{DebugAsDisplay, Value, visit};
use crate::settings::config::{Database, Redact, SqlVersion};

/// What holds for all values of a layer.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) redact: Option<Redact>,
    /// Whether a URL's query is kept.
    pub(crate) keep_query: bool,
    /// Whether the text of statements is left out.
    pub(crate) drop_sql_text: bool,
    /// Whether the values in it are kept.
    pub(crate) keep_sql_literals: bool,
    pub(crate) sql_versions: Vec<SqlVersion>,
    pub(crate) database: Database,
}

impl Rules {
    /// The value as the user wants it seen.
    pub(crate) fn redacted<'a>(&self, field: &str, value: &'a str) -> Cow<'a, str> {
        match &self.redact {
            Some(redact) => redact.apply(field, value),
            None => value.into(),
        }
    }
}

/// Puts a span's fields into a body.
pub(crate) struct FieldVisitor<'a> {
    callsite: &'a CallsiteInfo,
    /// Whether a value can't replace another, as no two fields have the same key, and nobody redacts it.
    plain: bool,
    /// Which fields this is about.
    pass: Pass<'a>,
    pub(super) rules: &'a Rules,
    pub(super) body: &'a mut Body,
    /// Whether the body is a segment's: some members stand only there.
    pub(super) is_segment: bool,
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
            return self.body.append(Section::Metadata, key, |out| value.put(out, Section::Metadata));
        }
        self.put_any(field, value);
    }

    pub(crate) fn put_any(&mut self, field: &Field, value: Value<'_>) {
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

    #[cold]
    fn put_redacted(&mut self, field: &Field, value: Value<'_>) {
        let rules = self.rules;
        let Some(redact) = &rules.redact else { return };
        value.with_text(|text| match redact.apply(field.name(), text) {
            // An untouched value keeps its type.
            same if same == text => self.put_plain(field, value),
            changed => self.put_plain(field, Value::Str(&changed)),
        });
    }

    #[inline]
    fn put_plain(&mut self, field: &Field, value: Value<'_>) {
        let callsite = self.callsite;
        let Some(slot) = callsite.slots.get(field.index()) else { return };
        match slot {
            Slot::Any { place, key } => {
                let place = *place;
                self.body.put(place, 0, key, |out| value.put(out, place));
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
            Slot::Str { place, rank, key: key @ "\"connection_string\":" } => value.with_text(|text| {
                self.body.put_str(place, rank, key, &without_password(text));
            }),
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
            Slot::UrlPart { rank, key } => value.with_text(|text| self.put_url_part(rank, key, text)),
            Slot::Host { rank } => {
                value.with_text(|text| self.put_url_part(rank, "\"host\":", text));
                self.put_name(rank, "\"host\":", value);
            }
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

    /// Keeps a URL without its password and, unless the user wants it, without its query.
    fn put_url(&mut self, rank: u8, url: &str) {
        let plain = url::is_plain(url);
        let url = if plain || self.rules.keep_query { url } else { url::without_query(url) };
        let clean = if plain { url.into() } else { url::without_user(url) };
        self.body.put_str(Section::HttpRequest, rank, "\"url\":", &clean);
        // A client's name, behind those that name the host by itself.
        if !self.is_segment
            && let Some((_, authority, _)) = url::authority(url)
        {
            self.put_name(8 + rank, "\"host\":", Value::Str(url::host(authority)));
        }
    }

    fn put_url_part(&mut self, rank: u8, key: &str, text: &str) {
        let path_only = |text| if self.rules.keep_query { text } else { before(text, '?') };
        let text = if key == "\"path\":" { path_only(text) } else { text };
        if text.is_empty() {
            return;
        }
        self.body.put(Section::UrlPart, rank, key, |out| {
            Written::cut_if(out.put_escaped_within(text, MAX_STRING))
        });
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
        self.body.put_text(Section::ErrorPart, rank, key, text);
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

/// A connection string without its password: that of a URL's user, or a `password=…` among pairs.
fn without_password(text: &str) -> Cow<'_, str> {
    if let Cow::Owned(clean) = url::without_user(text) {
        return clean.into();
    }
    let is_secret = |pair: &&str| {
        let key = before(pair, '=').trim().to_ascii_lowercase();
        key == "password" || key == "pwd"
    };
    if !text.split([';', ' ']).any(|pair| is_secret(&pair)) {
        return text.into();
    }
    let separator = if text.contains(';') { ";" } else { " " };
    let deferred: Vec<_> = text.split(separator).filter(|pair| !is_secret(pair)).collect();
    deferred.join(separator).into()
}

fn before(text: &str, mark: char) -> &str {
    text.split(mark).next().unwrap_or(text)
}
