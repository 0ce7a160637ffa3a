//! Strings: rows of the table of keywords, in the order of [`Field`].
//!
//! Columns of SQL are those of the store's tables.

use super::column::Column;
use super::field::Field;
use super::row::{Keyword, Kind, Place};
use super::scope::Within;

pub(super) static ROWS: [Keyword; 11] = [
    Keyword {
        name: "http.url",
        field: Field::HttpUrl,
        kind: Kind::Text,
        form: "http.url CONTAINS \"/api/\"",
        places: &[
            Place::documented(Within::Trace, Column::Lookup { id: "t.url", table: "urls", value: "r.url" }),
            Place::chosen(Within::Service, Column::Value("s.url")),
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
            Place::documented(Within::Trace, Column::Shape("t.method")),
            Place::chosen(Within::Service, Column::Shape("s.method")),
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
            Place::documented(
                Within::Trace,
                Column::Interned { id: "t.agent", table: "agents", value: "agent" },
            ),
            Place::chosen(
                Within::Service,
                Column::Interned { id: "s.agent", table: "agents", value: "agent" },
            ),
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
            Place::documented(Within::Trace, Column::Value("t.client_ip")),
            Place::chosen(Within::Service, Column::Value("s.client_ip")),
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
            Place::documented(
                Within::Trace,
                Column::Rows { from: "users r", join: "r.trace = t.key", only: "", value: "r.user" },
            ),
            Place::chosen(
                Within::Service,
                Column::Rows {
                    from: "users r",
                    join: "r.trace = s.trace AND r.segment = s.segment",
                    only: "",
                    value: "r.user",
                },
            ),
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
            Place::documented(Within::CauseServices, Column::Value("c.name")),
            Place::documented(Within::CauseEntities, Column::Value("c.name")),
            Place::documented(Within::CauseExceptions, Column::Value("c.name")),
            Place::chosen(Within::Service, Column::Interned { id: "s.node", table: "nodes", value: "name" }),
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
            Place::documented(Within::CauseServices, Column::Value("c.type")),
            Place::chosen(
                Within::Service,
                Column::Interned { id: "s.node", table: "nodes", value: "nullif(type, '')" },
            ),
        ],
        hint: "type of the service",
        doc: "Type of the service, such as `AWS::DynamoDB::Table`.",
    },
    Keyword {
        name: "message",
        field: Field::Message,
        kind: Kind::Text,
        form: "rootcause.error.exception { message CONTAINS \"denied\" }",
        places: &[Place::documented(Within::CauseExceptions, Column::Value("c.message"))],
        hint: "an exception's message",
        doc: "Message of the exception.",
    },
    Keyword {
        name: "availabilityzone",
        field: Field::AvailabilityZone,
        kind: Kind::Text,
        form: "availabilityzone = \"eu-west-1a\"",
        places: &[Place::documented(Within::Trace, of_places("r.kind = 0 AND "))],
        hint: "availability zone",
        doc: "Availability zone of any segment.",
    },
    Keyword {
        name: "instance.id",
        field: Field::InstanceId,
        kind: Kind::Text,
        form: "instance.id = \"i-0b22a22eec53b9321\"",
        places: &[Place::documented(Within::Trace, of_places("r.kind = 1 AND "))],
        hint: "EC2 instance",
        doc: "Id of the EC2 instance of any segment.",
    },
    Keyword {
        name: "resource.arn",
        field: Field::ResourceArn,
        kind: Kind::Text,
        form: "resource.arn ENDSWITH \":function:score\"",
        places: &[Place::documented(Within::Trace, of_places("r.kind = 2 AND "))],
        hint: "ARN of the resource",
        doc: "ARN of the resource of any segment.",
    },
];

/// The values of a kind in the table of places.
const fn of_places(only: &'static str) -> Column {
    Column::Rows { from: "places r", join: "r.trace = t.key", only, value: "r.value" }
}
