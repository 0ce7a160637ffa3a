//! One line a minute of what happened, in place of AWS's daemon's line for each batch.
//!
//! Differences of two snapshots of the counters, in one line that a person reads; the last line of all has the totals.

use std::sync::Arc;
use std::time::Duration;

use log::info;

use crate::counters::{Counters, Counts, Reason};

/// The time between two lines.
pub const INTERVAL: Duration = Duration::from_secs(60);

/// Logs a line each minute in which something happened, until `stop` is ready.
///
/// `status` gets each line as well.
pub async fn run(counters: Arc<Counters>, mut status: impl FnMut(&str), stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut last = Counts::default();
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        let counts = counters.snapshot();
        if let Some(line) = line(&last, &counts) {
            info!("In the last {} s: {line}", INTERVAL.as_secs());
            status(&line);
        }
        last = counts;
    }
}

/// The totals since the start, for the last line of all.
#[must_use]
pub fn totals(counts: &Counts) -> String {
    line(&Counts::default(), counts).unwrap_or_else(|| "nothing received".to_owned())
}

/// The line for the time between two moments, or `None` if nothing happened and nothing waits.
fn line(before: &Counts, after: &Counts) -> Option<String> {
    let difference = |pick: fn(&Counts) -> u64| pick(after).saturating_sub(pick(before));
    let received = difference(|counts| counts.received);
    let sent = difference(|counts| counts.sent);
    let rejected = difference(Counts::rejected);
    let mut line = format!("received {received}, sent {sent}, rejected {rejected}");
    let mut dropped = 0;
    for reason in Reason::ALL {
        let number = after.dropped.of(reason).saturating_sub(before.dropped.of(reason));
        if number > 0 {
            line += &format!(", dropped {number} ({reason})");
        }
        dropped += number;
    }
    let kernel = difference(|counts| counts.kernel_drops.unwrap_or_default());
    if kernel > 0 {
        line += &format!(", dropped by the kernel {kernel}");
    }
    let calls = difference(|counts| counts.calls);
    let retries = difference(|counts| counts.retries);
    line += &format!("; waiting {} ({})", after.held, size(after.held_bytes));
    if after.spooled > 0 {
        line += &format!(", on disk {} ({})", after.spooled, size(after.spool_bytes));
    }
    line += &format!("; calls {calls}, repeated {retries}");
    let is_idle = received + sent + rejected + dropped + kernel + calls + after.held + after.spooled == 0;
    (!is_idle).then_some(line)
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KB", bytes >> 10),
        _ => format!("{} MB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_the_minutes_differences_and_the_present_sizes() {
        let mut before = Counts { received: 100, sent: 90, calls: 3, ..Counts::default() };
        before.dropped.add(Reason::Memory, 7);
        let mut after = Counts { received: 200, sent: 150, rejected_header: 2, calls: 5, ..before.clone() };
        (after.held, after.held_bytes, after.retries) = (31, 40_960, 1);
        (after.spooled, after.spool_bytes, after.kernel_drops) = (5, 3 << 20, Some(4));
        after.dropped.add(Reason::Age, 9);
        assert_eq!(
            line(&before, &after).unwrap(),
            "received 100, sent 60, rejected 2, dropped 9 (age), dropped by the kernel 4; waiting 31 (40 KB), \
             on disk 5 (3 MB); calls 2, repeated 1"
        );
    }

    #[test]
    fn an_idle_minute_has_no_line() {
        let counts = Counts { received: 10, sent: 10, ..Counts::default() };
        assert_eq!(line(&counts, &counts), None);
        assert_eq!(totals(&Counts::default()), "nothing received");
    }
}
