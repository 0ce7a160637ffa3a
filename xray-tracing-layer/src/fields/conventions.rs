//! The table of field names and the slots that they stand for.
//!
//! Here the ecosystem's vocabularies meet X-Ray's: OpenTelemetry's semantic conventions in old and new
//! spelling, `tracing`'s idioms, and the names that tower-http, lambda_runtime, sqlx and the AWS SDK use. The
//! table is read once per callsite; nothing here runs for a span.

use xray_sdk::document::internal::{OwnedKey, Section, keys};

use crate::fields::sanitize::secret_key::is_secret_field;
use crate::fields::slot::{LogFact, Slot};
use crate::settings::config::Annotate;

/// Returns the slot of a field. `target` is the callsite's: some names have a meaning only in one library.
pub(crate) fn slot_of(field: &str, target: &str, annotate: &Annotate) -> Slot {
    if let Some(key) = field.strip_prefix("annotation.") {
        return guarded(field, annotation(key));
    }
    if annotate.names(field) {
        return guarded(field, annotation(field));
    }
    if let Some(path) = field.strip_prefix("metadata.") {
        let (namespace, key) = path.split_once('.').unwrap_or(("", path));
        return guarded(field, metadata(namespace, key));
    }
    if let Some(slot) = known(field).or_else(|| known_from(target, field)) {
        return slot;
    }
    guarded(field, if annotate.all() { annotation(field) } else { metadata("", field) })
}

/// Returns the slot of a field that goes where the program says, unless its name says that it is a secret.
fn guarded(field: &str, slot: Slot) -> Slot {
    match slot {
        Slot::Any { section, rank, key } if is_secret_field(field) => Slot::Secret { section, rank, key },
        slot => slot,
    }
}

fn annotation(key: &str) -> Slot {
    let (rank, key) = OwnedKey::annotation(key);
    Slot::Any { section: Section::Annotation, rank, key }
}

fn metadata(namespace: &str, key: &str) -> Slot {
    let (section, key) = OwnedKey::metadata(namespace, key);
    Slot::Any { section, rank: 0, key }
}

