//! Values that each key of a document may hold: X-Ray's segment document schema 1.0.0, with the keys that the developer
//! guide and the official SDKs added to it later.
//!
//! Tables and nothing else. Keys that no table names are legal and may hold anything, as in the schema. A
//! limit on a string's length stands only where the schema has one: 250 characters of `http`, `user`, `sql.user`.

/// The form that a value must have.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A string of at most this number of characters.
    Text(usize),
    /// A segment's or subsegment's name.
    Name,
    /// 16 hexadecimal digits.
    Id,
    /// `1-`, 8 hexadecimal digits, `-`, 24 of them.
    TraceId,
    Number,
    Integer,
    Bool,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    Object(&'static [Field]),
    /// An object of [`SUBSEGMENT`]'s keys, which a table can't name within itself.
    Subsegment,
    List(&'static Self),
    /// Key to string, number or boolean.
    Annotations,
    /// Namespace to object.
    Metadata,
    /// An exception's id, or an object with exceptions.
    Cause,
    /// A connection URL in the shape that the OpenTelemetry receiver insists on.
    DatabaseUrl,
}

/// A key of an object.
pub(super) struct Field {
    pub(super) key: &'static str,
    pub(super) shape: Shape,
    pub(super) required: bool,
}

pub(super) static SEGMENT: &[Field] = &[
    need("name", Shape::Name),
    need("id", Shape::Id),
    need("trace_id", Shape::TraceId),
    need("start_time", Shape::Number),
    may("end_time", Shape::Number),
    may("in_progress", Shape::Bool),
    may("parent_id", Shape::Id),
    may("type", TEXT),
    may("origin", TEXT),
    may("resource_arn", TEXT),
    may("user", LIMITED),
    may("service", Shape::Object(SERVICE)),
    may("http", Shape::Object(HTTP)),
    may("aws", Shape::Object(AWS)),
    may("error", Shape::Bool),
    may("throttle", Shape::Bool),
    may("fault", Shape::Bool),
    may("cause", Shape::Cause),
    may("annotations", Shape::Annotations),
    may("metadata", Shape::Metadata),
    may("namespace", Shape::OneOf(NAMESPACES)),
    may("precursor_ids", Shape::List(&Shape::Id)),
    may("sql", Shape::Object(SQL)),
    may("traced", Shape::Bool),
    may("links", Shape::List(&Shape::Object(LINK))),
    may("subsegments", Shape::List(&Shape::Subsegment)),
];

/// Nested in its parent's document.
pub(super) static SUBSEGMENT: &[Field] = &[
    need("name", Shape::Name),
    need("id", Shape::Id),
    may("trace_id", Shape::TraceId),
    need("start_time", Shape::Number),
    may("end_time", Shape::Number),
    may("in_progress", Shape::Bool),
    may("parent_id", Shape::Id),
    may("type", Shape::OneOf(&["subsegment"])),
    may("namespace", Shape::OneOf(NAMESPACES)),
    may("user", LIMITED),
    may("service", Shape::Object(SERVICE)),
    may("http", Shape::Object(HTTP)),
    may("aws", Shape::Object(AWS)),
    may("error", Shape::Bool),
    may("throttle", Shape::Bool),
    may("fault", Shape::Bool),
    may("cause", Shape::Cause),
    may("annotations", Shape::Annotations),
    may("metadata", Shape::Metadata),
    may("precursor_ids", Shape::List(&Shape::Id)),
    may("sql", Shape::Object(SQL)),
    may("traced", Shape::Bool),
    may("links", Shape::List(&Shape::Object(LINK))),
    may("subsegments", Shape::List(&Shape::Subsegment)),
];

/// Keys that a subsegment needs beyond [`SUBSEGMENT`] when it is a document of its own.
pub(super) static INDEPENDENT: &[&str] = &["trace_id", "parent_id"];

/// The keys of a cause that is an object.
pub(super) static CAUSE: &[Field] = &[
    may("working_directory", TEXT),
    may("paths", Shape::List(&TEXT)),
    may("exceptions", Shape::List(&Shape::Object(EXCEPTION))),
];

static EXCEPTION: &[Field] = &[
    // The OpenTelemetry collector's receiver crashes on an exception without an id.
    need("id", Shape::Id),
    may("message", TEXT),
    may("type", TEXT),
    may("remote", Shape::Bool),
    may("truncated", Shape::Integer),
    may("skipped", Shape::Integer),
    may("cause", Shape::Id),
    may("stack", Shape::List(&Shape::Object(FRAME))),
];

static FRAME: &[Field] = &[may("path", TEXT), may("line", Shape::Integer), may("label", TEXT)];

static HTTP: &[Field] = &[may("request", Shape::Object(REQUEST)), may("response", Shape::Object(RESPONSE))];

static REQUEST: &[Field] = &[
    may("method", LIMITED),
    may("url", LIMITED),
    may("user_agent", LIMITED),
    may("client_ip", LIMITED),
    may("x_forwarded_for", Shape::Bool),
    may("traced", Shape::Bool),
];

static RESPONSE: &[Field] = &[may("status", Shape::Integer), may("content_length", Shape::Integer)];

static SQL: &[Field] = &[
    may("url", Shape::DatabaseUrl),
    may("connection_string", TEXT),
    may("sanitized_query", TEXT),
    may("database_type", TEXT),
    may("database_version", TEXT),
    may("driver_version", TEXT),
    may("user", LIMITED),
    may("preparation", TEXT),
];

static SERVICE: &[Field] = &[
    may("name", TEXT),
    may("version", TEXT),
    may("runtime", TEXT),
    may("runtime_version", TEXT),
    may("compiler", TEXT),
    may("compiler_version", TEXT),
];

/// The keys of segments (where it runs) and of subsegments (what it called) in one table: neither place forbids
/// the other's.
static AWS: &[Field] = &[
    may("account_id", TEXT),
    may("operation", TEXT),
    may("region", TEXT),
    may("request_id", TEXT),
    may("id_2", TEXT),
    may("retries", Shape::Integer),
    may("queue_url", TEXT),
    may("table_name", TEXT),
    may("table_names", Shape::List(&TEXT)),
    may("topic_arn", TEXT),
    may("function_arn", TEXT),
    may("function_name", TEXT),
    may("bucket_name", TEXT),
    may("resource_names", Shape::List(&TEXT)),
    may("ec2", Shape::Object(EC2)),
    may("ecs", Shape::Object(ECS)),
    may("eks", Shape::Object(EKS)),
    may("elastic_beanstalk", Shape::Object(BEANSTALK)),
    may("xray", Shape::Object(XRAY)),
    may("tracing", Shape::Object(&[may("sdk", TEXT)])),
    may("cloudwatch_logs", Shape::List(&Shape::Object(LOG_GROUP))),
];

static EC2: &[Field] = &[
    may("instance_id", TEXT),
    may("instance_size", TEXT),
    may("ami_id", TEXT),
    may("availability_zone", TEXT),
];

static ECS: &[Field] = &[
    may("container", TEXT),
    may("container_id", TEXT),
    may("container_arn", TEXT),
    may("cluster_arn", TEXT),
    may("task_arn", TEXT),
    may("task_family", TEXT),
    may("launch_type", TEXT),
    may("availability_zone", TEXT),
];

static EKS: &[Field] = &[may("pod", TEXT), may("cluster_name", TEXT), may("container_id", TEXT)];

static BEANSTALK: &[Field] =
    &[may("environment_name", TEXT), may("version_label", TEXT), may("deployment_id", Shape::Number)];

static XRAY: &[Field] = &[
    may("sdk", TEXT),
    may("sdk_version", TEXT),
    may("package", TEXT),
    may("sampling_rule_name", TEXT),
    may("rule_name", TEXT),
    may("auto_instrumentation", Shape::Bool),
];

static LOG_GROUP: &[Field] = &[may("log_group", TEXT), may("arn", TEXT)];

/// Neither the guide nor the schema describes links: this is what AWS's own OpenTelemetry exporter writes.
static LINK: &[Field] =
    &[need("trace_id", Shape::TraceId), need("id", Shape::Id), may("attributes", Shape::Object(&[]))];

static NAMESPACES: &[&str] = &["aws", "remote", "local"];

/// Bounded by the document alone.
const TEXT: Shape = Shape::Text(usize::MAX);
const LIMITED: Shape = Shape::Text(250);

const fn need(key: &'static str, shape: Shape) -> Field {
    Field { key, shape, required: true }
}

const fn may(key: &'static str, shape: Shape) -> Field {
    Field { key, shape, required: false }
}
