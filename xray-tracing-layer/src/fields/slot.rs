//! The place in a document that a field's name stands for, and the way a value gets there.
//!
//! A callsite knows the slot of each of its fields. A slot owns what it writes: the section, the key, and the
//! form of the value.

use xray_sdk::document::Namespace;
use xray_sdk::document::internal::{Key, OwnedKey, Section, Written, keys};

use crate::fields::field_target::{FieldTarget, HeaderField};
use crate::fields::value::Value;

/// The destination of a field's value. Of two fields with one slot, the lower `rank` wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A member that takes a value of any type.
    Any { section: Section, rank: u8, key: OwnedKey },
    /// A member that is a string of bounded length.
    Str { section: Section, rank: u8, key: Key<'static> },
    /// A member that is a whole number.
    Number { section: Section, rank: u8, key: Key<'static> },
    /// A name for the subsegment, or a piece of one.
    Name { rank: u8, key: Key<'static> },
    /// OpenTelemetry's name of the span: a subsegment's name, a segment's operation.
    OtelName,
    /// The end user; a member of segments only.
    EndUser { rank: u8 },
    /// A whole URL.
    Url { rank: u8 },
    /// The scheme or the port of a URL.
    UrlPart { rank: u8, key: Key<'static> },
    /// The path of a URL, possibly followed by a query.
    UrlPath { rank: u8 },
    /// The query of a URL.
    UrlQuery,
    /// The host of a URL, which is a client's name as well.
    Host { rank: u8 },
    /// The client's address; a member of segments only.
    ClientIp { rank: u8 },
    /// The mark that a proxy reported that address, so that a client may have forged it; a member of segments only.
    Forwarded,
    /// The HTTP status.
    Status,
    /// gRPC's status, as a number or by its name.
    GrpcStatus,
    /// The status of any RPC, of which gRPC's names are understood.
    RpcStatus,
    /// `client`, `server`, `internal` …
    OtelKind,
    /// `OK`, `ERROR` or nothing.
    OtelStatus,
    /// `aws-api`, `grpc` …
    RpcSystem,
    /// The service of an RPC, which is a name as well.
    RpcService,
    /// The method of an RPC.
    RpcMethod,
    /// `aws` or `remote`, set by the user.
    Namespace,
    /// The kind of database.
    DbSystem,
    /// A database statement.
    Statement { rank: u8 },
    /// The address of a database, possibly with a password.
    ConnectionString,
    /// Log groups, joined by `&`.
    LogGroups,
    /// An error value.
    Error,
    /// The type of an error.
    ErrorType { rank: u8 },
    /// The message of an error.
    ErrorMessage { rank: u8 },
    /// A trace header that this span continues. With `platform_root`, the span represents Lambda's own segment.
    Header { platform_root: bool },
    /// The user's own decision on whether the span is recorded.
    Sampled,
    /// An event's message.
    Message,
    /// A fact about a record of the `log` crate, which `tracing-log` passes on as a field of an event.
    LogRecord(LogFact),
    /// A value that is a secret by its name: left out, unless it says no more than yes or no, or the redaction hook
    /// replaces it.
    Secret { section: Section, rank: u8, key: OwnedKey },
    /// A field that documents do not contain.
    Ignored,
}

/// A fact about a record of the `log` crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFact {
    Target,
    Module,
    File,
    Line,
}

impl Slot {
    /// Returns whether the value decides what a new span becomes: its trace, whether it is recorded, whether it is a call to
    /// another service.
    pub(crate) fn is_decisive(&self) -> bool {
        matches!(
            self,
            Self::Header { .. }
                | Self::Sampled
                | Self::Namespace
                | Self::OtelKind
                | Self::RpcSystem
                | Self::DbSystem
                | Self::Statement { .. }
        )
    }

    /// Returns whether the value is decisive, whatever other fields say.
    ///
    /// A statement's language is another field's, and the platform's header makes more than a root of the span.
    pub(crate) fn decides_by_itself(&self) -> bool {
        matches!(
            self,
            Self::Header { platform_root: false }
                | Self::Sampled
                | Self::Namespace
                | Self::OtelKind
                | Self::RpcSystem
        )
    }

    /// Returns the key that the slot writes to in the request, if it does.
    pub(crate) fn request_key(&self) -> Option<Key<'static>> {
        match *self {
            Self::Str { section: Section::HttpRequest, key, .. } => Some(key),
            Self::Url { .. } => Some(keys::URL),
            _ => None,
        }
    }

    /// Returns the member of the request that the slot writes to, or the piece of its URL, which comes with `true`.
    pub(crate) fn place_in_request(&self) -> Option<(Key<'static>, bool)> {
        match *self {
            Self::UrlPart { key, .. } => Some((key, true)),
            Self::UrlPath { .. } => Some((keys::PATH, true)),
            Self::UrlQuery => Some((keys::QUERY, true)),
            Self::Host { .. } => Some((keys::HOST, true)),
            Self::ClientIp { .. } => Some((keys::CLIENT_IP, false)),
            _ => self.request_key().map(|key| (key, false)),
        }
    }

    /// Writes a value into the span.
    #[inline]
    pub(crate) fn write(&self, value: Value<'_>, target: &mut FieldTarget<'_>) {
        match self {
            Self::Any { section, rank, key } => {
                let (section, rank) = (*section, *rank);
                let keep_query = target.rules.keep_query;
                target.body.put(section, rank, key.as_key(), |out| value.put(out, section, keep_query));
            }
            Self::Message | Self::LogRecord(_) | Self::Ignored => {}
            _ => self.write_known(value, target),
        }
    }

    /// Writes a value with a meaning of its own.
    pub(crate) fn write_known(&self, value: Value<'_>, target: &mut FieldTarget<'_>) {
        match *self {
            Self::Secret { section, rank, ref key } => match value {
                Value::Bool(flag) => target.body.put(section, rank, key.as_key(), |out| {
                    out.put_bool(flag);
                    Written::Whole
                }),
                _ => target.leave_out(section, key.as_key()),
            },
            Self::Any { .. } | Self::Message | Self::LogRecord(_) | Self::Ignored => {}
            Self::Str { section, rank, key } => value.with_text(|text| {
                // An empty value counts as absent, so that a field of a higher rank may follow.
                if text.trim_ascii().is_empty() {
                    return;
                }
                match section {
                    Section::HttpRequest => target.put_request(rank, key, text),
                    Section::Sql if text.contains(char::is_control) => target.leave_out(section, key),
                    _ => target.body.put_str(section, rank, key, text),
                }
            }),
            Self::Number { section, rank, key } => target.put_number(section, rank, key, value),
            Self::Name { rank, key } => target.put_name(rank, key, value),
            Self::OtelName => target.put_otel_name(value),
            Self::EndUser { rank } => value.with_text(|user| target.put_end_user(rank, user)),
            Self::Url { rank } => value.with_text(|url| target.put_url(rank, url)),
            Self::UrlPart { rank, key } => target.put_url_part_of(rank, key, value),
            Self::UrlPath { rank } => value.with_text(|path| target.put_url_path(rank, path)),
            Self::UrlQuery => value.with_text(|query| target.put_url_query(query)),
            Self::Host { rank } => value.with_text(|host| target.put_host(rank, host)),
            Self::ClientIp { rank } => value.with_text(|address| target.put_client_ip(rank, address)),
            Self::Forwarded => {
                if target.is_segment && matches!(value, Value::Bool(true)) {
                    target.put_forwarded();
                }
            }
            Self::Status => match value.as_u64().and_then(|status| u16::try_from(status).ok()) {
                Some(status) => target.body.set_status(status),
                None => value.with_text(|text| target.not_understood(text)),
            },
            Self::GrpcStatus => target.put_grpc_status(value),
            Self::RpcStatus => value.with_text(|text| target.put_rpc_status(text)),
            Self::OtelKind => value.with_text(|kind| {
                if is_call(kind) {
                    target.set_remote();
                }
            }),
            Self::OtelStatus => value.with_text(|status| {
                let status = status.to_ascii_lowercase();
                if status.starts_with("error") || status.contains("status::error") {
                    target.body.set_failed();
                } else if status == "ok" || status.ends_with("status::ok") {
                    target.body.set_succeeded();
                } else if !status.ends_with("unset") {
                    target.not_understood(&status);
                }
            }),
            Self::RpcSystem => value.with_text(|system| match system {
                "aws-api" => target.body.set_namespace(Namespace::Aws),
                _ => target.put_rpc(keys::RPC_SYSTEM, system),
            }),
            Self::RpcService => {
                target.put_name(0, keys::RPC, value);
                value.with_text(|service| target.put_rpc(keys::RPC_SERVICE, service));
            }
            Self::RpcMethod => value.with_text(|method| target.put_rpc(keys::RPC_METHOD, method)),
            Self::Namespace => value.with_text(|namespace| match namespace {
                "aws" => target.body.set_namespace(Namespace::Aws),
                "remote" => target.body.set_namespace(Namespace::Remote),
                other => target.not_understood(other),
            }),
            Self::DbSystem => value.with_text(|system| target.put_db_system(system)),
            Self::Statement { rank } => value.with_text(|statement| target.put_statement(rank, statement)),
            Self::ConnectionString => value.with_text(|text| target.put_connection_string(text)),
            Self::LogGroups => value.with_text(|groups| target.put_log_groups(groups)),
            Self::Error => target.put_error(value),
            Self::ErrorType { rank } => {
                value.with_text(|kind| target.put_error_part(rank, keys::TYPE, kind));
            }
            Self::ErrorMessage { rank } => {
                value.with_text(|message| target.put_error_part(rank, keys::MESSAGE, message));
            }
            Self::Header { platform_root } => value.with_text(|header| {
                target.header = Some(HeaderField { header: header.parse().ok(), platform_root });
            }),
            Self::Sampled => value.with_text(|sampled| match sampled.parse() {
                Ok(sampled) => target.forced = Some(sampled),
                Err(_) => target.not_understood(sampled),
            }),
        }
    }
}

/// Returns whether OpenTelemetry's kind of a span is that of a call to another service.
pub(crate) fn is_call(kind: &str) -> bool {
    // In the spelling of the conventions first.
    matches!(kind, "client" | "producer")
        || kind.eq_ignore_ascii_case("client")
        || kind.eq_ignore_ascii_case("producer")
}
