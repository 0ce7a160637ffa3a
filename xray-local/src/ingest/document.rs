//! The members of a document that compilation looks at, borrowed from its bytes.
//!
//! Other members are kept in the document as they were received, and never read during the intake.

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess};

use super::lenient::{Lenient, Present, Record, Shape, Text, members};
use crate::model::Scalar;

/// A segment or subsegment.
#[derive(Debug, Default)]
pub(super) struct Span<'a> {
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) trace_id: Text<'a>,
    pub(super) parent_id: Text<'a>,
    pub(super) kind: Text<'a>,
    pub(super) start: Option<f64>,
    pub(super) end: Option<f64>,
    pub(super) in_progress: bool,
    pub(super) namespace: Text<'a>,
    pub(super) origin: Text<'a>,
    pub(super) user: Text<'a>,
    pub(super) resource_arn: Text<'a>,
    pub(super) error: bool,
    pub(super) throttle: bool,
    pub(super) fault: bool,
    pub(super) traced: bool,
    pub(super) http: Option<Box<HttpBlock<'a>>>,
    pub(super) aws: Option<Box<Aws<'a>>>,
    pub(super) sql: Present,
    pub(super) annotations: Annotations<'a>,
    pub(super) cause: Cause<'a>,
    pub(super) links: Vec<LinkBlock<'a>>,
    pub(super) subsegments: Vec<Self>,
}

members!(Span<'de> {
    "id" => id, "name" => name, "trace_id" => trace_id, "parent_id" => parent_id, "type" => kind,
    "start_time" => start, "end_time" => end, "in_progress" => in_progress, "namespace" => namespace,
    "origin" => origin, "user" => user, "resource_arn" => resource_arn, "error" => error, "throttle" => throttle,
    "fault" => fault, "traced" => traced, "http" => http, "aws" => aws, "sql" => sql, "annotations" => annotations,
    "cause" => cause, "links" => links, "subsegments" => subsegments,
});

/// `http`.
#[derive(Debug, Default)]
pub(super) struct HttpBlock<'a> {
    pub(super) request: Option<Request<'a>>,
    pub(super) response: Option<Response<'a>>,
}

members!(HttpBlock<'de> { "request" => request, "response" => response });

/// `http.request`.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    pub(super) method: Text<'a>,
    pub(super) url: Text<'a>,
    pub(super) user_agent: Text<'a>,
    pub(super) client_ip: Text<'a>,
    pub(super) traced: bool,
}

members!(Request<'de> {
    "method" => method, "url" => url, "user_agent" => user_agent, "client_ip" => client_ip, "traced" => traced,
});

/// `http.response`.
#[derive(Debug, Default)]
pub(super) struct Response<'a> {
    pub(super) status: Option<f64>,
    marker: std::marker::PhantomData<&'a ()>,
}

members!(Response<'de> { "status" => status });

/// `aws`, on segments and on subsegments.
#[derive(Debug, Default)]
pub(super) struct Aws<'a> {
    pub(super) account_id: Text<'a>,
    pub(super) table_name: Text<'a>,
    pub(super) bucket_name: Text<'a>,
    pub(super) queue_url: Text<'a>,
    pub(super) topic_arn: Text<'a>,
    pub(super) function_name: Text<'a>,
    pub(super) ec2: Option<Ec2<'a>>,
    pub(super) ecs: Option<Ec2<'a>>,
}

members!(Aws<'de> {
    "account_id" => account_id, "table_name" => table_name, "bucket_name" => bucket_name, "queue_url" => queue_url,
    "topic_arn" => topic_arn, "function_name" => function_name, "ec2" => ec2, "ecs" => ecs,
});

/// `aws.ec2`, and the same members of `aws.ecs`.
#[derive(Debug, Default)]
pub(super) struct Ec2<'a> {
    pub(super) instance_id: Text<'a>,
    pub(super) availability_zone: Text<'a>,
}

members!(Ec2<'de> { "instance_id" => instance_id, "availability_zone" => availability_zone });

/// One of `links`.
#[derive(Debug, Default)]
pub(super) struct LinkBlock<'a> {
    pub(super) trace_id: Text<'a>,
    pub(super) id: Text<'a>,
}

members!(LinkBlock<'de> { "trace_id" => trace_id, "id" => id });

/// One of `cause.exceptions`.
#[derive(Debug, Default)]
pub(super) struct ExceptionBlock<'a> {
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) message: Text<'a>,
}

