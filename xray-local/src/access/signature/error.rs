//! Reasons for which a signature is not accepted, in AWS's names and words.
//!
//! Codes and messages were seen in answers of X-Ray and STS. Both protocols name the same errors differently.

use std::error::Error;
use std::fmt;

/// A signature that is missing, malformed, wrong, early, late, or made with unknown keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// There is none.
    Missing,
    /// Parts of it are missing or malformed.
    Incomplete(String),
    /// The access key or the session token is not known.
    UnknownClient,
    /// The session that the token belongs to is over.
    ExpiredToken,
    /// The signature does not fit the request, the time, the region or the service.
    Invalid(String),
}

impl SignatureError {
    /// The error of a request whose signature, computed again, is another one.
    pub(super) fn mismatch() -> Self {
        Self::Invalid(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details."
                .to_owned(),
        )
    }

    /// The error's name in X-Ray's API, a JSON protocol.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::Incomplete(_) => "IncompleteSignatureException",
            Self::UnknownClient => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
            Self::Invalid(_) => "InvalidSignatureException",
        }
    }

    /// The error's name in STS's API, the query protocol.
    pub fn query_code(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationToken",
            Self::Incomplete(_) => "IncompleteSignature",
            Self::UnknownClient => "InvalidClientTokenId",
            Self::ExpiredToken => "ExpiredToken",
            Self::Invalid(_) => "SignatureDoesNotMatch",
        }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Missing => "Missing Authentication Token",
            Self::UnknownClient => "The security token included in the request is invalid.",
            Self::ExpiredToken => "The security token included in the request is expired",
            Self::Incomplete(message) | Self::Invalid(message) => message,
        })
    }
}

impl Error for SignatureError {}
