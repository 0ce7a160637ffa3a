//! Field names, and the places in a document that they stand for.
//!
//! This is where the ecosystem's vocabularies meet X-Ray's: OpenTelemetry's semantic conventions, old and new
//! names, `tracing`'s idioms, and what tower-http, lambda_runtime and the AWS SDK call things. It is read
//! once per callsite; nothing here runs for a span.

use xray_sdk::document::internal::{Buffer, Section, put_annotation_key};

use crate::settings::config::Annotate;

/// What becomes of a field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A member of the document, whatever its type.
    Any { place: Section, key: Box<str> },
    /// A member that is a string of bounded length.
    Str { place: Section, rank: u8, key: &'static str },
    /// A member that is a longer text, such as a statement.
    Text { place: Section, rank: u8, key: &'static str },
    /// A member that is a whole number.
    Number { place: Section, rank: u8, key: &'static str },
    /// A name for the subsegment, or a piece of one.
    Name { rank: u8, key: &'static str },
    /// A whole URL.
    Url { rank: u8 },
    /// A piece of a URL.
    UrlPart { rank: u8, key: &'static str },
    /// The server that is called, or that is us: a piece of the URL, and a client's name.
    Host { rank: u8 },
    /// The client's address; of a segment only.
    ClientIp { rank: u8 },
    /// Whether a proxy named that address, so that anyone may have; of a segment only.
    Forwarded,
    /// The HTTP status.
    Status,
    /// gRPC's status.
    GrpcStatus,
    /// `client`, `server`, `internal` …
    OtelKind,
    /// `OK`, `ERROR` or nothing.
    OtelStatus,
    /// `aws-api`, `grpc` …
    RpcSystem,
    /// `aws` or `remote`, said by the user.
    Namespace,
    /// The kind of database.
    DbSystem,
    /// Log groups, joined by `&`.
    LogGroups,
    /// An error itself.
    Error,
    /// A piece of an error's description: `type`, `message`.
    ErrorPart { rank: u8, key: &'static str },
    /// A trace header that this span continues. A `facade` stands for a segment that somebody else sends.
    Header { platform_root: bool },
    /// Whether to keep the span, whoever else has decided.
    Sampled,
    /// An event's message.
    Message,
    /// Of no interest.
    Ignored,
}

impl Slot {
    /// Whether the value has a say in what a new span becomes: whose trace it continues, whether it is kept, whether it
    /// is a call to somebody else.
    pub(crate) fn is_decisive(&self) -> bool {
        matches!(
            self,
            Self::Header { .. }
                | Self::Sampled
                | Self::Namespace
                | Self::OtelKind
                | Self::RpcSystem
                | Self::DbSystem
                | Self::Text { .. }
        )
    }

    /// Finds the slot of a field. `target` is its callsite's: some names mean something from one library only.
    pub(crate) fn of(field: &str, target: &str, annotate: &Annotate) -> Self {
        if let Some(key) = field.strip_prefix("annotation.") {
            return Self::annotation(key);
        }
        if annotate.names(field) {
            return Self::annotation(field);
        }
        if let Some(path) = field.strip_prefix("metadata.") {
            return match path.split_once('.') {
                Some((namespace, key)) => Self::metadata(namespace, key),
                None => Self::metadata("", path),
            };
        }
        if let Some(slot) = known(field).or_else(|| known_from(target, field)) {
            return slot;
        }
        if annotate.all() { Self::annotation(field) } else { Self::metadata("", field) }
    }

    fn annotation(key: &str) -> Self {
        let mut ready = Buffer::new();
        ready.put("\"");
        put_annotation_key(&mut ready, key);
        ready.put("\":");
        Self::Any { place: Section::Annotation, key: ready.as_str().into() }
    }

    fn metadata(namespace: &str, key: &str) -> Self {
        let (place, key) = xray_sdk::document::internal::metadata_key(namespace, key);
        Self::Any { place, key: key.into() }
    }
}

/// Names that mean the same wherever they occur. Ranks follow the order of preference: a newer convention
/// goes before an older one, and a more exact one before a vaguer one.
pub(crate) fn known(field: &str) -> Option<Slot> {
    use Section::{Aws, HttpRequest, HttpResponse, Sql, Top};
    let str = |place, rank, key| Slot::Str { place, rank, key };
    let number = |place, rank, key| Slot::Number { place, rank, key };
    Some(match field {
        "xray.name" => Slot::Name { rank: 0, key: "\"name\":" },
        "aws.xray.name" => Slot::Name { rank: 1, key: "\"name\":" },
        "otel.name" => Slot::Name { rank: 0, key: "\"otel\":" },
        "peer.service" => Slot::Name { rank: 0, key: "\"peer\":" },
        "db.namespace" => Slot::Name { rank: 0, key: "\"db\":" },
        "db.name" => Slot::Name { rank: 1, key: "\"db\":" },
        "xray.namespace" => Slot::Namespace,
        "otel.kind" => Slot::OtelKind,

        "http.request.method" => str(HttpRequest, 0, "\"method\":"),
        "http.method" => str(HttpRequest, 1, "\"method\":"),
        "url.full" => Slot::Url { rank: 0 },
        "http.url" => Slot::Url { rank: 1 },
        "url.scheme" => Slot::UrlPart { rank: 0, key: "\"scheme\":" },
        "http.scheme" => Slot::UrlPart { rank: 1, key: "\"scheme\":" },
        "server.address" => Slot::Host { rank: 0 },
        "net.peer.name" => Slot::Host { rank: 1 },
        "http.host" => Slot::Host { rank: 2 },
        "server.port" => Slot::UrlPart { rank: 0, key: "\"port\":" },
        "net.peer.port" | "net.host.port" => Slot::UrlPart { rank: 1, key: "\"port\":" },
        "url.path" => Slot::UrlPart { rank: 0, key: "\"path\":" },
        "http.target" => Slot::UrlPart { rank: 1, key: "\"path\":" },
        "url.query" => Slot::UrlPart { rank: 0, key: "\"query\":" },
        "client.address" => Slot::ClientIp { rank: 0 },
        "http.client.address" => Slot::ClientIp { rank: 1 },
        "http.client_ip" => Slot::ClientIp { rank: 2 },
        "network.peer.address" => Slot::ClientIp { rank: 3 },
        "http.request.x_forwarded_for" => Slot::Forwarded,
        "user_agent.original" => str(HttpRequest, 0, "\"user_agent\":"),
        "http.user_agent" => str(HttpRequest, 1, "\"user_agent\":"),
        "http.response.status_code" | "http.status_code" => Slot::Status,
        "http.response.body.size" => number(HttpResponse, 0, "\"content_length\":"),
        "http.response_content_length" => number(HttpResponse, 1, "\"content_length\":"),

        "rpc.system" | "rpc.system.name" => Slot::RpcSystem,
        "rpc.service" => str(Section::Rpc, 0, "\"rpc.service\":"),
        "rpc.method" => str(Section::Rpc, 0, "\"rpc.method\":"),
        "rpc.grpc.status_code" => Slot::GrpcStatus,

        "aws.operation" => str(Aws, 0, "\"operation\":"),
        "aws.region" => str(Aws, 0, "\"region\":"),
        "cloud.region" => str(Aws, 1, "\"region\":"),
        "aws.request_id" => str(Aws, 0, "\"request_id\":"),
        "aws.requestId" => str(Aws, 1, "\"request_id\":"),
        "aws.extended_request_id" => str(Aws, 0, "\"id_2\":"),
        "aws.retries" => number(Aws, 0, "\"retries\":"),
        "aws.account_id" => str(Aws, 0, "\"account_id\":"),
        "aws.table_name" | "aws.table.name" => str(Aws, 0, "\"table_name\":"),
        "aws.dynamodb.table_names" => str(Aws, 1, "\"table_name\":"),
        "aws.queue_url" | "aws.queue.url" | "aws.sqs.queue.url" => str(Aws, 0, "\"queue_url\":"),
        "messaging.url" => str(Aws, 1, "\"queue_url\":"),
        "aws.s3.bucket" => str(Aws, 0, "\"bucket_name\":"),
        "aws.s3.key" => str(Aws, 0, "\"key\":"),
        "aws.sns.topic.arn" => str(Aws, 0, "\"topic_arn\":"),
        "aws.lambda.invoked_arn" => str(Aws, 0, "\"function_arn\":"),
        "aws.log.group.names" => Slot::LogGroups,

        "db.system.name" | "db.system" => Slot::DbSystem,
        "db.query.text" => Slot::Text { place: Sql, rank: 0, key: "\"sanitized_query\":" },
        "db.statement" => Slot::Text { place: Sql, rank: 1, key: "\"sanitized_query\":" },
        "db.user" => str(Sql, 0, "\"user\":"),
        "db.connection_string" => str(Sql, 0, "\"connection_string\":"),

        "user.id" => str(Top, 0, "\"user\":"),
        "enduser.id" => str(Top, 1, "\"user\":"),

        "otel.status_code" => Slot::OtelStatus,
        "otel.status_description" => Slot::ErrorPart { rank: 2, key: "\"message\":" },
        "otel.status_message" => Slot::ErrorPart { rank: 3, key: "\"message\":" },
        "exception.message" => Slot::ErrorPart { rank: 0, key: "\"message\":" },
        "error.message" => Slot::ErrorPart { rank: 1, key: "\"message\":" },
        "exception.type" => Slot::ErrorPart { rank: 0, key: "\"type\":" },
        "error.type" => Slot::ErrorPart { rank: 1, key: "\"type\":" },
        "error" | "err" => Slot::Error,

        "xray.sampled" => Slot::Sampled,
        "xray.trace_header" => Slot::Header { platform_root: false },
        "xrayTraceId" | "xray_trace_id" => Slot::Header { platform_root: true },
        "message" => Slot::Message,
        _ => return None,
    })
}

/// Names that are too common to mean anything unless one certain library says them.
fn known_from(target: &str, field: &str) -> Option<Slot> {
    let tower_http = target.starts_with("tower_http::trace");
    let aws_sdk = target.starts_with("aws_sdk_");
    let lambda = target.starts_with("lambda_runtime::layers");
    let sqlx = target == "sqlx::query";
    let mongodb = target == "mongodb::command";
    Some(match field {
        "method" if tower_http => Slot::Str { place: Section::HttpRequest, rank: 2, key: "\"method\":" },
        "uri" if tower_http => Slot::Url { rank: 2 },
        "status" if tower_http => Slot::Status,
        "version" | "headers" | "latency" if tower_http => Slot::Ignored,
        "requestId" if lambda => return Some(Slot::annotation("request_id")),
        "tenantId" if lambda => return Some(Slot::annotation("tenant_id")),
        "sdk_invocation_id" if aws_sdk => Slot::Ignored,
        // All there is of a statement of up to four words.
        "summary" if sqlx => Slot::Text { place: Section::Sql, rank: 2, key: "\"sanitized_query\":" },
        "elapsed" | "elapsed_secs" if sqlx => Slot::Ignored,
        "serverHost" if mongodb => Slot::Host { rank: 0 },
        "commandName" if mongodb => return Some(Slot::metadata("", "db.operation.name")),
        "failure" if mongodb => Slot::ErrorPart { rank: 0, key: "\"message\":" },
        // Numbers of the driver's own, and what was asked and answered, word for word.
        _ if mongodb => Slot::Ignored,
        _ => return None,
    })
}
