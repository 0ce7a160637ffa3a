//! A tower layer for programs with their own `lambda_runtime::Runtime`, and a hook for SnapStart. (Feature
//! `lambda`.)
//!
//! `lambda_runtime::run` needs neither: its own span carries the trace header. A `Runtime` opens no span, so
//! [`InvocationLayer`] does. The layer also adds facts about the invocation to the trace. Its place is around the
//! handler, or around the runtime:
//!
//! ```no_run
//! use lambda_runtime::tower::Layer;
//! use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
//! use xray_tracing_layer::lambda::InvocationLayer;
//!
//! # async fn run() -> Result<(), Error> {
//! async fn handle(event: LambdaEvent<String>) -> Result<String, Error> {
//!     Ok(event.payload)
//! }
//!
//! Runtime::new(InvocationLayer::new().layer(service_fn(handle))).run().await
//! # }
//! ```
//!
//! - Around the handler, each invocation is a subsegment `handler`. An error that the handler returns, and a
//!   panic with its message, are its faults. The subsegment is sent before the response is posted, even if a
//!   task keeps its span open.
//! - Around the runtime (`Runtime::layer`, and that of `lambda_http::runtime`), the layer opens no
//!   subsegment. The facts about the invocation go into the first subsegment of the handler.

use std::borrow::Cow;
use std::fmt::Debug;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::tower::{Layer, Service};
use lambda_runtime::{BoxFuture, Error, LambdaEvent, LambdaInvocation, SnapStartResource};
use tokio::time::{Sleep, sleep};
use tracing::instrument::{Instrument, Instrumented};
use tracing::{Span, info_span};

use crate::handle::layer_handle::Handle;
use crate::integrations::errors::{note_error, note_panic};
use crate::layer::find::{emit_early, emit_unfinished};
use crate::span_ext::current_trace_header;

/// Adds facts about the invocation to its trace: cold start, request id, the function's ARN, tenant, trigger.
///
/// ```
/// use xray_tracing_layer::lambda::InvocationLayer;
///
/// let layer = InvocationLayer::new().trigger("sqs");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct InvocationLayer {
    trigger: Option<Cow<'static, str>>,
    before_timeout: Option<Duration>,
}

impl InvocationLayer {
    /// Creates a layer without a trigger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends what an invocation has recorded, `margin` before the deadline at which Lambda kills it: finished
    /// subsegments as they are, open ones as in progress.
    ///
    /// Applies to a layer around the handler. A timer of tokio's runtime wakes the handler's task, so the runtime
    /// needs its timers enabled, as `#[tokio::main]` does, or the invocation panics. A handler that blocks its
    /// thread is not woken. Defaults to no timer.
    ///
    /// ```
    /// use std::time::Duration;
    /// use xray_tracing_layer::lambda::InvocationLayer;
    ///
    /// let layer = InvocationLayer::new().send_before_timeout(Duration::from_millis(300));
    /// ```
    pub fn send_before_timeout(mut self, margin: Duration) -> Self {
        self.before_timeout = Some(margin);
        self
    }

    /// Sets the annotation `trigger`: what invokes the function, such as `http` or `sqs`.
    pub fn trigger(mut self, trigger: impl Into<Cow<'static, str>>) -> Self {
        self.trigger = Some(trigger.into());
        self
    }
}

impl<S> Layer<S> for InvocationLayer {
    type Service = InvocationService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InvocationService { inner, layer: self.clone() }
    }
}

/// The service that [`InvocationLayer`] returns.
#[derive(Clone, Debug)]
pub struct InvocationService<S> {
    inner: S,
    layer: InvocationLayer,
}

macro_rules! span_of {
    ($name:literal, $context:expr, $trigger:expr, $($field:tt)*) => {
        info_span!(
            target: "xray_tracing_layer::lambda",
            $name,
            annotation.cold_start = is_cold_start(),
            annotation.request_id = $context.request_id,
            annotation.tenant_id = $context.tenant_id,
            annotation.trigger = $trigger.as_deref(),
            aws.lambda.invoked_arn = $context.invoked_function_arn,
            $($field)*
        )
    };
}

