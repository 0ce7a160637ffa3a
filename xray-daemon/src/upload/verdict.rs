//! The meaning of an answer, or of its absence, for the batch that was sent.
//!
//! A pure function of the answer. The error's code decides, then the status: X-Ray answers 400 to a bad document, to
//! an expired token and to a clock that is off alike.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use serde::Deserialize;

use crate::aws::{CallError, Reply};
use crate::counters::CallErrors;

/// The treatment of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// X-Ray took it, apart from these documents.
    Accepted(Vec<Unprocessed>),
    /// A document of it, or its size, is at fault: cut it in halves.
    Invalid(String),
    /// X-Ray can't take it now: wait, this long if X-Ray says so.
    Throttled(Option<Duration>, String),
    /// There was no answer, or none that can be understood: wait.
    Unavailable(Option<Duration>, String),
    /// The credentials have expired: ask for new ones, and wait a little.
    Expired(String),
    /// The clock is off by this many seconds: correct it, and wait a little.
    Skewed(i64, String),
    /// X-Ray refuses these credentials or this role: wait long.
    Denied(String),
}

/// A document that X-Ray took no further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unprocessed {
    /// The segment's id, if X-Ray has found one.
    pub id: Option<String>,
    /// The reason as a code.
    pub error_code: Option<String>,
    /// The reason in words.
    pub message: Option<String>,
}

impl Unprocessed {
    /// Reads an item of the answer.
    ///
    /// What can't be read of it is left out: the item still stands for a document.
    fn read(item: &serde_json::Value) -> Self {
        let string = |name: &str| item.get(name)?.as_str().map(shortened);
        Self { id: string("Id"), error_code: string("ErrorCode"), message: string("Message") }
    }

    /// Returns whether the document itself is all right, so that sending it again may help.
    #[must_use]
    pub fn may_be_repeated(&self) -> bool {
        self.error_code.as_deref().is_some_and(|code| is_throttling(code) || is_internal(code))
    }
}

/// Returns what an answer means.
///
/// `unix` is the wall clock at the answer's arrival, in seconds.
#[must_use]
pub fn judge(answer: &Result<Reply, CallError>, unix: u64) -> Verdict {
    let reply = match answer {
        Ok(reply) => reply,
        Err(CallError::NoCredentials(why)) => return Verdict::Denied(format!("no credentials: {why}")),
        Err(error) => return Verdict::Unavailable(None, error.to_string()),
    };
    let status = reply.status.as_u16();
    if status == 200 {
        return accepted(&reply.body);
    }
    let (code, message) = error(reply);
    let why = match (code.as_deref(), message.as_deref()) {
        (None, None) => format!("status {status}"),
        (code, message) => {
            format!("{}: {} (status {status})", code.unwrap_or("no code"), message.unwrap_or("no message"))
        }
    };
    let after = retry_after(&reply.headers, unix);
    let name = code.as_deref().unwrap_or_default();
    if status == 429 || is_throttling(name) {
        return Verdict::Throttled(after, why);
    }
    if is_expired(name) {
        return Verdict::Expired(why);
    }
    if is_signature(name) {
        return match skew(&reply.headers, unix) {
            Some(seconds) if seconds.abs() > TOLERATED_SKEW => Verdict::Skewed(seconds, why),
            _ => Verdict::Denied(why),
        };
    }
    match status {
        401 | 403 => Verdict::Denied(why),
        413 => Verdict::Invalid(why),
        _ if is_denied(name) => Verdict::Denied(why),
        // A proxy's page has no code, and says nothing of the documents.
        400 | 422 if code.is_some() => Verdict::Invalid(why),
        _ => Verdict::Unavailable(after, why),
    }
}

