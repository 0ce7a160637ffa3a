//! The handles of the keywords, and their rows in the same order.

use super::row::Keyword;
use super::{elements, flags, strings};

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

/// The rows. Together they have the order of [`Field`].
pub(super) static ROWS: [&[Keyword]; 3] = [&flags::ROWS, &strings::ROWS, &elements::ROWS];
