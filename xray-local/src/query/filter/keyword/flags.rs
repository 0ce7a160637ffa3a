//! Booleans and numbers: rows of the table of keywords, in the order of [`Field`].
//!
//! Columns of SQL are those of the store's tables.

use super::column::Column;
use super::field::Field;
use super::row::{Keyword, Kind, Place};
use super::scope::Within;

pub(super) static ROWS: [Keyword; 15] = [
    Keyword {
        name: "ok",
        field: Field::Ok,
        kind: Kind::Flag,
        form: "ok",
        places: &[
            Place::documented(Within::Trace, Column::Shape("t.ok")),
            Place::chosen(Within::Service, Column::Shape("s.ok")),
            Place::chosen(Within::Edge, Column::Shape("e.ok")),
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
            Place::documented(Within::Trace, Column::Shape("t.error")),
            Place::documented(Within::Service, Column::Shape("s.error")),
            Place::documented(Within::Edge, Column::Shape("e.error")),
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
            Place::documented(Within::Trace, Column::Shape("t.throttle")),
            Place::documented(Within::Service, Column::Shape("s.throttle")),
            Place::documented(Within::Edge, Column::Shape("e.throttle")),
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
            Place::documented(Within::Trace, Column::Shape("t.fault")),
            Place::documented(Within::Service, Column::Shape("s.fault")),
            Place::documented(Within::Edge, Column::Shape("e.fault")),
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
            Place::documented(Within::Trace, Column::Shape("t.partial")),
            Place::chosen(Within::Service, Column::Shape("s.partial")),
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
            Place::documented(Within::Trace, Column::Shape("t.inferred")),
            Place::chosen(Within::Service, Column::Shape("s.inferred")),
            Place::documented(Within::CauseServices, Column::Value("c.inferred")),
            Place::chosen(Within::CauseEntities, Column::Value("c.inferred")),
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
            Place::documented(Within::Service, Column::Shape("s.root")),
            Place::chosen(Within::CauseServices, Column::Value("c.root")),
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
            Place::chosen(Within::CauseServices, Column::Value("c.first")),
            Place::documented(Within::CauseEntities, Column::Value("c.first")),
            Place::documented(Within::CauseExceptions, Column::Value("c.first")),
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
            Place::chosen(Within::CauseServices, Column::Value("c.last")),
            Place::documented(Within::CauseEntities, Column::Value("c.last")),
            Place::documented(Within::CauseExceptions, Column::Value("c.last")),
        ],
        hint: "last of its list",
        doc: "The deepest service or entity of the root cause, or the last exception of its entity.",
    },
    Keyword {
        name: "remote",
        field: Field::Remote,
        kind: Kind::Flag,
        form: "rootcause.fault.entity { remote }",
        places: &[Place::documented(Within::CauseEntities, Column::Value("c.remote"))],
        hint: "a call to another service",
        doc: "The entity is a subsegment that calls another service.",
    },
    Keyword {
        name: "responsetime",
        field: Field::ResponseTime,
        kind: Kind::Number,
        form: "responsetime > 0.5",
        places: &[
            Place::documented(Within::Trace, Column::Micros("t.response_us")),
            Place::documented(Within::Service, Column::Micros("s.response_us")),
            Place::chosen(Within::Edge, Column::Micros("e.response_us")),
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
            Place::documented(Within::Trace, Column::Micros("t.duration_us")),
            Place::chosen(Within::Service, Column::Micros("s.duration_us")),
            Place::chosen(Within::Edge, Column::Micros("e.response_us")),
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
            Place::documented(Within::Trace, Column::Shape("t.status")),
            Place::chosen(Within::Service, Column::Shape("s.status")),
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
            Place::documented(Within::CauseServices, Column::Value("c.service")),
            Place::chosen(Within::CauseEntities, Column::Value("c.number")),
            Place::chosen(Within::CauseExceptions, Column::Value("c.exception")),
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
            Place::documented(Within::ResponseTimeEntities, Column::Share("c.number")),
            Place::chosen(
                Within::ResponseTimeServices,
                Column::Share(
                    "(SELECT n.number FROM cause_entities n \
                     WHERE n.path = c.path AND n.service = c.service AND n.entity = 0)",
                ),
            ),
        ],
        hint: "share of the response time",
        doc: "The entity's time divided by the root's, from 0 to 1. A service has the coverage of its segment.",
    },
];
