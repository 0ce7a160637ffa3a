//! [`Shared`]: the rules, the current problem and the counters, held by the sampler and its poller.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwapOption;

use super::rule_set::RuleSet;
use crate::sampling::Sampler;

/// The state that the sampler shares with its poller.
pub(super) struct Shared {
    pub(super) rules: ArcSwapOption<RuleSet>,
    pub(super) fallback: Box<dyn Sampler>,
    pub(super) counters: Counters,
    /// Set when the sampler stops: no request is begun any more but the last report.
    pub(super) stopping: AtomicBool,
    problems: Mutex<[Option<String>; 2]>,
}

/// The subject of a problem. Each is solved by a success of its own kind.
#[derive(Clone, Copy)]
pub(super) enum Task {
    FetchRules,
    ReportStatistics,
}

impl Shared {
    pub(super) fn new(fallback: impl Sampler) -> Self {
        Self {
            rules: ArcSwapOption::empty(),
            fallback: Box::new(fallback),
            counters: Counters::default(),
            stopping: AtomicBool::new(false),
            problems: Mutex::default(),
        }
    }

    pub(super) fn problem(&self) -> Option<String> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().next().cloned()
    }

    pub(super) fn set_problem(&self, task: Task, problem: Option<String>) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)[task as usize] = problem;
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts of a [`CentralSampler`](crate::sampling::CentralSampler)'s requests and reports, since its creation.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct CentralStats {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub(super) $name: AtomicU64,)*
        }

        impl Counters {
            pub(super) fn snapshot(&self) -> CentralStats {
                CentralStats { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Successful fetches of all rules.
    rules_fetched,
    /// Failed fetches of rules.
    rules_failed,
    /// Reports that the service accepted, of up to 25 rules each.
    reports,
    /// Reports that the service did not accept. A later report repeats their counts.
    reports_failed,
    /// Decisions that were reported.
    requests,
    /// Reported decisions to record the trace, borrowed ones included.
    sampled,
    /// Reported decisions that were borrowed.
    borrowed,
    /// Decisions that are never reported, since their rule was deleted before.
    lost,
}

/// Counts what is never negative.
pub(super) fn count(counter: &AtomicU64, amount: i64) {
    counter.fetch_add(amount.unsigned_abs(), Relaxed);
}
