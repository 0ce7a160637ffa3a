//! A request's statements on its signature, in the header `Authorization` or in the query of a presigned URL.
//!
//! The form is taken strictly. Where AWS may be lenient with blanks or repeated members, a request is refused here, so
//! that no two spellings of a signature mean the same.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method, Uri};

use super::{SignatureError, instant};

/// The only algorithm that is checked here. `AWS4-ECDSA-P256-SHA256`, which signs for several regions, is refused.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A request as it came from the wire.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query.
    pub uri: &'a Uri,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

/// `AKID/20261126/us-east-1/xray/aws4_request`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The access key's id.
    pub key: String,
    /// The day, `20261126`.
    pub date: String,
    /// The region.
    pub region: String,
    /// The signing name of the service: `xray` or `sts`.
    pub service: String,
}

/// Place of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query, good for this time.
    Presigned(Duration),
}

/// A request's statements on its signature. Nothing of it is proven yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Whose key, and for what.
    pub credential: Credential,
    /// The session token, if there is one.
    pub token: Option<String>,
    /// Time of the signature.
    pub at: SystemTime,
    /// Place of the signature.
    pub form: Form,
    pub(super) date: String,
    pub(super) signed_headers: String,
    pub(super) signature: String,
}

impl Signed {
    /// Reads the signature's parts from a request.
    ///
    /// # Errors
    /// [`SignatureError::Missing`] without any signature, [`SignatureError::Incomplete`] if parts are missing or malformed.
    pub fn read(request: &Received<'_>) -> Result<Self, SignatureError> {
        let query = request.uri.query().unwrap_or_default();
        let is_presigned = pairs(query)?.iter().any(|(name, _)| name.eq_ignore_ascii_case("X-Amz-Algorithm"));
        match (request.headers.contains_key("authorization"), is_presigned) {
            (false, false) => Err(SignatureError::Missing),
            (true, true) => {
                Err(incomplete("Only one of the Authorization header and X-Amz-Algorithm may be given."))
            }
            (true, false) => Self::from_header(request),
            (false, true) => Self::from_query(&pairs(query)?),
        }
    }

    fn from_header(request: &Received<'_>) -> Result<Self, SignatureError> {
        let header = only(request.headers, "authorization")?.unwrap_or_default();
        let Some((algorithm, rest)) = header.split_once(' ') else {
            return Err(incomplete(format!(
                "Authorization header requires a signing algorithm. Authorization={header}"
            )));
        };
        check_algorithm(algorithm)?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for member in rest.split(',') {
            let slot_and_value = match member.trim_matches(' ').split_once('=') {
                Some(("Credential", value)) => Some((&mut credential, value)),
                Some(("SignedHeaders", value)) => Some((&mut signed_headers, value)),
                Some(("Signature", value)) => Some((&mut signature, value)),
                _ => None,
            };
            let is_first = slot_and_value.is_some_and(|(slot, value)| slot.replace(value).is_none());
            if !is_first {
                return Err(incomplete(format!(
                    "'{member}' not a valid key=value pair (missing equal-sign) in Authorization header: '{header}'."
                )));
            }
        }
        let date = only(request.headers, "x-amz-date")?;
        let mut missing = String::new();
        for (name, part) in
            [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]
        {
            if part.is_none_or(str::is_empty) {
                missing.push_str(&format!("Authorization header requires '{name}' parameter. "));
            }
        }
        if date.is_none() {
            missing.push_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
            );
        }
        let (Some(credential), Some(signed_headers), Some(signature), Some(date), true) =
            (credential, signed_headers, signature, date, missing.is_empty())
        else {
            return Err(incomplete(format!("{missing}Authorization={header}")));
        };
        let token = only(request.headers, "x-amz-security-token")?.map(str::to_owned);
        Self::new(credential, date, signed_headers, signature, token, Form::Header)
    }

    fn from_query(pairs: &[(String, String)]) -> Result<Self, SignatureError> {
        let find = |name: &str| {
            let mut found = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
            match (found.next(), found.next()) {
                (value, None) => Ok(value),
                _ => Err(incomplete(format!("The query-string parameter '{name}' must occur once."))),
            }
        };
        let need = |name: &str| {
            find(name)?.filter(|value| !value.is_empty()).ok_or_else(|| {
                incomplete(format!("AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."))
            })
        };
        check_algorithm(need("X-Amz-Algorithm")?)?;
        let seconds = need("X-Amz-Expires")?;
        // As long as AWS allows: seven days.
        let expires =
            seconds.parse().ok().filter(|expires| (1..=604_800).contains(expires)).ok_or_else(|| {
                incomplete(format!("X-Amz-Expires must be between 1 and 604800 seconds, but is '{seconds}'."))
            })?;
        let token = find("X-Amz-Security-Token")?.map(str::to_owned);
        Self::new(
            need("X-Amz-Credential")?,
            need("X-Amz-Date")?,
            need("X-Amz-SignedHeaders")?,
            need("X-Amz-Signature")?,
            token,
            Form::Presigned(Duration::from_secs(expires)),
        )
    }

    fn new(
        credential: &str,
        date: &str,
        signed_headers: &str,
        signature: &str,
        token: Option<String>,
        form: Form,
    ) -> Result<Self, SignatureError> {
        let at = instant::parse(date).ok_or_else(|| {
            incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{date}'. See https://en.wikipedia.org/wiki/ISO_8601"))
        })?;
        Ok(Self {
            credential: Credential::parse(credential)?,
            token,
            at,
            form,
            date: date.to_owned(),
            signed_headers: signed_headers.to_owned(),
            signature: signature.to_owned(),
        })
    }
}

