//! Counts of what came in and what became of it, in memory and added to the file with each commit.
//!
//! `received == stored + repeated + refused + lost`, and everything that never became a document has a counter of
//! its own.

use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, params};

macro_rules! counters {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {
        /// Counters since the program started.
        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub(super) $name: AtomicU64,)+
        }

        /// A snapshot of the counters: since the program started, or since the file was made.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counts {
            $($(#[$doc])+ pub $name: u64,)+
        }

        impl Counters {
            pub(super) fn snapshot(&self) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }

        impl Counts {
            /// Names and values.
            #[must_use]
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)+]
            }
        }
    };
}

counters! {
    /// Documents that were handed in, at any door.
    received,
    /// Documents that were stored.
    stored,
    /// Documents that were there already, byte for byte.
    repeated,
    /// Documents that X-Ray would refuse.
    refused,
    /// Documents that could not be written: the disk is full, or the file can't be written.
    lost,
    /// Documents that were dropped since more arrived than could be written.
    dropped_queue,
    /// Documents of datagrams that the daemon's policies do not let it send.
    denied,
    /// Datagrams that the daemon would drop: without a valid header line.
    invalid_datagrams,
    /// Datagrams that the kernel dropped, since its receive buffer was full.
    dropped_kernel,
    /// Documents that the full checker looked at.
    checked,
    /// Documents that the full checker left out, to leave the time to the intake.
    unchecked,
}

/// Adds what was counted since `before` to the file.
pub(super) fn save(connection: &Connection, before: &Counts, now: &Counts) -> rusqlite::Result<()> {
    let mut add = connection.prepare_cached(
        "INSERT INTO counters (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = value + ?2",
    )?;
    for ((name, before), (_, now)) in before.named().into_iter().zip(now.named()) {
        let more = now.saturating_sub(before);
        if more > 0 {
            add.execute(params![name, i64::try_from(more).unwrap_or(i64::MAX)])?;
        }
    }
    Ok(())
}
