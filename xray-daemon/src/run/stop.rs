//! The way down: no more datagrams, the last uploads, the last report, within a deadline.
//!
//! A second signal ends the waiting for uploads. What is left by then goes to the spool, or is counted as dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{info, warn};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::aws::{Clock, SignedClient};
use crate::counters::Counters;
use crate::receive::{Receiver, Stopped};
use crate::report::signals::Signals;
use crate::report::telemetry::Telemetry;
use crate::report::{notify, summary};
use crate::upload::Deadline;

/// A daemon that runs.
pub(super) struct Running {
    pub(super) receiver: Receiver,
    pub(super) driver: JoinHandle<()>,
    pub(super) telemetry: JoinHandle<Telemetry<SignedClient>>,
    pub(super) counters: Arc<Counters>,
    /// Ends the other tasks.
    pub(super) stopping: watch::Sender<bool>,
    /// Ends the uploads.
    pub(super) deadline: watch::Sender<Deadline>,
    pub(super) tasks: JoinSet<()>,
    pub(super) clock: Arc<Clock>,
}

/// A future that is ready when the daemon stops.
pub(super) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Returns a future that is ready when the value becomes true, or no one is left to set it.
pub(super) fn stop_of(mut stopped: watch::Receiver<bool>) -> Stop {
    Box::pin(async move {
        let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
    })
}

/// Stops in order, within `limit`; a second signal ends the waiting.
pub(super) async fn stop(running: Running, signal: &str, signals: &mut Signals, limit: Duration) {
    let Running { receiver, mut driver, telemetry, counters, stopping, deadline, mut tasks, clock } = running;
    let end = Instant::now() + limit;
    info!("Got {signal}: stopping within {} s", limit.as_secs());
    notify::stopping();
    let emptied = tokio::task::spawn_blocking(move || receiver.stop()).await;
    if !matches!(emptied, Ok(Stopped::Empty)) {
        warn!("Datagrams came until the end, and the last ones were not received");
    }
    let _ = deadline.send(Some(end.checked_sub(LAST_REPORT).unwrap_or(end)));
    tokio::select! {
        _ = &mut driver => {}
        signal = signals.next() => {
            info!("Got {signal} again: stopping now");
            let _ = deadline.send(Some(Instant::now()));
            let _ = timeout(AT_ONCE, &mut driver).await;
        }
    }
    let _ = stopping.send(true);
    let report = async {
        if let Ok(mut telemetry) = telemetry.await {
            telemetry.report(clock.now()).await;
        }
    };
    let left = end.saturating_duration_since(Instant::now()).min(LAST_REPORT);
    let _ = timeout(left, report).await;
    tasks.shutdown().await;
    info!("Shutdown finished: {}", summary::totals(&counters.snapshot()));
}

/// The share of the deadline that is kept for the last telemetry.
const LAST_REPORT: Duration = Duration::from_secs(2);

/// The time that a second signal leaves to write the spool.
const AT_ONCE: Duration = Duration::from_secs(2);