impl Credential {
    fn parse(source: &str) -> Result<Self, SignatureError> {
        let parts: Vec<&str> = source.split('/').collect();
        let [key, date, region, service, terminator] = parts.as_slice() else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{source}'"
            )));
        };
        if *terminator != "aws4_request" {
            return Err(SignatureError::Invalid(format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'."
            )));
        }
        let owned = |part: &&str| (*part).to_owned();
        Ok(Self { key: owned(key), date: owned(date), region: owned(region), service: owned(service) })
    }
}

/// Reports whether a query parameter is the signature's own.
pub(super) fn is_of_signature(name: &str) -> bool {
    matches!(
        name,
        "X-Amz-Algorithm"
            | "X-Amz-Credential"
            | "X-Amz-Date"
            | "X-Amz-Expires"
            | "X-Amz-SignedHeaders"
            | "X-Amz-Signature"
            | "X-Amz-Security-Token"
    )
}

/// A query's names and values.
///
/// What is not UTF-8 is refused, since the signer would read it with losses. So are escapes with small letters, which mean
/// the same as those with capitals and would be a second spelling of one signed request.
pub(super) fn pairs(query: &str) -> Result<Vec<(String, String)>, SignatureError> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let is_lossy = pairs.iter().any(|(name, value)| name.contains('\u{FFFD}') || value.contains('\u{FFFD}'));
    let mut escapes = query.split('%').skip(1).map(|rest| rest.bytes().take(2));
    if is_lossy || escapes.any(|mut digits| digits.any(|digit| digit.is_ascii_lowercase())) {
        return Err(incomplete("The query string must be UTF-8, percent-encoded with capital letters."));
    }
    Ok(pairs)
}

/// A header's value, if the header occurs at most once and is printable ASCII.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value
            .to_str()
            .map(Some)
            .map_err(|_| incomplete(format!("The header '{name}' must be printable ASCII."))),
        _ => Err(incomplete(format!("The header '{name}' must occur once."))),
    }
}

fn check_algorithm(algorithm: &str) -> Result<(), SignatureError> {
    if algorithm == ALGORITHM {
        return Ok(());
    }
    Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")))
}

fn incomplete(message: impl Into<String>) -> SignatureError {
    SignatureError::Incomplete(message.into())
}
