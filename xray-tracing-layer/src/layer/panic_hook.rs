//! The panic hook, which records a panic in the span in which it happens. Installed on request, once in a
//! process.
//!
//! The hook that was there before is called afterwards, so the message on standard error stays. A hook that is
//! set later replaces this one, unless it calls it.

use std::panic::{Location, PanicHookInfo};
use std::sync::mpsc::channel;
use std::sync::{Arc, Once};
use std::thread;
use std::time::Duration;

use tracing::Span;
use xray_sdk::document::StackFrame;
use xray_sdk::document::internal::Stack;

use crate::fields::redacted_body::{MESSAGE, RedactedBody, UNKNOWN};
use crate::fields::scratch::with_body;
use crate::layer::find::{core_of, scope};
use crate::lifecycle::core::Core;
use crate::state::thread::thread_state::ThreadState;

/// Puts the hook in place, in front of the present one.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let former = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let recorded = record(info);
            ThreadState::with(|thread| thread.panic_recorded.set(recorded));
            former(info);
        }));
    });
}

/// Returns whether the thread's latest panic is recorded in a span, and forgets it: the panic was caught.
#[cfg(any(feature = "lambda", feature = "tower-server", feature = "tower-client"))]
pub(crate) fn take_recorded() -> bool {
    ThreadState::with(|thread| thread.panic_recorded.replace(false)).unwrap_or_default()
}

/// Records the panic in the nearest recorded span of a layer that captures panics. Returns whether there is one.
fn record(info: &PanicHookInfo<'_>) -> bool {
    let payload = info.payload();
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let recorded = Span::current().with_subscriber(|(id, dispatch)| {
        let core = core_of(id, dispatch).filter(|core| core.config.capture_panics)?;
        let nearest = core
            .spans
            .table
            .nearest(scope(id, dispatch), |id, record| record.context.role.is_recorded().then_some(id));
        put(&core.shared(), nearest??, message.unwrap_or("a panic without a message"), info.location());
        Some(())
    });
    recorded.flatten().is_some()
}

fn put(core: &Arc<Core>, id: u64, message: &str, place: Option<&Location<'_>>) {
    let message = redacted(core, message);
    let stack = place.map(|place| Stack::new(&[StackFrame::new(place.file(), place.line(), "panic")]));
    with_body(|body| {
        RedactedBody::new(body, &core.config.rules)
            .add_panic(&message, stack.as_ref().unwrap_or(Stack::none()));
        core.spans.table.with(id, |record| record.body.absorb(body));
    });
}

/// Returns the message as the user's redaction hook replaces it.
///
/// A panic within a panic hook ends the process, so the redaction hook runs on a thread of its own. Without its answer
/// the message is not sent.
fn redacted(core: &Arc<Core>, message: &str) -> String {
    if core.config.rules.redact.is_none() {
        return message.to_owned();
    }
    let (answer, wait) = channel();
    let (for_thread, message) = (Arc::clone(core), message.to_owned());
    let redact = move || {
        let _ = answer.send(for_thread.config.rules.redacted(MESSAGE, &message).into_owned());
    };
    let started = thread::Builder::new().name("xray-redaction".to_owned()).spawn(redact);
    let redacted = started.ok().and_then(|_| wait.recv_timeout(PATIENCE).ok());
    redacted.unwrap_or_else(|| {
        core.output.counters.values_dropped.one();
        UNKNOWN.to_owned()
    })
}

/// The time for which a thread that panics waits for the redaction hook.
const PATIENCE: Duration = Duration::from_secs(1);
