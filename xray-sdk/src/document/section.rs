//! [`Section`]: where in a document a value stands, in the order in which the parts are written.

/// The object, or the top level, that a member of a [`Body`](super::internal::Body) belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Section {
    /// A name that stands in for the frame's, or a piece of one: `name` (overrides all others), `peer`,
    /// `otel`, `host`, `db`. Sanitized, without quotes.
    Name,
    /// A piece of a URL (`scheme`, `host`, `port`, `path`, `query`), put together when there is no whole one.
    /// Escaped, without quotes.
    UrlPart,
    /// `http.request`.
    HttpRequest,
    /// `http.response`.
    HttpResponse,
    /// `rpc.service`, `rpc.method`: of an AWS call its name and `aws.operation`, of any other metadata.
    Rpc,
    /// `aws`.
    Aws,
    /// `sql`.
    Sql,
    /// A member of the document itself, such as `user` or `precursor_ids`.
    Top,
    /// A piece of an exception (`type`, `message`), put together when there is no whole one.
    ErrorPart,
    /// An exception of `cause`, a whole object without a key.
    Exception,
    /// `annotations`.
    Annotation,
    /// `metadata.default`.
    Metadata,
    /// `metadata`, in a namespace other than `default`.
    MetadataIn,
}

impl Section {
    pub(super) const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// The kind of service that did a subsegment's work (X-Ray Developer Guide, segment documents: `namespace`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Namespace {
    /// An AWS service, called through an SDK.
    Aws,
    /// Any other service: an HTTP API, a database.
    Remote,
}

impl Namespace {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Remote => "remote",
        }
    }
}
