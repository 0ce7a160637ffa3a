//! The rows of the table of keywords.
//!
//! Columns of SQL are those of the store's tables. [`keyword`](super::keyword) says what the members mean.

use super::ast::CauseLevel;
use super::keyword::{Keyword, Kind, Place, Within};
use crate::model::CauseKind;

/// Handle of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is its keyword, and the table documents it")]
pub enum Field {
    Ok,
    Error,
    Throttle,
    Fault,
    Partial,
    Inferred,
    Root,
    First,
    Last,
    Remote,
    ResponseTime,
    Duration,
    HttpStatus,
    Index,
    Coverage,
    HttpUrl,
    HttpMethod,
    HttpUserAgent,
    HttpClientIp,
    User,
    Name,
    Type,
    Message,
    AvailabilityZone,
    InstanceId,
    ResourceArn,
    Annotation,
    GroupName,
    GroupArn,
    Service,
    Edge,
    FaultService,
    FaultEntity,
    FaultException,
    ErrorService,
    ErrorEntity,
    ErrorException,
    ResponseTimeService,
    ResponseTimeEntity,
    RootCauseJson,
}

/// Where the SQL compiler finds a keyword's value. `t`, `s`, `e` and `c` are the rows of the scopes: a trace, a
/// segment, a call, an element of a root cause.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    /// An expression over the scope's row.
    Value(&'static str),
    /// Microseconds, compared as seconds with three decimals.
    Micros(&'static str),
    /// The id of a string in a table of strings.
    Interned { id: &'static str, table: &'static str, value: &'static str },
    /// A value in each of several rows `r`. One of them has to satisfy a comparison.
    Rows { from: &'static str, join: &'static str, only: &'static str, value: &'static str },
    /// A rule of the compiler's own.
    Own,
}

/// Every keyword, in the order of [`Field`].
pub static KEYWORDS: [Keyword; 40] = [
    Keyword {
        name: "ok",
        field: Field::Ok,
        kind: Kind::Flag,
        form: "ok",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Value("t.ok") },
            Place { within: Within::Service, documented: false, column: Column::Value("s.ok") },
            Place { within: Within::Edge, documented: false, column: Column::Value("e.ok") },
        ],
        hint: "neither error nor fault",
        doc: "The root segment has completed, and has neither error, throttle nor fault. False while no root \
              segment is there. Inside braces: that segment, or that call.",
    },
    Keyword {
        name: "error",
        field: Field::Error,
        kind: Kind::Flag,
        form: "error",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Value("t.error") },
            Place { within: Within::Service, documented: true, column: Column::Value("s.error") },
            Place { within: Within::Edge, documented: true, column: Column::Value("e.error") },
        ],
        hint: "4xx, throttling included",
        doc: "The root segment has a 4xx response. A throttled request is an error. An error downstream that \
              the root did not pass on is not found; write `service() { error }` for any segment.",
    },
    Keyword {
        name: "throttle",
        field: Field::Throttle,
        kind: Kind::Flag,
        form: "throttle",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Value("t.throttle") },
            Place { within: Within::Service, documented: true, column: Column::Value("s.throttle") },
            Place { within: Within::Edge, documented: true, column: Column::Value("e.throttle") },
        ],
        hint: "429",
        doc: "The root segment was throttled. Inside braces: that segment, or that call.",
    },
    Keyword {
        name: "fault",
        field: Field::Fault,
        kind: Kind::Flag,
        form: "fault",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Value("t.fault") },
            Place { within: Within::Service, documented: true, column: Column::Value("s.fault") },
            Place { within: Within::Edge, documented: true, column: Column::Value("e.fault") },
        ],
        hint: "5xx",
        doc: "The root segment has a 5xx response or an exception. A fault downstream that the root handled is \
              not found; write `service() { fault }` for any segment.",
    },
    Keyword {
        name: "partial",
        field: Field::Partial,
        kind: Kind::Flag,
        form: "partial",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Value("t.partial") },
            Place { within: Within::Service, documented: false, column: Column::Value("s.partial") },
        ],
        hint: "something is in progress",
        doc: "Any segment of the trace is in progress. Inside `service() { }`: that segment.",
    },
    Keyword {
        name: "inferred",
        field: Field::Inferred,
        kind: Kind::Flag,
        form: "inferred",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Value("t.inferred") },
            Place { within: Within::Service, documented: false, column: Column::Value("s.inferred") },
            Place { within: Within::CauseServices, documented: true, column: Column::Value("c.inferred") },
            Place { within: Within::CauseEntities, documented: false, column: Column::Value("c.inferred") },
        ],
        hint: "has an inferred segment",
        doc: "The trace has an inferred segment, which is made from a call to a service that sends none. \
              Inside braces: that segment, or the service of the root cause.",
    },
    Keyword {
        name: "root",
        field: Field::Root,
        kind: Kind::Flag,
        form: "service(\"api\") { root }",
        places: &[
            Place { within: Within::Service, documented: true, column: Column::Value("s.root") },
            Place { within: Within::CauseServices, documented: false, column: Column::Value("c.root") },
        ],
        hint: "segment without a parent",
        doc: "The segment has no parent: the service received the request.",
    },
    Keyword {
        name: "first",
        field: Field::First,
        kind: Kind::Flag,
        form: "rootcause.fault.entity { first }",
        places: &[
            Place { within: Within::CauseServices, documented: false, column: Column::Value("c.first") },
            Place { within: Within::CauseEntities, documented: true, column: Column::Value("c.first") },
            Place { within: Within::CauseExceptions, documented: true, column: Column::Value("c.first") },
        ],
        hint: "first of its list",
        doc: "The outermost service or entity of the root cause, or the first exception of its entity.",
    },
    Keyword {
        name: "last",
        field: Field::Last,
        kind: Kind::Flag,
        form: "rootcause.fault.entity { last }",
        places: &[
            Place { within: Within::CauseServices, documented: false, column: Column::Value("c.last") },
            Place { within: Within::CauseEntities, documented: true, column: Column::Value("c.last") },
            Place { within: Within::CauseExceptions, documented: true, column: Column::Value("c.last") },
        ],
        hint: "last of its list",
        doc: "The deepest service or entity of the root cause, or the last exception of its entity.",
    },
    Keyword {
        name: "remote",
        field: Field::Remote,
        kind: Kind::Flag,
        form: "rootcause.fault.entity { remote }",
        places: &[Place {
            within: Within::CauseEntities,
            documented: true,
            column: Column::Value("c.remote"),
        }],
        hint: "a call to another service",
        doc: "The entity is a subsegment that calls another service.",
    },
    Keyword {
        name: "responsetime",
        field: Field::ResponseTime,
        kind: Kind::Number,
        form: "responsetime > 0.5",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Micros("t.response_us") },
            Place { within: Within::Service, documented: true, column: Column::Micros("s.response_us") },
            Place { within: Within::Edge, documented: false, column: Column::Micros("e.response_us") },
        ],
        hint: "seconds until the response",
        doc: "Seconds from start to end of the root segment, to the millisecond as in trace summaries. Inside \
              braces: of that segment, or of the call as the caller saw it.",
    },
    Keyword {
        name: "duration",
        field: Field::Duration,
        kind: Kind::Number,
        form: "duration >= 5",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Micros("t.duration_us") },
            Place { within: Within::Service, documented: false, column: Column::Micros("s.duration_us") },
            Place { within: Within::Edge, documented: false, column: Column::Micros("e.response_us") },
        ],
        hint: "seconds of the whole trace",
        doc: "Seconds from the earliest start to the latest end of the trace. Inside `service() { }`: to the \
              last end of what is in that segment.",
    },
    Keyword {
        name: "http.status",
        field: Field::HttpStatus,
        kind: Kind::Number,
        form: "http.status >= 500",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Value("t.status") },
            Place { within: Within::Service, documented: false, column: Column::Value("s.status") },
        ],
        hint: "status code of the response",
        doc: "Status code of the root segment. A segment without one satisfies no comparison, `!=` included.",
    },
    Keyword {
        name: "index",
        field: Field::Index,
        kind: Kind::Number,
        form: "rootcause.fault.service { index > 5 }",
        places: &[
            Place { within: Within::CauseServices, documented: true, column: Column::Value("c.service") },
            Place { within: Within::CauseEntities, documented: false, column: Column::Value("c.number") },
            Place {
                within: Within::CauseExceptions,
                documented: false,
                column: Column::Value("c.exception"),
            },
        ],
        hint: "position, from 0",
        doc: "Position in the root cause, from 0. Entities count over the whole path, exceptions within their \
              entity.",
    },
    Keyword {
        name: "coverage",
        field: Field::Coverage,
        kind: Kind::Number,
        form: "rootcause.responsetime.entity { coverage > 0.8 }",
        places: &[
            Place {
                within: Within::ResponseTimeEntities,
                documented: true,
                column: Column::Value("coverage(tc.coverage, c.number)"),
            },
            Place {
                within: Within::ResponseTimeServices,
                documented: false,
                column: Column::Value(
                    "coverage(tc.coverage, (SELECT n.number FROM cause_entities n \
                     WHERE n.path = c.path AND n.service = c.service AND n.entity = 0))",
                ),
            },
        ],
        hint: "share of the response time",
        doc: "The entity's time divided by the root's, from 0 to 1. A service has the coverage of its segment.",
    },
    Keyword {
        name: "http.url",
        field: Field::HttpUrl,
        kind: Kind::Text,
        form: "http.url CONTAINS \"/api/\"",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Value("t.url") },
            Place { within: Within::Service, documented: false, column: Column::Value("s.url") },
        ],
        hint: "URL of the request",
        doc: "URL of the root segment. The URLs of subsegments are not searched; `service() { http.url ... }` \
              searches those of segments.",
    },
    Keyword {
        name: "http.method",
        field: Field::HttpMethod,
        kind: Kind::Text,
        form: "http.method = \"POST\"",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Value("t.method") },
            Place { within: Within::Service, documented: false, column: Column::Value("s.method") },
        ],
        hint: "method of the request",
        doc: "HTTP method of the root segment.",
    },
    Keyword {
        name: "http.useragent",
        field: Field::HttpUserAgent,
        kind: Kind::Text,
        form: "http.useragent CONTAINS \"curl\"",
        places: &[
            Place {
                within: Within::Trace,
                documented: true,
                column: Column::Interned { id: "t.agent", table: "agents", value: "agent" },
            },
            Place {
                within: Within::Service,
                documented: false,
                column: Column::Interned { id: "s.agent", table: "agents", value: "agent" },
            },
        ],
        hint: "user agent of the client",
        doc: "User agent that the root segment recorded.",
    },
    Keyword {
        name: "http.clientip",
        field: Field::HttpClientIp,
        kind: Kind::Text,
        form: "http.clientip = \"203.0.113.7\"",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Value("t.client_ip") },
            Place { within: Within::Service, documented: false, column: Column::Value("s.client_ip") },
        ],
        hint: "address of the client",
        doc: "Client address that the root segment recorded.",
    },
    Keyword {
        name: "user",
        field: Field::User,
        kind: Kind::Text,
        form: "user = \"alice\"",
        places: &[
            Place {
                within: Within::Trace,
                documented: true,
                column: Column::Rows { from: "users r", join: "r.trace = t.key", only: "", value: "r.user" },
            },
            Place {
                within: Within::Service,
                documented: false,
                column: Column::Rows {
                    from: "users r",
                    join: "r.trace = s.trace AND r.segment = s.segment",
                    only: "",
                    value: "r.user",
                },
            },
        ],
        hint: "end user",
        doc: "The `user` of any segment.",
    },
    Keyword {
        name: "name",
        field: Field::Name,
        kind: Kind::Text,
        form: "rootcause.fault.service { name = \"Auth\" }",
        places: &[
            Place { within: Within::CauseServices, documented: true, column: Column::Value("c.name") },
            Place { within: Within::CauseEntities, documented: true, column: Column::Value("c.name") },
            Place { within: Within::CauseExceptions, documented: true, column: Column::Value("c.name") },
            Place {
                within: Within::Service,
                documented: false,
                column: Column::Interned { id: "s.node", table: "nodes", value: "name" },
            },
        ],
        hint: "name of the element",
        doc: "Name of the service or the entity, type of the exception. Inside `service() { }`: name of the \
              node.",
    },
    Keyword {
        name: "type",
        field: Field::Type,
        kind: Kind::Text,
        form: "rootcause.fault.service { type = \"AWS::Lambda\" }",
        places: &[
            Place { within: Within::CauseServices, documented: true, column: Column::Value("c.type") },
            Place {
                within: Within::Service,
                documented: false,
                column: Column::Interned { id: "s.node", table: "nodes", value: "nullif(type, '')" },
            },
        ],
        hint: "type of the service",
        doc: "Type of the service, such as `AWS::DynamoDB::Table`.",
    },
    Keyword {
        name: "message",
        field: Field::Message,
        kind: Kind::Text,
        form: "rootcause.error.exception { message CONTAINS \"denied\" }",
        places: &[Place {
            within: Within::CauseExceptions,
            documented: true,
            column: Column::Value("c.message"),
        }],
        hint: "an exception's message",
        doc: "Message of the exception.",
    },
    Keyword {
        name: "availabilityzone",
        field: Field::AvailabilityZone,
        kind: Kind::Text,
        form: "availabilityzone = \"eu-west-1a\"",
        places: &[Place {
            within: Within::Trace,
            documented: true,
            column: Column::Rows {
                from: "places r",
                join: "r.trace = t.key",
                only: "r.kind = 0 AND ",
                value: "r.value",
            },
        }],
        hint: "availability zone",
        doc: "Availability zone of any segment.",
    },
    Keyword {
        name: "instance.id",
        field: Field::InstanceId,
        kind: Kind::Text,
        form: "instance.id = \"i-0b22a22eec53b9321\"",
        places: &[Place {
            within: Within::Trace,
            documented: true,
            column: Column::Rows {
                from: "places r",
                join: "r.trace = t.key",
                only: "r.kind = 1 AND ",
                value: "r.value",
            },
        }],
        hint: "EC2 instance",
        doc: "Id of the EC2 instance of any segment.",
    },
    Keyword {
        name: "resource.arn",
        field: Field::ResourceArn,
        kind: Kind::Text,
        form: "resource.arn ENDSWITH \":function:score\"",
        places: &[Place {
            within: Within::Trace,
            documented: true,
            column: Column::Rows {
                from: "places r",
                join: "r.trace = t.key",
                only: "r.kind = 2 AND ",
                value: "r.value",
            },
        }],
        hint: "ARN of the resource",
        doc: "ARN of the resource of any segment.",
    },
    Keyword {
        name: "annotation.KEY",
        field: Field::Annotation,
        kind: Kind::Annotation,
        form: "annotation.age > 29",
        places: &[
            Place { within: Within::Trace, documented: true, column: Column::Own },
            Place { within: Within::Service, documented: false, column: Column::Own },
        ],
        hint: "indexed value of your own",
        doc: "Value under a key that any segment or subsegment of the trace set. A key with other characters \
              than letters, digits and `_` stands in brackets: `annotation[aws:api_id]`. Values keep their \
              types: the string \"5\" is not the number 5, and a comparison with another type is false, `!=` \
              excepted. The key alone is false for the value `false`, otherwise true if set. Inside `service() \
              { }`: of that segment and its subsegments.",
    },
    Keyword {
        name: "group.name",
        field: Field::GroupName,
        kind: Kind::Exact,
        form: "group.name = \"slow\"",
        places: &[Place {
            within: Within::Trace,
            documented: true,
            column: Column::Rows {
                from: "trace_groups r JOIN groups g ON g.number = r.grp",
                join: "r.trace = t.key",
                only: "",
                value: "g.name",
            },
        }],
        hint: "group of the trace",
        doc: "Name of a group that the trace was in when it was stored.",
    },
    Keyword {
        name: "group.arn",
        field: Field::GroupArn,
        kind: Kind::Exact,
        form: "group.arn = \"...\"",
        places: &[Place {
            within: Within::Trace,
            documented: true,
            column: Column::Rows {
                from: "trace_groups r JOIN groups g ON g.number = r.grp",
                join: "r.trace = t.key",
                only: "",
                value: "g.arn",
            },
        }],
        hint: "group of the trace",
        doc: "ARN of a group that the trace was in when it was stored.",
    },
    Keyword {
        name: "service",
        field: Field::Service,
        kind: Kind::Service,
        form: "service(\"api.example.com\") { fault }",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "one segment of a node",
        doc: "The trace touched the node, inferred nodes included. With braces, one segment of the node \
              satisfies the whole expression. Names are compared exactly. `service()` is any node; `id(name: \
              \"...\", type: \"...\", account.id: \"...\")` narrows by any of its parts, and `type: \"\"` is a node \
              without a type.",
    },
    Keyword {
        name: "edge",
        field: Field::Edge,
        kind: Kind::Edge,
        form: "edge(\"api.example.com\", \"backend.example.com\") { error }",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "one call between two nodes",
        doc: "The trace has a call from the first node to the second. With braces, one such call, as the \
              caller saw it, satisfies the whole expression. An empty name is any node.",
    },
    Keyword {
        name: "rootcause.fault.service",
        field: Field::FaultService,
        kind: Kind::Cause(CauseKind::Fault, CauseLevel::Service),
        form: "rootcause.fault.service { name = \"Auth\" }",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "service of a fault root cause",
        doc: "One service on the path of a fault root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.fault.entity",
        field: Field::FaultEntity,
        kind: Kind::Cause(CauseKind::Fault, CauseLevel::Entity),
        form: "rootcause.fault.entity { last and name = \"deserialize\" }",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "segment or subsegment of a fault root cause",
        doc: "One segment or subsegment on the path of a fault root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.fault.exception",
        field: Field::FaultException,
        kind: Kind::Cause(CauseKind::Fault, CauseLevel::Exception),
        form: "rootcause.fault.exception { last and message = \"...\" }",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "exception of a fault root cause",
        doc: "One exception on the path of a fault root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.error.service",
        field: Field::ErrorService,
        kind: Kind::Cause(CauseKind::Error, CauseLevel::Service),
        form: "rootcause.error.service { name = \"...\" }",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "service of a error root cause",
        doc: "One service on the path of a error root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.error.entity",
        field: Field::ErrorEntity,
        kind: Kind::Cause(CauseKind::Error, CauseLevel::Entity),
        form: "rootcause.error.entity { name = \"...\" }",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "segment or subsegment of a error root cause",
        doc: "One segment or subsegment on the path of a error root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.error.exception",
        field: Field::ErrorException,
        kind: Kind::Cause(CauseKind::Error, CauseLevel::Exception),
        form: "rootcause.error.exception { name = \"...\" }",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "exception of a error root cause",
        doc: "One exception on the path of a error root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.responsetime.service",
        field: Field::ResponseTimeService,
        kind: Kind::Cause(CauseKind::ResponseTime, CauseLevel::Service),
        form: "rootcause.responsetime.service { last and type = \"AWS::DynamoDB\" }",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "service of a response time root cause",
        doc: "One service on the path of a response time root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.responsetime.entity",
        field: Field::ResponseTimeEntity,
        kind: Kind::Cause(CauseKind::ResponseTime, CauseLevel::Entity),
        form: "rootcause.responsetime.entity { last and coverage > 0.8 }",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "segment or subsegment of a response time root cause",
        doc: "One segment or subsegment on the path of a response time root cause satisfies the whole \
              expression.",
    },
    Keyword {
        name: "rootcause.json",
        field: Field::RootCauseJson,
        kind: Kind::CauseJson,
        form: "rootcause.json = #[{ \"Services\": [{ \"Name\": \"GetWeatherData\" }] }]",
        places: &[Place { within: Within::Trace, documented: true, column: Column::Own }],
        hint: "whole root cause",
        doc: "Each root cause of the list matches a root cause of the trace, of any kind. Members are those of \
              `GetTraceSummaries`; an absent member matches everything, and lists have equal lengths.",
    },
];
