//! Annotations, groups, services, edges and root causes: rows of the table of keywords, in the order of [`Field`].
//!
//! Columns of SQL are those of the store's tables.

use super::column::Column;
use super::field::Field;
use super::row::{Keyword, Kind, Place};
use super::scope::{CauseLevel, Within};
use crate::model::CauseKind;

pub(super) static ROWS: [Keyword; 14] = [
    Keyword {
        name: "annotation.KEY",
        field: Field::Annotation,
        kind: Kind::Annotation,
        form: "annotation.age > 29",
        places: &[Place::documented(Within::Trace, Column::Own), Place::chosen(Within::Service, Column::Own)],
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
        places: &[Place::documented(
            Within::Trace,
            Column::Rows {
                from: "trace_groups r JOIN groups g ON g.number = r.grp",
                join: "r.trace = t.key",
                only: "",
                value: "g.name",
            },
        )],
        hint: "group of the trace",
        doc: "Name of a group that the trace was in when it was stored.",
    },
    Keyword {
        name: "group.arn",
        field: Field::GroupArn,
        kind: Kind::Exact,
        form: "group.arn = \"...\"",
        places: &[Place::documented(
            Within::Trace,
            Column::Rows {
                from: "trace_groups r JOIN groups g ON g.number = r.grp",
                join: "r.trace = t.key",
                only: "",
                value: "g.arn",
            },
        )],
        hint: "group of the trace",
        doc: "ARN of a group that the trace was in when it was stored.",
    },
    Keyword {
        name: "service",
        field: Field::Service,
        kind: Kind::Service,
        form: "service(\"api.example.com\") { fault }",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "one segment of a node",
        doc: "The trace touched the node, inferred nodes included. With braces, one segment of the node \
              satisfies the whole expression. Names are compared exactly. `service()` is any node; `id(name: \
              \"...\", type: \"...\", account.id: \"...\")` narrows by any of its parts, and `type: \"\"` is a node \
              without a type. Nodes of type `client`, which stand for callers of root segments, are meant by \
              their type only.",
    },
    Keyword {
        name: "edge",
        field: Field::Edge,
        kind: Kind::Edge,
        form: "edge(\"api.example.com\", \"backend.example.com\") { error }",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "one call between two nodes",
        doc: "The trace has a call from the first node to the second. With braces, one such call, as the \
              caller saw it, satisfies the whole expression. An empty name is any node.",
    },
    Keyword {
        name: "rootcause.fault.service",
        field: Field::FaultService,
        kind: Kind::Cause(CauseKind::Fault, CauseLevel::Service),
        form: "rootcause.fault.service { name = \"Auth\" }",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "service of a fault root cause",
        doc: "One service on the path of a fault root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.fault.entity",
        field: Field::FaultEntity,
        kind: Kind::Cause(CauseKind::Fault, CauseLevel::Entity),
        form: "rootcause.fault.entity { last and name = \"deserialize\" }",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "segment or subsegment of a fault root cause",
        doc: "One segment or subsegment on the path of a fault root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.fault.exception",
        field: Field::FaultException,
        kind: Kind::Cause(CauseKind::Fault, CauseLevel::Exception),
        form: "rootcause.fault.exception { last and message = \"...\" }",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "exception of a fault root cause",
        doc: "One exception on the path of a fault root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.error.service",
        field: Field::ErrorService,
        kind: Kind::Cause(CauseKind::Error, CauseLevel::Service),
        form: "rootcause.error.service { name = \"...\" }",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "service of an error root cause",
        doc: "One service on the path of an error root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.error.entity",
        field: Field::ErrorEntity,
        kind: Kind::Cause(CauseKind::Error, CauseLevel::Entity),
        form: "rootcause.error.entity { name = \"...\" }",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "segment or subsegment of an error root cause",
        doc: "One segment or subsegment on the path of an error root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.error.exception",
        field: Field::ErrorException,
        kind: Kind::Cause(CauseKind::Error, CauseLevel::Exception),
        form: "rootcause.error.exception { name = \"...\" }",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "exception of an error root cause",
        doc: "One exception on the path of an error root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.responsetime.service",
        field: Field::ResponseTimeService,
        kind: Kind::Cause(CauseKind::ResponseTime, CauseLevel::Service),
        form: "rootcause.responsetime.service { last and type = \"AWS::DynamoDB\" }",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "service of a response time root cause",
        doc: "One service on the path of a response time root cause satisfies the whole expression.",
    },
    Keyword {
        name: "rootcause.responsetime.entity",
        field: Field::ResponseTimeEntity,
        kind: Kind::Cause(CauseKind::ResponseTime, CauseLevel::Entity),
        form: "rootcause.responsetime.entity { last and coverage > 0.8 }",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "segment or subsegment of a response time root cause",
        doc: "One segment or subsegment on the path of a response time root cause satisfies the whole \
              expression.",
    },
    Keyword {
        name: "rootcause.json",
        field: Field::RootCauseJson,
        kind: Kind::CauseJson,
        form: "rootcause.json = #[{ \"Services\": [{ \"Name\": \"GetWeatherData\" }] }]",
        places: &[Place::documented(Within::Trace, Column::Own)],
        hint: "whole root cause",
        doc: "Each root cause of the list matches a root cause of the trace, of any kind. Members are those of \
              `GetTraceSummaries`; an absent member matches everything, and lists have equal lengths.",
    },
];
