//! What came of a call: the service's answer, or how it was missed. Read from what the SDK has at the end; what becomes
//! of it is decided by the document (flags follow from status and cause).

use std::error::Error as _;

use aws_smithy_runtime_api::client::interceptors::context::{Error, FinalizerInterceptorContextRef};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryReason};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::retry::ErrorKind;
use aws_types::request_id::RequestId;
use xray_sdk::document::internal::Section;

use super::call_span::CallBody;

/// How a call ended.
pub(super) enum Outcome<'a> {
    /// On purpose before it was sent: a request was presigned.
    NeverSent,
    Done(Done<'a>),
}

pub(super) struct Done<'a> {
    attempts: u32,
    /// The last attempt's.
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
    pub(super) fn put(&self, put: &mut CallBody<'_>) {
        put.retries(self.attempts);
        if let Some(response) = self.response {
            put_response(put, response);
        }
        let Some(err) = self.err else { return };
        if self.throttled {
            put.body.set_throttle();
        }
        match err.as_operation_error() {
            Some(err) => self.put_refusal(put, err),
            // What the orchestrator says itself is only which kind of error it is.
            None => put.error(err.source().unwrap_or(err)),
        }
    }

    fn put_refusal(&self, put: &mut CallBody<'_>, err: &Error) {
        let text = err.to_string();
        let code = metadata(err)
            .and_then(|metadata| Some((metadata.code()?, metadata.message().unwrap_or_default())))
            .or_else(|| code_and_message(&text));
        match code {
            Some((code, message)) => put.remote(code, message),
            // It was nothing that the service meant to say: the answer could not be read.
            None if self.response.is_some_and(|response| response.status().is_success()) => {
                put.error(err.source().unwrap_or(err));
            }
            None => put.remote("Error", &text),
        }
    }
}

fn put_response(put: &mut CallBody<'_>, response: &HttpResponse) {
    let headers = response.headers();
    put.body.set_status(response.status().as_u16());
    if let Some(length) = headers.get("content-length").and_then(|length| length.parse().ok()) {
        put.number(Section::HttpResponse, "\"content_length\":", length);
    }
    if let Some(id) = response.request_id() {
        put.str("aws.request_id", "\"request_id\":", id);
    }
    if let Some(id) = headers.get("x-amz-id-2") {
        put.str("aws.extended_request_id", "\"id_2\":", id);
    }
}

/// Whether the service refused since there was too much. The classifiers by which the SDK decides whether to try again
/// know the codes of each service.
fn is_throttled(context: &FinalizerInterceptorContextRef<'_>, components: &RuntimeComponents) -> bool {
    components.retry_classifiers().any(|classifier| {
        let action = classifier.classify_retry(context.inner());
        let RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) = action else {
            return false;
        };
        kind == ErrorKind::ThrottlingError
    })
}

/// What a service said in a form of its own, which no operation's model knows.
fn metadata(err: &Error) -> Option<&ErrorMetadata> {
    let chain = std::iter::successors(err.source(), |&err| err.source());
    chain.take(MAX_CHAIN).find_map(|err| err.downcast_ref())
}

/// Generated code needs three.
const MAX_CHAIN: usize = 8;

/// An error's text as generated code writes it: the code, what the model renames it to in brackets, the message.
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
}
