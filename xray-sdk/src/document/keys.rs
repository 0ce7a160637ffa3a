//! The keys of documents, each in the one form in which it is written. A misspelt one does not compile.

use super::name::{put_annotation_key, put_metadata_path};
use super::section::Section;
use crate::json::Buffer;

/// A member's key as ready JSON, its colon included: `"method":`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    /// Returns the ready JSON.
    #[inline]
    #[must_use]
    pub const fn json(self) -> &'a str {
        self.0
    }

    /// Makes a key ready in an empty buffer, as it is apart from escapes.
    #[must_use]
    pub fn escaped(room: &'a mut Buffer, key: &str) -> Self {
        room.put_string(key);
        room.put(":");
        Self(room.as_str())
    }

    /// Makes an annotation's key ready in an empty buffer: sanitized as X-Ray demands.
    #[must_use]
    pub fn annotation(room: &'a mut Buffer, key: &str) -> Self {
        room.put("\"");
        put_annotation_key(room, key);
        room.put("\":");
        Self(room.as_str())
    }

    #[cfg(test)]
    pub(super) const fn of_json(json: &'a str) -> Self {
        Self(json)
    }
}

/// A key that is known only at run time, made ready once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedKey(Box<str>);

impl OwnedKey {
    /// Makes an annotation's key ready. Returns a mark of the key as it was beside it: 0 if it is unchanged. Of two keys
    /// that become the same, the marks differ, but for one pair in 255.
    #[must_use]
    pub fn annotation(key: &str) -> (u8, Self) {
        let mut ready = Buffer::new();
        ready.put("\"");
        let rank = put_annotation_key(&mut ready, key);
        ready.put("\":");
        (rank, Self(ready.as_str().into()))
    }

    /// Makes a metadata key ready: `"key":` for the namespace `default` or an empty one, else `"namespace":"key":`. Returns
    /// the section that it belongs to beside it.
    #[must_use]
    pub fn metadata(namespace: &str, key: &str) -> (Section, Self) {
        let mut ready = Buffer::new();
        let section = put_metadata_path(&mut ready, namespace, key);
        (section, Self(ready.as_str().into()))
    }

    /// Returns the key.
    #[inline]
    #[must_use]
    pub const fn as_key(&self) -> Key<'_> {
        Key(&self.0)
    }
}

impl From<Key<'_>> for OwnedKey {
    fn from(key: Key<'_>) -> Self {
        Self(key.json().into())
    }
}

macro_rules! keys {
    ($($name:ident = $key:literal,)*) => {$(
        #[doc = concat!("`", $key, "`")]
        pub const $name: Key<'static> = Key(concat!("\"", $key, "\":"));
    )*};
}

keys! {
    // Members of the document itself.
    ANNOTATIONS = "annotations",
    AWS = "aws",
    CAUSE = "cause",
    EXCEPTIONS = "exceptions",
    HTTP = "http",
    LINKS = "links",
    METADATA = "metadata",
    ORIGIN = "origin",
    PRECURSOR_IDS = "precursor_ids",
    SERVICE = "service",
    SQL = "sql",
    USER = "user",
    // `http.request`.
    CLIENT_IP = "client_ip",
    METHOD = "method",
    URL = "url",
    USER_AGENT = "user_agent",
    X_FORWARDED_FOR = "x_forwarded_for",
    // `http.response`.
    CONTENT_LENGTH = "content_length",
    STATUS = "status",
    // `aws`.
    ACCOUNT_ID = "account_id",
    BUCKET_NAME = "bucket_name",
    CLOUDWATCH_LOGS = "cloudwatch_logs",
    FUNCTION_ARN = "function_arn",
    ID_2 = "id_2",
    KEY = "key",
    OPERATION = "operation",
    QUEUE_URL = "queue_url",
    REGION = "region",
    REQUEST_ID = "request_id",
    RETRIES = "retries",
    TABLE_NAME = "table_name",
    TABLE_NAMES = "table_names",
    TOPIC_ARN = "topic_arn",
    // `aws`, of one service each.
    COPY_SOURCE = "copy_source",
    ENDPOINT_NAME = "endpoint_name",
    EXCLUSIVE_START_TABLE_NAME = "exclusive_start_table_name",
    FUNCTION_NAME = "function_name",
    INDEX_NAME = "index_name",
    INVOCATION_TYPE = "invocation_type",
    LABEL = "label",
    LOG_TYPE = "log_type",
    PREFIX = "prefix",
    PROJECTION_EXPRESSION = "projection_expression",
    QUALIFIER = "qualifier",
    QUEUE_NAME = "queue_name",
    QUEUE_NAME_PREFIX = "queue_name_prefix",
    QUEUE_OWNER_AWS_ACCOUNT_ID = "queue_owner_aws_account_id",
    VERSION_ID = "version_id",
    // `sql`.
    CONNECTION_STRING = "connection_string",
    DATABASE_TYPE = "database_type",
    DATABASE_VERSION = "database_version",
    DRIVER_VERSION = "driver_version",
    PREPARATION = "preparation",
    SANITIZED_QUERY = "sanitized_query",
    // An exception.
    MESSAGE = "message",
    TYPE = "type",
    // Pieces of a name: a segment or subsegment is named after the first that is known.
    NAME = "name",
    PEER = "peer",
    RPC = "rpc",
    DB = "db",
    HOST = "host",
    OTEL = "otel",
    // Pieces of a URL, beside `host`.
    PATH = "path",
    PORT = "port",
    QUERY = "query",
    SCHEME = "scheme",
    // Metadata.
    CLIENT_ADDRESS = "client.address",
    DB_OPERATION = "db.operation",
    DB_OPERATION_NAME = "db.operation.name",
    DB_SYSTEM = "db.system",
    FOLLOWS_FROM = "follows_from",
    RPC_METHOD = "rpc.method",
    RPC_SERVICE = "rpc.service",
    RPC_STATUS = "rpc.response.status_code",
    RPC_SYSTEM = "rpc.system",
    USER_ID = "user.id",
    XRAY_KEPT = "xray.kept",
    XRAY_LIMITS = "xray.limits",
}