/// Counts a failed call in the classes of X-Ray's telemetry.
pub(super) fn count(answer: &Result<Reply, CallError>, errors: &mut CallErrors) {
    match answer {
        Ok(reply) => match reply.status.as_u16() {
            400..=499 => errors.http_4xx += 1,
            500..=599 => errors.http_5xx += 1,
            200 if !matches!(accepted(&reply.body), Verdict::Unavailable(..)) => {}
            _ => errors.other += 1,
        },
        Err(CallError::ConnectionRefused(_)) => errors.refused += 1,
        Err(CallError::Timeout(_)) => errors.timeout += 1,
        Err(CallError::UnknownHost(_)) => errors.unknown_host += 1,
        Err(_) => errors.other += 1,
    }
}

fn accepted(body: &[u8]) -> Verdict {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "UnprocessedTraceSegments", default)]
        unprocessed: Option<Vec<serde_json::Value>>,
    }
    if body.is_empty() {
        return Verdict::Accepted(Vec::new());
    }
    if !body.trim_ascii_start().starts_with(b"{") {
        return Verdict::Unavailable(None, "an answer that is not X-Ray's: not a JSON object".to_owned());
    }
    match serde_json::from_slice::<Answer>(body) {
        Ok(answer) => {
            Verdict::Accepted(answer.unprocessed.unwrap_or_default().iter().map(Unprocessed::read).collect())
        }
        Err(err) => Verdict::Unavailable(None, format!("an answer that is not X-Ray's: {err}")),
    }
}

/// The error's code and message, from where AWS's SDKs look for them.
fn error(reply: &Reply) -> (Option<String>, Option<String>) {
    // Services send `Message` and `message` side by side, which a struct with aliases would refuse.
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let string = |names: &[&str]| names.iter().find_map(|name| body.get(name)?.as_str()).map(shortened);
    let header =
        reply.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let code = header.or_else(|| string(&["code", "Code", "__type"])).map(|code| {
        // `aws.protocol#Name:http://where/it/is/documented/`
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().trim().to_owned()
    });
    (code.filter(|code| !code.is_empty()), string(&["message", "Message"]))
}

/// Words of an endpoint's, short enough for the log.
fn shortened(words: &str) -> String {
    match words.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

/// Characters of an endpoint's code or message that are kept. Those of X-Ray have about a hundred.
const MAX_WORDS: usize = 1_000;

fn is_throttling(code: &str) -> bool {
    const NAMES: [&str; 7] = [
        "ThrottledException",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottledException",
        "SlowDown",
    ];
    NAMES.contains(&code)
}

fn is_internal(code: &str) -> bool {
    const NAMES: [&str; 4] =
        ["InternalFailure", "InternalServerError", "InternalServerException", "ServiceUnavailable"];
    NAMES.contains(&code)
}

fn is_expired(code: &str) -> bool {
    const NAMES: [&str; 4] =
        ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"];
    NAMES.contains(&code)
}

/// The signature doesn't match, or not now.
fn is_signature(code: &str) -> bool {
    const NAMES: [&str; 5] = [
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "RequestTimeTooSkewed",
        "RequestInTheFuture",
        "AuthFailure",
    ];
    NAMES.contains(&code)
}

fn is_denied(code: &str) -> bool {
    const NAMES: [&str; 9] = [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "NotAuthorized",
        "OptInRequired",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "MissingAuthenticationTokenException",
        "IncompleteSignatureException",
    ];
    NAMES.contains(&code)
}

/// `Retry-After`: seconds, or a date.
fn retry_after(headers: &HeaderMap, unix: u64) -> Option<Duration> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // Against the answer's own date, so that a clock that is off doesn't matter.
    let date = date(headers).unwrap_or(unix);
    Some(Duration::from_secs(seconds_of(value)?.saturating_sub(date)))
}

/// By how many seconds the endpoint's clock is ahead of ours.
fn skew(headers: &HeaderMap, unix: u64) -> Option<i64> {
    Some(date(headers)?.cast_signed() - unix.cast_signed())
}

fn date(headers: &HeaderMap) -> Option<u64> {
    seconds_of(headers.get(http::header::DATE)?.to_str().ok()?)
}