/// Names with one meaning everywhere. Ranks order the preference: newer conventions override older ones, and
/// exact names override vague ones.
pub(crate) fn known(field: &str) -> Option<Slot> {
    use Section::{Aws, HttpRequest, HttpResponse, Sql};
    let str = |section, rank, key| Slot::Str { section, rank, key };
    let number = |section, rank, key| Slot::Number { section, rank, key };
    Some(match field {
        "xray.name" => Slot::Name { rank: 0, key: keys::NAME },
        "aws.xray.name" => Slot::Name { rank: 1, key: keys::NAME },
        "otel.name" => Slot::OtelName,
        "peer.service" => Slot::Name { rank: 0, key: keys::PEER },
        "db.namespace" => Slot::Name { rank: 0, key: keys::DB },
        "db.name" => Slot::Name { rank: 1, key: keys::DB },
        "xray.namespace" => Slot::Namespace,
        "otel.kind" => Slot::OtelKind,

        "http.request.method" => str(HttpRequest, 0, keys::METHOD),
        "http.method" => str(HttpRequest, 1, keys::METHOD),
        "url.full" => Slot::Url { rank: 0 },
        "http.url" => Slot::Url { rank: 1 },
        "url.scheme" => Slot::UrlPart { rank: 0, key: keys::SCHEME },
        "http.scheme" => Slot::UrlPart { rank: 1, key: keys::SCHEME },
        "server.address" => Slot::Host { rank: 0 },
        "net.peer.name" => Slot::Host { rank: 1 },
        "http.host" => Slot::Host { rank: 2 },
        "server.port" => Slot::UrlPart { rank: 0, key: keys::PORT },
        "net.peer.port" | "net.host.port" => Slot::UrlPart { rank: 1, key: keys::PORT },
        "url.path" => Slot::UrlPath { rank: 0 },
        "http.target" => Slot::UrlPath { rank: 1 },
        "url.query" => Slot::UrlQuery,
        "client.address" => Slot::ClientIp { rank: 0 },
        "http.client.address" => Slot::ClientIp { rank: 1 },
        "http.client_ip" => Slot::ClientIp { rank: 2 },
        "network.peer.address" => Slot::ClientIp { rank: 3 },
        "http.request.x_forwarded_for" => Slot::Forwarded,
        "user_agent.original" => str(HttpRequest, 0, keys::USER_AGENT),
        "http.user_agent" => str(HttpRequest, 1, keys::USER_AGENT),
        "http.response.status_code" | "http.status_code" => Slot::Status,
        "http.response.body.size" => number(HttpResponse, 0, keys::CONTENT_LENGTH),
        "http.response_content_length" => number(HttpResponse, 1, keys::CONTENT_LENGTH),

        "rpc.system" | "rpc.system.name" => Slot::RpcSystem,
        "rpc.service" => Slot::RpcService,
        "rpc.method" => Slot::RpcMethod,
        "rpc.grpc.status_code" => Slot::GrpcStatus,
        "rpc.response.status_code" => Slot::RpcStatus,

        "aws.operation" => str(Aws, 0, keys::OPERATION),
        "aws.region" => str(Aws, 0, keys::REGION),
        "cloud.region" => str(Aws, 1, keys::REGION),
        "aws.request_id" => str(Aws, 0, keys::REQUEST_ID),
        "aws.requestId" => str(Aws, 1, keys::REQUEST_ID),
        "aws.extended_request_id" => str(Aws, 0, keys::ID_2),
        "aws.retries" => number(Aws, 0, keys::RETRIES),
        "aws.account_id" => str(Aws, 0, keys::ACCOUNT_ID),
        "aws.table_name" | "aws.table.name" => str(Aws, 0, keys::TABLE_NAME),
        "aws.dynamodb.table_names" => str(Aws, 1, keys::TABLE_NAME),
        "aws.queue_url" | "aws.queue.url" | "aws.sqs.queue.url" => str(Aws, 0, keys::QUEUE_URL),
        "messaging.url" => str(Aws, 1, keys::QUEUE_URL),
        "aws.s3.bucket" => str(Aws, 0, keys::BUCKET_NAME),
        "aws.s3.key" => str(Aws, 0, keys::KEY),
        "aws.sns.topic.arn" => str(Aws, 0, keys::TOPIC_ARN),
        "aws.lambda.invoked_arn" => str(Aws, 0, keys::FUNCTION_ARN),
        "aws.log.group.names" => Slot::LogGroups,

        "db.system.name" | "db.system" => Slot::DbSystem,
        "db.query.text" => Slot::Statement { rank: 0 },
        "db.statement" => Slot::Statement { rank: 1 },
        "db.user" => str(Sql, 0, keys::USER),
        "db.connection_string" => Slot::ConnectionString,

        "user.id" => Slot::EndUser { rank: 0 },
        "enduser.id" => Slot::EndUser { rank: 1 },

        "otel.status_code" => Slot::OtelStatus,
        "otel.status_description" => Slot::ErrorMessage { rank: 2 },
        "otel.status_message" => Slot::ErrorMessage { rank: 3 },
        "exception.message" => Slot::ErrorMessage { rank: 0 },
        "error.message" => Slot::ErrorMessage { rank: 1 },
        "exception.type" => Slot::ErrorType { rank: 0 },
        "error.type" => Slot::ErrorType { rank: 1 },
        "error" | "err" => Slot::Error,

        "xray.sampled" => Slot::Sampled,
        "xray.trace_header" => Slot::Header { platform_root: false },
        "xrayTraceId" | "xray_trace_id" => Slot::Header { platform_root: true },
        "message" => Slot::Message,
        _ => return None,
    })
}

/// Names with a meaning only in one library.
fn known_from(target: &str, field: &str) -> Option<Slot> {
    let tower_http = target.starts_with("tower_http::trace");
    let aws_sdk = target.starts_with("aws_sdk_");
    let lambda = target.starts_with("lambda_runtime::layers");
    let sqlx = target == "sqlx::query";
    let mongodb = target == "mongodb::command";
    // `tracing-log` passes all records of the `log` crate on from five callsites of its own.
    let log = target == "log";
    Some(match field {
        "log.target" if log => Slot::LogRecord(LogFact::Target),
        "log.module_path" if log => Slot::LogRecord(LogFact::Module),
        "log.file" if log => Slot::LogRecord(LogFact::File),
        "log.line" if log => Slot::LogRecord(LogFact::Line),
        "method" if tower_http => Slot::Str { section: Section::HttpRequest, rank: 2, key: keys::METHOD },
        "uri" if tower_http => Slot::Url { rank: 2 },
        "status" if tower_http => Slot::Status,
        "version" | "headers" | "latency" if tower_http => Slot::Ignored,
        "requestId" if lambda => return Some(annotation("request_id")),
        "tenantId" if lambda => return Some(annotation("tenant_id")),
        "sdk_invocation_id" if aws_sdk => Slot::Ignored,
        // sqlx has no other text for a statement of up to four words.
        "summary" if sqlx => Slot::Statement { rank: 2 },
        "elapsed" | "elapsed_secs" if sqlx => Slot::Ignored,
        "serverHost" if mongodb => Slot::Host { rank: 0 },
        "commandName" if mongodb => return Some(metadata("", "db.operation.name")),
        "failure" if mongodb => Slot::ErrorMessage { rank: 0 },
        // The driver's own numbers, and commands and replies in full.
        _ if mongodb => Slot::Ignored,
        _ => return None,
    })
}
