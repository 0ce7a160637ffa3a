//! Places of values in a document: [`Section`] for its members, [`Piece`] for the parts that members are made of.

/// The object, or the top level, that a member of a [`Body`](super::internal::Body) belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Section {
    /// `http.request`.
    HttpRequest,
    /// `http.response`.
    HttpResponse,
    /// `aws`.
    Aws,
    /// `sql`.
    Sql,
    /// A member of the document itself, such as `user` or `precursor_ids`.
    Top,
    /// An exception of `cause`, a whole object without a key.
    Exception,
    /// `annotations`.
    Annotation,
    /// `metadata.default`.
    Metadata,
    /// `metadata`, in a namespace other than `default`.
    MetadataIn,
}

/// A value that is no member by itself. When the document is written, members are put together from pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Piece {
    /// A name that stands in for the frame's, or a part of one: `name` (overrides all others), `peer`,
    /// `otel`, `host`, `db`. Sanitized, without quotes.
    Name,
    /// A part of a URL (`scheme`, `host`, `port`, `path`, `query`), for a request without a whole one.
    /// Escaped, without quotes.
    Url,
    /// `rpc.service`, `rpc.method`: of an AWS call its name and `aws.operation`, of any other metadata.
    Rpc,
    /// A part of an exception (`type`, `message`), for a body without a whole one.
    Exception,
}

/// A section, or a piece's kind: what an entry of a body belongs to, in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Part {
    HttpRequest,
    HttpResponse,
    Aws,
    Sql,
    Top,
    Exception,
    Annotation,
    Metadata,
    MetadataIn,
    NamePiece,
    UrlPiece,
    RpcPiece,
    ExceptionPiece,
}

impl Part {
    /// The number of parts.
    pub(super) const COUNT: usize = 1 + Self::ExceptionPiece as usize;

    /// Returns whether the part's values are no members by themselves.
    pub(super) const fn is_piece(self) -> bool {
        self as u8 >= Self::NamePiece as u8
    }

    pub(super) const fn bit(self) -> u16 {
        1 << self as u8
    }
}

impl From<Section> for Part {
    #[inline]
    fn from(section: Section) -> Self {
        match section {
            Section::HttpRequest => Self::HttpRequest,
            Section::HttpResponse => Self::HttpResponse,
            Section::Aws => Self::Aws,
            Section::Sql => Self::Sql,
            Section::Top => Self::Top,
            Section::Exception => Self::Exception,
            Section::Annotation => Self::Annotation,
            Section::Metadata => Self::Metadata,
            Section::MetadataIn => Self::MetadataIn,
        }
    }
}

impl From<Piece> for Part {
    #[inline]
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Name => Self::NamePiece,
            Piece::Url => Self::UrlPiece,
            Piece::Rpc => Self::RpcPiece,
            Piece::Exception => Self::ExceptionPiece,
        }
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
    /// Returns the member of a document, with a comma in front.
    pub(super) const fn member(self) -> &'static str {
        match self {
            Self::Aws => ",\"namespace\":\"aws\"",
            Self::Remote => ",\"namespace\":\"remote\"",
        }
    }
}