members!(ExceptionBlock<'de> { "id" => id, "type" => name, "message" => message });

/// `cause` as an object.
#[derive(Debug, Default)]
struct CauseBlock<'a> {
    exceptions: Vec<ExceptionBlock<'a>>,
}

members!(CauseBlock<'de> { "exceptions" => exceptions });

/// `cause`: exceptions, or the id of one that is recorded elsewhere in the trace.
#[derive(Debug, Default)]
pub(super) enum Cause<'a> {
    #[default]
    None,
    Elsewhere(Cow<'a, str>),
    Here(Vec<ExceptionBlock<'a>>),
}

impl<'de> Shape<'de> for Cause<'de> {
    fn string(id: Cow<'de, str>) -> Self {
        Self::Elsewhere(id)
    }

    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        let block: Option<CauseBlock<'de>> = Shape::object(object)?;
        Ok(Self::Here(block.unwrap_or_default().exceptions))
    }
}

/// `annotations`: keys with a boolean, a number or a string. Other values count as absent.
#[derive(Debug, Default)]
pub(super) struct Annotations<'a>(pub(super) Vec<(Cow<'a, str>, Scalar<'a>)>);

impl<'de> Shape<'de> for Annotations<'de> {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut pairs: Vec<(Cow<'de, str>, Scalar<'de>)> = Vec::new();
        while let Some(Lenient(key)) = object.next_key::<Lenient<Text<'de>>>()? {
            let Lenient(AnyScalar(value)) = object.next_value()?;
            let key = key.unwrap_or_default();
            pairs.retain(|(known, _)| *known != key);
            pairs.extend(value.map(|value| (key, value)));
        }
        Ok(Self(pairs))
    }
}

#[derive(Default)]
struct AnyScalar<'a>(Option<Scalar<'a>>);

impl<'de> Shape<'de> for AnyScalar<'de> {
    fn string(value: Cow<'de, str>) -> Self {
        Self(Some(Scalar::String(value)))
    }

    fn number(value: f64) -> Self {
        Self(Some(Scalar::Number(value)).filter(|_| value.is_finite()))
    }

    fn boolean(value: bool) -> Self {
        Self(Some(Scalar::Boolean(value)))
    }
}

/// A document that is read once, for acceptance and compilation.
#[derive(Debug, Default)]
pub struct Parsed<'a>(pub(super) Span<'a>);

impl<'a> Parsed<'a> {
    /// Reads a document that was accepted before. Bytes that are no document have no members, which compilation skips.
    #[must_use]
    pub fn stored(bytes: &'a [u8]) -> Self {
        Self(Span::read(bytes).ok().flatten().unwrap_or_default())
    }

    /// Returns the name; empty without one.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name.as_deref().unwrap_or_default()
    }
}

impl<'a> Span<'a> {
    /// Reads a document; `None` if it is one JSON value, but no object.
    ///
    /// # Errors
    /// The bytes are not one JSON value.
    pub(super) fn read(bytes: &'a [u8]) -> serde_json::Result<Option<Self>> {
        serde_json::from_slice::<Lenient<Option<Self>>>(bytes).map(|Lenient(span)| span)
    }

    /// The id's 64 bits, if it is one.
    pub(super) fn id_bits(&self) -> Option<u64> {
        self.id.as_deref().and_then(id_bits)
    }

    /// Reports whether it is a subsegment that was sent on its own.
    pub(super) fn is_independent(&self) -> bool {
        self.kind.as_deref() == Some("subsegment")
    }

    /// Reports whether it has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.in_progress || self.end.is_none()
    }

    /// Reports whether it calls another service.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self.namespace.as_deref(), Some("aws" | "remote"))
    }

    /// Reports whether it says that the callee sends a segment of its own. SDKs put the member in either place.
    pub(super) fn is_traced(&self) -> bool {
        let request = self.http.as_ref().and_then(|http| http.request.as_ref());
        self.traced || request.is_some_and(|request| request.traced)
    }
}

/// The 64 bits of a segment id: exactly 16 hexadecimal digits.
pub(super) fn id_bits(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// The name in a document, where it can be read: the service's, for a segment.
#[must_use]
pub fn service_name(document: &[u8]) -> Option<String> {
    Span::read(document).ok().flatten()?.name.map(Cow::into_owned)
}

/// The trace id in a document, where it can be read.
#[must_use]
pub fn trace_id(document: &[u8]) -> Option<xray_sdk::TraceId> {
    Span::read(document).ok().flatten()?.trace_id?.parse().ok()
}
