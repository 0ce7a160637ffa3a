//! The hooks. Each does its part of the work and answers `Ok`, whatever it found: no call fails because of its trace.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::region::Region;

use super::call_span::{self, CallSpan};
use super::outcome::Outcome;
use super::resource;

/// Tells the layer of each call of an AWS SDK client what the SDK's own spans do not, and sends the trace header to
/// the service. The same for every client. (Feature `aws-sdk`. Needs Rust 1.94.1, as the SDK does.)
///
/// The SDK has no place for an interceptor that all clients share, so each client gets it by one line:
///
/// ```ignore
/// let config = aws_sdk_dynamodb::config::Builder::from(&sdk_config).interceptor(XrayInterceptor::new()).build();
/// let dynamodb = aws_sdk_dynamodb::Client::from_conf(config);
/// ```
///
/// A call becomes one subsegment, named after the service, whatever filters do:
///
/// - Where the layer records the SDK's span of the operation (`DynamoDB.GetItem`, at DEBUG), as it does by default,
///   that span gets what is known here.
/// - Where a filter hides it, the call gets a span of its own: `aws_call`, at INFO, with the SDK's fields
///   `rpc.system`, `rpc.service` and `rpc.method`. It is not entered: what happens inside the call is not below it.
///
/// | in the document | from |
/// |---|---|
/// | `aws.operation`, `aws.region` | the client and its operation |
/// | `aws.request_id`, `aws.id_2` | the last answer's headers |
/// | `aws.retries` | attempts but the first |
/// | `aws.table_name`, `bucket_name`, `key`, `queue_url`, `topic_arn`, `function_name` … | the call's input |
/// | `http.response` | status and length of the last answer |
/// | `error`, `fault` | the status; without one a fault, and an error for a call that was cancelled |
/// | `throttle` | what the SDK itself takes for throttling, whatever the status: DynamoDB says it with 400 |
/// | `cause` | the service's code and message, as `remote`; without an answer the SDK's chain of errors |
///
/// Of the input only names are read, never contents, by what the SDK calls input attributes. These are strings: numbers
/// are not among them, nor are the tables of DynamoDB's batches and transactions. An interceptor that is added to a
/// single call (`customize`) comes too late for them: there, the document has no names.
///
/// The trace header names the call's subsegment as the parent, on each attempt; in a trace that isn't sampled it says
/// `Sampled=0`, and nothing else is done. The signature does not cover it. What it carries beside (`Lineage`, by which
/// Lambda detects recursion) is passed on. Where there is no trace, a header that the SDK sets itself stays as it is.
///
/// A presigned request is no call: it leaves no subsegment and gets no header. A client whose configuration is refused
/// before the first hook fails without a word here. A redaction hook sees the names as `aws.table_name` and so on, and
/// texts of errors as `exception.message`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct XrayInterceptor;

impl XrayInterceptor {
    /// An interceptor, for any client.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Intercept for XrayInterceptor {
    fn name(&self) -> &'static str {
        "XrayInterceptor"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if call_span::may_be_recorded() {
            resource::request(cfg);
        }
        Ok(())
    }

    /// The first hook that knows which operation it is.
    fn modify_before_serialization(
        &self,
        _context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        begin(cfg);
        Ok(())
    }

    /// After the signature, and for each attempt anew: a retry starts from the request as it was before.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let attempts = attempts(cfg);
        let Some(call) = cfg.get_mut_from_interceptor_state::<CallSpan>() else { return Ok(()) };
        call.note_attempts(attempts);
        let request = context.request_mut();
        if let Some(header) = call.header().filter(|_| !is_presigned(request.uri())) {
            let _ = request.headers_mut().try_insert(TRACE_HEADER, header.to_owned());
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // It may have failed before the hook that begins it.
        begin(cfg);
        let attempts = attempts(cfg);
        if let Some(call) = cfg.get_mut_from_interceptor_state::<CallSpan>().filter(|call| call.is_open()) {
            call.end(&Outcome::of(context, components, attempts));
        }
        Ok(())
    }
}

/// Once for each call, however often the interceptor was added.
fn begin(cfg: &mut ConfigBag) {
    if cfg.load::<CallSpan>().is_some() {
        return;
    }
    let Some(operation) = cfg.load::<Metadata>() else { return };
    let call = CallSpan::begin(operation.service(), operation.name());
    call.put(|body| {
        if let Some(region) = cfg.load::<Region>() {
            body.str("aws.region", "\"region\":", region.as_ref());
        }
        resource::put(cfg, body);
    });
    cfg.interceptor_state().store_put(call);
}

fn attempts(cfg: &ConfigBag) -> u32 {
    cfg.load::<RequestAttempts>().map_or(0, RequestAttempts::attempts)
}

/// Whether the signature is in the URL, for somebody else to use.
fn is_presigned(url: &str) -> bool {
    url.split_once('?').is_some_and(|(_, query)| query.contains("X-Amz-Signature="))
}

const TRACE_HEADER: &str = "x-amzn-trace-id";