/// Around the handler.
impl<S, T, R, E> Service<LambdaEvent<T>> for InvocationService<S>
where
    S: Service<LambdaEvent<T>, Response = R, Error = E>,
    S::Future: Future<Output = Result<R, E>>,
    E: Debug + 'static,
{
    type Response = R;
    type Error = E;
    type Future = HandlerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), E>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, event: LambdaEvent<T>) -> Self::Future {
        let platform_root = match &event.context.xray_trace_id {
            // Without a current header, neither `run` nor the layer around the runtime has opened a span.
            Some(header) if current_trace_header().is_none() => {
                info_span!(target: "xray_tracing_layer::lambda", "Lambda invocation", xrayTraceId = header)
            }
            _ => Span::none(),
        };
        let span = platform_root.in_scope(|| span_of!("handler", event.context, self.layer.trigger,));
        let timer = self
            .layer
            .before_timeout
            .map(|margin| Box::pin(sleep(time_until(event.context.deadline, margin))));
        let inner = platform_root.in_scope(|| span.in_scope(|| self.inner.call(event)));
        HandlerFuture { inner: Some(Box::pin(inner)), span, platform_root, timer }
    }
}

/// Around the runtime.
impl<S> Service<LambdaInvocation> for InvocationService<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error>,
{
    type Response = ();
    type Error = Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let context = &invocation.context;
        let platform_root = match &context.xray_trace_id {
            Some(header) => {
                span_of!("Lambda invocation", context, self.layer.trigger, xrayTraceId = header)
            }
            None => Span::none(),
        };
        let inner = platform_root.in_scope(|| self.inner.call(invocation));
        inner.instrument(platform_root)
    }
}

/// Returns the time until `margin` before a deadline, which is in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "Lambda names the deadline by the wall clock")]
fn time_until(deadline: u64, margin: Duration) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(deadline).saturating_sub(now).saturating_sub(margin)
}

/// Returns whether this is the first invocation in the process: `true` once. A service is cloned for each
/// worker, so it can't know.
fn is_cold_start() -> bool {
    static COLD: AtomicBool = AtomicBool::new(true);
    COLD.load(Relaxed) && COLD.swap(false, Relaxed)
}

/// The future of a handler, polled in its span.
#[derive(Debug)]
pub struct HandlerFuture<F> {
    inner: Option<Pin<Box<F>>>,
    span: Span,
    platform_root: Span,
    /// Present until the deadline is near.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<F, R, E> Future for HandlerFuture<F>
where
    F: Future<Output = Result<R, E>>,
    E: Debug + 'static,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let Self { inner, span, platform_root, timer } = self.get_mut();
        let _facade = platform_root.enter();
        let polled = span.in_scope(|| {
            let Some(handler) = inner else { return Ok(Poll::Pending) };
            // The panic is only observed; it is resumed below.
            let polled = catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx)));
            match &polled {
                Ok(Poll::Pending) => return polled,
                Ok(Poll::Ready(Ok(_))) => {}
                Ok(Poll::Ready(Err(err))) => note_error(span, err, format_args!("{err:?}")),
                Err(panic) => note_panic(span, &**panic),
            }
            // Whatever the handler holds is dropped in its span.
            *inner = None;
            polled
        });
        if !matches!(polled, Ok(Poll::Pending)) {
            emit_early(span);
            *span = Span::none();
        } else if timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
            *timer = None;
            emit_unfinished(span);
        }
        polled.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Calls [`Handle::restored`] after a restore from a snapshot. Register it with
/// `Runtime::register_snapstart_resource(Arc::new(handle))`.
///
/// The layer does the same at the first invocation; a registered hook runs before that.
impl SnapStartResource for Handle {
    fn after_restore(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.restored();
        Box::pin(async { Ok(()) })
    }
}