fn seconds_of(date: &str) -> Option<u64> {
    let since = httpdate::parse_http_date(date).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

/// AWS refuses signatures that are 5 minutes off, or 15; less than this is not the reason.
const TOLERATED_SKEW: i64 = 240;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderName, HeaderValue, StatusCode};

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn reply(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Result<Reply, CallError> {
        let headers = headers
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Ok(Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }

    /// The verdict's name, by which most cases are compared.
    fn name(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Accepted(_) => "accepted",
            Verdict::Invalid(_) => "invalid",
            Verdict::Throttled(..) => "throttled",
            Verdict::Unavailable(..) => "unavailable",
            Verdict::Expired(_) => "expired",
            Verdict::Skewed(..) => "skewed",
            Verdict::Denied(_) => "denied",
        }
    }

    #[test]
    fn the_code_decides_and_the_status_when_there_is_none() {
        for (status, code, expected) in [
            (400, "InvalidRequestException", "invalid"),
            (400, "ValidationException", "invalid"),
            (400, "SerializationException", "invalid"),
            (413, "", "invalid"),
            (422, "Whatever", "invalid"),
            (400, "", "unavailable"),
            (429, "", "throttled"),
            (429, "ThrottledException", "throttled"),
            (400, "ThrottlingException", "throttled"),
            (503, "SlowDown", "throttled"),
            (400, "ExpiredTokenException", "expired"),
            (403, "ExpiredToken", "expired"),
            (403, "AccessDeniedException", "denied"),
            (400, "AccessDeniedException", "denied"),
            (403, "UnrecognizedClientException", "denied"),
            (403, "MissingAuthenticationTokenException", "denied"),
            (403, "InvalidSignatureException", "denied"),
            (403, "", "denied"),
            (401, "", "denied"),
            (500, "InternalFailure", "unavailable"),
            (502, "", "unavailable"),
            (404, "UnknownOperationException", "unavailable"),
            (302, "", "unavailable"),
            (408, "", "unavailable"),
        ] {
            let answer =
                reply(status, if code.is_empty() { &[] } else { &[("x-amzn-errortype", "set below")] }, "");
            let mut answer = answer.unwrap();
            if let Some(value) = answer.headers.get_mut("x-amzn-errortype") {
                *value = HeaderValue::from_str(code).unwrap();
            }
            assert_eq!(name(&judge(&Ok(answer), NOW)), expected, "{status} {code}");
        }
    }

    #[test]
    fn codes_are_found_in_header_and_body() {
        for (headers, body) in [
            (
                &[("x-amzn-errortype", "ThrottledException:http://internal.amazon.com/coral/")][..],
                r#"{"Message":"m"}"#,
            ),
            (&[][..], r#"{"__type":"com.amazonaws.xray#ThrottledException","Message":"m"}"#),
            (&[][..], r#"{"code":"ThrottledException","message":"m"}"#),
            (&[][..], r#"{"Code":"ThrottledException","Message":"m"}"#),
            (&[][..], r#"{"__type":"ThrottledException","Message":"m","message":"m"}"#),
        ] {
            let expected = Verdict::Throttled(None, "ThrottledException: m (status 400)".to_owned());
            assert_eq!(judge(&reply(400, headers, body), NOW), expected);
        }
    }

    #[test]
    fn accepted_documents_are_those_that_are_not_unprocessed() {
        for body in ["", "{}", r#"{"UnprocessedTraceSegments":[]}"#, r#"{"UnprocessedTraceSegments":null}"#] {
            assert_eq!(judge(&reply(200, &[], body), NOW), Verdict::Accepted(Vec::new()), "{body}");
        }
        let body =
            r#"{"UnprocessedTraceSegments":[{"Id":"a","ErrorCode":"ThrottledException","Message":"m"},{}]}"#;
        let Verdict::Accepted(unprocessed) = judge(&reply(200, &[], body), NOW) else { panic!("accepted") };
        assert_eq!(unprocessed[0].id.as_deref(), Some("a"));
        assert!(unprocessed[0].may_be_repeated() && !unprocessed[1].may_be_repeated());
        // What can't be read of an item is no reason to send all of the batch again.
        let body =
            r#"{"UnprocessedTraceSegments":[null,{"Id":5,"ErrorCode":[],"Message":{}},"x",{"Id":"b"}]}"#;
        let Verdict::Accepted(unprocessed) = judge(&reply(200, &[], body), NOW) else { panic!("accepted") };
        let ids: Vec<_> = unprocessed.iter().map(|item| item.id.as_deref()).collect();
        assert_eq!(ids, [None, None, None, Some("b")]);
        for body in ["<html>", "[]", "{", r#"{"UnprocessedTraceSegments":"none"}"#] {
            assert_eq!(name(&judge(&reply(200, &[], body), NOW)), "unavailable", "{body}");
        }
    }

    #[test]
    fn long_words_are_cut() {
        let words = "é".repeat(5_000);
        let body = format!(r#"{{"__type":"InvalidRequestException","message":"{words}"}}"#);
        let Verdict::Invalid(why) = judge(&reply(400, &[], &body), NOW) else { panic!("invalid") };
        assert!(why.chars().count() < 1_100 && why.ends_with("é… (status 400)"), "{why}");
        let body = format!(r#"{{"UnprocessedTraceSegments":[{{"Message":"{words}"}}]}}"#);
        let Verdict::Accepted(unprocessed) = judge(&reply(200, &[], &body), NOW) else { panic!("accepted") };
        assert_eq!(unprocessed[0].message.as_deref().unwrap().chars().count(), 1_001);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |headers: &[(&'static str, &'static str)]| match judge(&reply(429, headers, ""), NOW) {
            Verdict::Throttled(after, _) => after.map(|after| after.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[("retry-after", "7")]), Some(7));
        assert_eq!(after(&[("retry-after", "soon")]), None);
        // 2023-11-14T22:13:20Z is `NOW`.
        assert_eq!(after(&[("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT")]), Some(30));
        let dates =
            [("retry-after", "Tue, 14 Nov 2023 23:13:50 GMT"), ("date", "Tue, 14 Nov 2023 23:13:20 GMT")];
        assert_eq!(after(&dates), Some(30));
    }

    #[test]
    fn a_signature_that_does_not_match_is_the_clocks_fault_only_if_the_clock_is_off() {
        let with = |date| {
            let headers = [("x-amzn-errortype", "InvalidSignatureException"), ("date", date)];
            judge(&reply(403, &headers, ""), NOW)
        };
        assert!(matches!(with("Tue, 14 Nov 2023 23:13:20 GMT"), Verdict::Skewed(3_600, _)));
        assert!(matches!(with("Tue, 14 Nov 2023 21:13:20 GMT"), Verdict::Skewed(-3_600, _)));
        assert!(matches!(with("Tue, 14 Nov 2023 22:13:30 GMT"), Verdict::Denied(_)));
    }

    #[test]
    fn calls_without_an_answer_wait_and_are_counted_by_their_class() {
        let mut errors = CallErrors::default();
        for (error, expected) in [
            (CallError::ConnectionRefused(String::new()), "unavailable"),
            (CallError::Timeout(String::new()), "unavailable"),
            (CallError::UnknownHost(String::new()), "unavailable"),
            (CallError::Tls(String::new()), "unavailable"),
            (CallError::Other(String::new()), "unavailable"),
            (CallError::NoCredentials(String::new()), "denied"),
        ] {
            let answer = Err(error);
            assert_eq!(name(&judge(&answer, NOW)), expected, "{answer:?}");
            count(&answer, &mut errors);
        }
        for (status, body) in [(400, ""), (503, ""), (302, ""), (200, "<html>"), (200, "{}")] {
            count(&reply(status, &[], body), &mut errors);
        }
        let expected =
            CallErrors { http_4xx: 1, http_5xx: 1, refused: 1, timeout: 1, unknown_host: 1, other: 5 };
        assert_eq!(errors, expected);
    }
}
