//! The keys of documents, each in the one form in which it is written. A misspelt one does not compile.

/// A member's key as ready JSON, its colon included: `"method":`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(&'static str);

impl Key {
    /// The ready JSON.
    #[inline]
    #[must_use]
    pub const fn json(self) -> &'static str {
        self.0
    }
}

impl AsRef<str> for Key {
    #[inline]
    fn as_ref(&self) -> &str {
        self.0
    }
}

macro_rules! keys {
    ($($name:ident = $key:literal,)*) => {$(
        #[doc = concat!("`", $key, "`")]
        pub const $name: Key = Key(concat!("\"", $key, "\":"));
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
    TOPIC_ARN = "topic_arn",
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
    RPC_SYSTEM = "rpc.system",
    USER_ID = "user.id",
    XRAY_LIMITS = "xray.limits",
}
