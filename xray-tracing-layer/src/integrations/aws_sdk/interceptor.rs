//! The interceptor's hooks. Each returns `Ok` in any case: no call fails because of its trace.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::region::Region;
use xray_sdk::TraceHeader;
use xray_sdk::document::internal::keys;

use super::call_span::{self, CallSpan};
use super::outcome::Outcome;
use super::resource;
use super::tables::tables_of;

/// Records each call of an AWS SDK client, and sends the trace header to the service.
///
/// Needs Rust 1.94.1, as the SDK does.
///
/// The SDK has no place for an interceptor that all clients share, so each client gets it by one line:
///
/// ```ignore
/// let config = aws_sdk_dynamodb::config::Builder::from(&sdk_config);
/// let config = config.interceptor(XrayInterceptor::new()).build();
/// let dynamodb = aws_sdk_dynamodb::Client::from_conf(config);
/// ```
///
/// A call becomes one subsegment, named after the service, whatever filters do:
///
/// - If the layer records the SDK's span of the operation (`DynamoDB.GetItem`, at DEBUG), as it does by
///   default, that span gets the data below.
/// - If a filter hides it, the call gets a span of its own: `aws_call`, at INFO, with the SDK's fields
///   `rpc.system`, `rpc.service` and `rpc.method`. That span is not entered, so spans inside the call are not
///   below it.
///
/// | in the document | from |
/// |---|---|
/// | `aws.operation`, `aws.region` | the client and its operation |
/// | `aws.request_id`, `aws.id_2` | the headers of the last response |
/// | `aws.retries` | all attempts but the first |
/// | `aws.table_name`, `table_names`, `bucket_name`, `key`, `queue_url`, `topic_arn`, `function_name` … | the call's input |
/// | `http.response` | status and length of the last response |
/// | `error`, `fault` | the status; without one a fault, and an error for a cancelled call |
/// | `throttle` | the SDK's own classification, whatever the status: DynamoDB throttles with 400 |
/// | `cause` | the service's code and message, as `remote`; without a response the SDK's chain of errors |
///
/// Only names are read from the input, never contents, by the SDK's input attributes. These are strings, so
/// numbers are not among them. An interceptor that is added to a single call (`customize`) comes too late for
/// them, so its document has no such names. The tables of DynamoDB's batches, transactions and statements
/// (`aws.table_names`) are read from the request.
///
/// The trace header names the call's subsegment as the parent, on each attempt. In an unsampled trace it has
/// `Sampled=0`, and nothing is recorded. The signature does not cover it. Its other members (`Lineage`, by
/// which Lambda detects recursion) are propagated. Without a trace, a header that the SDK sets itself is left
/// unchanged.
///
/// A presigned request is not a call: it has no subsegment and no header. A client whose configuration is
/// rejected before the first hook is not recorded. The redaction hook sees names as `aws.table_name` and so
/// on, and messages of errors as `exception.message`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct XrayInterceptor;

impl XrayInterceptor {
    /// Creates an interceptor, for any client.
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

    /// This is the first hook that knows the operation.
    fn modify_before_serialization(
        &self,
        _context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        begin(cfg);
        Ok(())
    }

    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(operation) = cfg.load::<Metadata>().filter(|operation| operation.service() == "DynamoDB")
        else {
            return Ok(());
        };
        let Some(call) = cfg.load::<CallSpan>().filter(|call| call.is_open()) else { return Ok(()) };
        let tables = tables_of(operation.name(), context.request().body().bytes().unwrap_or_default());
        if !tables.is_empty() {
            call.update(|body| body.list("aws.table_names", keys::TABLE_NAMES, &tables));
        }
        Ok(())
    }

    /// Runs after the signature, for each attempt: a retry starts from the request as it was before.
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
            let _ = request.headers_mut().try_insert(TraceHeader::NAME, header.to_owned());
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // The call may have failed before the hook that begins it.
        begin(cfg);
        let attempts = attempts(cfg);
        if let Some(call) = cfg.get_mut_from_interceptor_state::<CallSpan>().filter(|call| call.is_open()) {
            call.end(&Outcome::of(context, components, attempts));
        }
        Ok(())
    }
}

/// Begins the call, once even if the interceptor was added twice.
fn begin(cfg: &mut ConfigBag) {
    if cfg.load::<CallSpan>().is_some() {
        return;
    }
    let Some(operation) = cfg.load::<Metadata>() else { return };
    let call = CallSpan::begin(operation.service(), operation.name());
    call.update(|body| {
        if let Some(region) = cfg.load::<Region>() {
            body.str("aws.region", keys::REGION, region.as_ref());
        }
        resource::put(cfg, body);
    });
    cfg.interceptor_state().store_put(call);
}

fn attempts(cfg: &ConfigBag) -> u32 {
    cfg.load::<RequestAttempts>().map_or(0, RequestAttempts::attempts)
}

/// Returns whether the signature is in the URL, for another program to use.
fn is_presigned(url: &str) -> bool {
    url.split_once('?').is_some_and(|(_, query)| query.contains("X-Amz-Signature="))
}
