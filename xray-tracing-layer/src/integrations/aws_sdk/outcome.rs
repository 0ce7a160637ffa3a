//! The outcome of a call, read from the SDK's last hook: the service's response, or an error. The document
//! derives its flags from status and cause.

use std::error::Error as _;

use aws_smithy_runtime_api::client::interceptors::context::{Error, FinalizerInterceptorContextRef};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryReason};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::retry::ErrorKind;
use aws_types::request_id::RequestId;
use xray_sdk::document::internal::{Section, keys};

use super::call_body::CallBody;

/// The outcome of a call.
pub(super) enum Outcome<'a> {
    /// The call ended on purpose before it was sent: a request was presigned.
    NeverSent,
    Done(Done<'a>),
}

pub(super) struct Done<'a> {
    attempts: u32,
    /// The response to the last attempt.
    response: Option<&'a HttpResponse>,
    err: Option<&'a OrchestratorError<Error>>,
    throttled: bool,
}

impl<'a> Outcome<'a> {
    pub(super) fn of(
        context: &'a FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        attempts: u32,
    ) -> Self {
        let (response, result) = (context.response(), context.output_or_error());
        if response.is_none() && result.is_none() {
            return Self::NeverSent;
        }
        let err = result.and_then(Result::err);
        let throttled = err.is_some() && is_throttled(context, components);
        Self::Done(Done { attempts, response, err, throttled })
    }
}

impl Done<'_> {
    pub(super) fn put(&self, body: &mut CallBody<'_, '_>) {
        body.retries(self.attempts);
        if let Some(response) = self.response {
            put_response(body, response);
        }
        let Some(err) = self.err.filter(|_| !self.is_not_modified()) else { return };
        if self.throttled {
            body.unredacted().set_throttle();
        }
        match err.as_operation_error() {
            Some(err) => self.put_refusal(body, err),
            // The orchestrator's own message only names the kind of error.
            None => body.error(err.source().unwrap_or(err)),
        }
    }

    /// Returns whether the service answered that the caller has the newest version already. The SDK returns that as an
    /// error, because there is no output; the caller asked for it, with S3's `if_none_match`.
    fn is_not_modified(&self) -> bool {
        self.response.is_some_and(|response| response.status().as_u16() == 304)
    }

    fn put_refusal(&self, body: &mut CallBody<'_, '_>, err: &Error) {
        let text = err.to_string();
        let code = metadata(err)
            .and_then(|metadata| Some((metadata.code()?, metadata.message().unwrap_or_default())))
            .or_else(|| code_and_message(&text));
        match code {
            Some((code, message)) => body.remote(code, message),
            // A successful response that could not be read is not an error of the service.
            None if self.response.is_some_and(|response| response.status().is_success()) => {
                body.error(err.source().unwrap_or(err));
            }
            None => body.remote("Error", &text),
        }
    }
}

fn put_response(body: &mut CallBody<'_, '_>, response: &HttpResponse) {
    let headers = response.headers();
    body.unredacted().set_status(response.status().as_u16());
    if let Some(length) = headers.get("content-length").and_then(|length| length.parse().ok()) {
        body.number(Section::HttpResponse, keys::CONTENT_LENGTH, length);
    }
    if let Some(id) = response.request_id() {
        body.str("aws.request_id", keys::REQUEST_ID, id);
    }
    if let Some(id) = headers.get("x-amz-id-2") {
        body.str("aws.extended_request_id", keys::ID_2, id);
    }
}

/// Returns whether the service throttled the call. The SDK's retry classifiers know the codes of each service.
fn is_throttled(context: &FinalizerInterceptorContextRef<'_>, components: &RuntimeComponents) -> bool {
    components.retry_classifiers().any(|classifier| {
        let action = classifier.classify_retry(context.inner());
        let RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) = action else {
            return false;
        };
        kind == ErrorKind::ThrottlingError
    })
}

/// Returns an error in a service's own form, which no operation's model knows.
fn metadata(err: &Error) -> Option<&ErrorMetadata> {
    let chain = std::iter::successors(err.source(), |&err| err.source());
    chain.take(MAX_CHAIN).find_map(|err| err.downcast_ref())
}

/// The maximum of sources to look at. Generated code needs three.
const MAX_CHAIN: usize = 8;

/// Splits an error's message as generated code writes it: the code, the model's new name for it in brackets,
/// the message.
fn code_and_message(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(text.len());
    let (code, rest) = text.split_at(end);
    let rest = match rest.strip_prefix(" [").and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest,
        None => rest,
    };
    match rest.strip_prefix(": ") {
        _ if code.is_empty() => None,
        Some(message) => Some((code, message)),
        None => rest.is_empty().then_some((code, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_from_an_error_as_generated_code_writes_it() {
        let cases = [
            ("ResourceNotFoundException: no table", Some(("ResourceNotFoundException", "no table"))),
            ("NoSuchKey", Some(("NoSuchKey", ""))),
            ("QueueDoesNotExist [Renamed]: gone", Some(("QueueDoesNotExist", "gone"))),
            ("AWS.Queue.NonExistent: gone", Some(("AWS.Queue.NonExistent", "gone"))),
            ("unhandled error", None),
            ("unhandled error (Odd)", None),
            (": x", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(code_and_message(text), expected, "{text}");
        }
    }

    #[test]
    fn an_answer_that_nothing_was_modified_is_no_fault() {
        use aws_smithy_types::body::SdkBody;
        use xray_sdk::document::internal::Body;

        use crate::fields::redacted_body::RedactedBody;
        use crate::settings::redaction::Rules;

        for (status, fails) in [(304, false), (200, true), (404, true), (503, true)] {
            let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
            let err = OrchestratorError::other("unhandled error");
            let (mut body, rules) = (Body::new(), Rules::default());
            let done = Done { attempts: 1, response: Some(&response), err: Some(&err), throttled: false };
            done.put(&mut CallBody::new(&mut RedactedBody::new(&mut body, &rules)));
            assert_eq!((body.has_failed(), body.has_exceptions()), (fails, fails), "{status}");
            assert_eq!(body.status(), Some(status));
        }
    }
}
