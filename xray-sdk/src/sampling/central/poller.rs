//! [`Poller`]: requests to the service, and when they are due.
//!
//! Without a clock or a thread: [`Poller::tick`] is given the time, does what is due, and returns when the next call
//! is due.
//!
//! Rules are due every five minutes, and again soon after a failure; statistics every ten seconds. Both with a
//! little of chance added, drawn anew each time, so that a fleet that started together does not ask together.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::rule_set::{Rule, RuleSet};
use super::rule_state::{BoostCounts, Counts, PendingStats};
use super::shared::{Shared, Task, count};
use super::wire::{self, Report, Target, Targets};
use crate::daemon::DaemonAddress;
use crate::http_client::{HttpClient, Limits};
use crate::id::fast_u64;

/// The time, twice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Since the poller was made. Never goes back.
    pub(super) since_start: Duration,
    /// Since 1970. What the service's times are compared with.
    pub(super) since_epoch: Duration,
}

pub(super) struct Poller {
    shared: Arc<Shared>,
    http: HttpClient,
    base: String,
    service: String,
    client: String,
    rng: SmallRng,
    rules_due: Duration,
    targets_due: Duration,
    /// Failures to fetch rules, since the last success.
    failures: u32,
    /// The time when rules were fetched last, since 1970.
    fetched: Duration,
    /// The change of rules that the fetched ones include, on the service's clock.
    /// How long all pages of rules together may take.
    pub(super) all_pages: Duration,
    modified: Option<f64>,
}

impl Poller {
    pub(super) fn new(shared: Arc<Shared>, daemon: &DaemonAddress, service: &str) -> Self {
        let (host, port) = daemon.tcp();
        let base = if host.contains(':') {
            format!("http://[{host}]:{port}")
        } else {
            format!("http://{host}:{port}")
        };
        Self {
            shared,
            http: HttpClient::new(LIMITS),
            base,
            service: service.to_owned(),
            // Twelve random bytes distinguish processes.
            client: format!("{:016x}{:08x}", fast_u64(), fast_u64() as u32),
            rng: SmallRng::seed_from_u64(fast_u64()),
            rules_due: Duration::ZERO,
            targets_due: TARGETS_EVERY,
            failures: 0,
            fetched: Duration::ZERO,
            modified: None,
            all_pages: ALL_PAGES,
        }
    }

    /// Does what is due at `now`. Returns when the next call is due, counted from the start as well.
    pub(super) fn tick(&mut self, now: Now) -> Duration {
        if now.since_start >= self.rules_due {
            self.fetch_rules(now);
        }
        if now.since_start >= self.targets_due {
            self.targets_due = now.since_start + TARGETS_EVERY + self.up_to(TARGETS_JITTER);
            let (modified, _) = self.report(now, |pending_stats| pending_stats.is_due(now.since_start));
            if let Some(modified) = modified
                && self.fetch_rules(now)
            {
                self.modified = Some(modified);
            }
        }
        self.rules_due.min(self.targets_due)
    }

    /// Hands in what was counted whether it is due or not; whether the service took it.
    pub(super) fn flush(&mut self, now: Now) -> bool {
        self.report(now, |pending_stats| pending_stats.pending.requests > 0).1
    }

    fn up_to(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.rng.random::<f64>())
    }

    /// Fetches all rules and swaps them in; whether that went well.
    fn fetch_rules(&mut self, now: Now) -> bool {
        let counters = &self.shared.counters;
        match self.all_rules() {
            Ok(specs) => {
                let expires = (now.since_epoch + RULES_LIFETIME).as_secs() as u32;
                let former = self.shared.rules.load();
                let set = RuleSet::new(specs, former.as_deref(), expires);
                count_lost(&self.shared, former.as_deref(), &set);
                self.shared.rules.store(Some(Arc::new(set)));
                count(&counters.rules_fetched, 1);
                self.shared.set_problem(Task::FetchRules, None);
                (self.failures, self.fetched) = (0, now.since_epoch);
                self.rules_due = now.since_start + RULES_EVERY + self.up_to(RULES_JITTER);
                true
            }
            Err(reason) => {
                count(&counters.rules_failed, 1);
                let problem = format!("sampling rules: {}{}: {reason}", self.base, wire::RULES_PATH);
                self.shared.set_problem(Task::FetchRules, Some(problem));
                // The daemon may be a container that starts after us: not five minutes of silence for that.
                let pause = RETRY_FIRST.saturating_mul(1 << self.failures.min(8)).min(RULES_EVERY);
                self.failures = self.failures.saturating_add(1);
                self.rules_due = now.since_start + pause + self.up_to(pause / 10);
                false
            }
        }
    }

    fn all_rules(&self) -> Result<Vec<super::rule::RuleSpec>, String> {
        let (mut rules, mut next, mut bytes) = (Vec::new(), None, 0);
        let began = Instant::now();
        for _ in 0..MAX_PAGES {
            if self.shared.stopping.load(Relaxed) {
                return Err("the sampler was stopped".to_owned());
            }
            if began.elapsed() > self.all_pages {
                return Err(format!("the pages took longer than {:?} together", self.all_pages));
            }
            let page = self.post(wire::RULES_PATH, &wire::rules_request(next.as_deref()))?;
            bytes += page.len();
            let page = wire::parse_rules(&page)?;
            rules.extend(page.rules);
            if rules.len() > MAX_RULES || bytes > MAX_RULES_BYTES {
                return Err(format!("more than {MAX_RULES} rules or {MAX_RULES_BYTES} bytes"));
            }
            if page.next.is_none() {
                return Ok(rules);
            }
            next = page.next;
        }
        Err(format!("more than {MAX_PAGES} pages"))
    }

    /// Hands in what was counted. When rules have changed since they were fetched, returns when that was; and
    /// whether the service took all of it.
    fn report(&mut self, now: Now, is_due: impl Fn(&PendingStats) -> bool) -> (Option<f64>, bool) {
        let Some(set) = self.shared.rules.load_full() else { return (None, true) };
        let due: Vec<Due<'_>> = set.rules().iter().filter_map(|rule| Due::of(rule, &is_due)).collect();
        let mut changed = None;
        for chunk in due.chunks(wire::MAX_DOCUMENTS) {
            match self.hand_in(chunk, now) {
                Ok(targets) => {
                    count(&self.shared.counters.reports, 1);
                    self.shared.set_problem(Task::ReportStatistics, None);
                    let newer = self.apply(&set, chunk, &targets, now);
                    changed = changed.or(newer);
                }
                Err(reason) => {
                    let problem = format!("sampling targets: {}{}: {reason}", self.base, wire::TARGETS_PATH);
                    self.shared.set_problem(Task::ReportStatistics, Some(problem));
                    // Nothing was taken off the books: it goes with the next report. So does what is left of this
                    // one, since the daemon would most likely fail again, and each failure may take seconds.
                    count(&self.shared.counters.reports_failed, 1);
                    return (changed, false);
                }
            }
        }
        (changed, true)
    }

    fn hand_in(&self, chunk: &[Due<'_>], now: Now) -> Result<Targets, String> {
        let reports: Vec<Report<'_>> = chunk
            .iter()
            .map(|due| Report { rule: &due.rule.spec.name, counts: due.counts, boost: due.boost })
            .collect();
        let request = wire::targets_request(&reports, &self.client, &self.service, now.since_epoch);
        wire::parse_targets(&self.post(wire::TARGETS_PATH, &request)?)
    }

    fn apply(&self, set: &RuleSet, chunk: &[Due<'_>], answer: &Targets, now: Now) -> Option<f64> {
        for due in chunk {
            let name = &*due.rule.spec.name;
            if answer.unprocessed.iter().any(|(rule, _)| rule == name) {
                continue;
            }
            let mut pending_stats = due.rule.state.pending_stats();
            pending_stats.pending = pending_stats.pending.minus(due.counts);
            pending_stats.reported = now.since_start;
            if let Some(boost) =
                due.boost.filter(|_| !answer.unprocessed_boost.iter().any(|rule| rule == name))
            {
                pending_stats.boost.total -= boost.total;
                pending_stats.boost.anomalies -= boost.anomalies;
                pending_stats.boost.sampled_anomalies -= boost.sampled_anomalies;
            }
            let counters = &self.shared.counters;
            count(&counters.requests, due.counts.requests);
            count(&counters.sampled, due.counts.sampled);
            count(&counters.borrowed, due.counts.borrowed);
        }
        for target in &answer.targets {
            if let Some(rule) = set.by_name(&target.rule) {
                apply_target(rule, target);
            }
        }
        // A rule that the service does not know was deleted since.
        let unknown = answer.unprocessed.iter().any(|(_, unknown)| *unknown);
        let modified = answer.rules_modified.unwrap_or_default();
        let newer = match self.modified {
            Some(known) => modified > known,
            // The service's clock and ours may differ. Too early a comparison costs one call, too late a one five
            // minutes.
            None => modified + CLOCKS_DIFFER.as_secs_f64() >= self.fetched.as_secs_f64(),
        };
        (newer || unknown).then_some(modified)
    }

    fn post(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        self.http.post_json(&format!("{}{path}", self.base), body).map_err(|err| err.to_string())
    }
}

/// The part of one rule in a report.
struct Due<'a> {
    rule: &'a Rule,
    counts: Counts,
    boost: Option<BoostCounts>,
}

impl<'a> Due<'a> {
    /// Reads every rule's books, due or not: reading is what empties the counts of decisions.
    fn of(rule: &'a Rule, is_due: impl FnOnce(&PendingStats) -> bool) -> Option<Self> {
        let mut pending_stats = rule.state.pending_stats();
        if rule.spec.boost_limit.is_none() {
            pending_stats.boost = BoostCounts::default();
        }
        let boost = Some(pending_stats.boost).filter(|boost| boost.total > 0);
        is_due(&pending_stats).then(|| Self { rule, counts: pending_stats.pending.reportable(), boost })
    }
}

fn apply_target(rule: &Rule, target: &Target) {
    let state = &rule.state;
    if let Some(rate) = target.rate {
        state.set_rate(rate);
    }
    if target.quota.is_some() || target.quota_until.is_some() {
        let (quota, until) = state.assigned();
        state.assign(target.quota.unwrap_or(quota), target.quota_until.unwrap_or(until));
    }
    if let Some((rate, until)) = target.boost {
        state.boost(rule.spec.boost_limit.map_or(0.0, |limit| rate.min(limit)), until);
    }
    if let Some(interval) = target.interval {
        // A little early: the poll that comes next is the one that is meant.
        state.pending_stats().interval = interval.saturating_sub(TARGETS_EVERY / 10);
    }
}

/// Counts the decisions of deleted rules as lost.
fn count_lost(shared: &Shared, former: Option<&RuleSet>, new: &RuleSet) {
    let gone =
        former.into_iter().flat_map(RuleSet::rules).filter(|rule| new.by_name(&rule.spec.name).is_none());
    count(&shared.counters.lost, gone.map(|rule| rule.state.pending_stats().pending.requests.max(0)).sum());
}

const RULES_EVERY: Duration = Duration::from_secs(300);
const RULES_JITTER: Duration = Duration::from_secs(5);
const TARGETS_EVERY: Duration = Duration::from_secs(10);
const TARGETS_JITTER: Duration = Duration::from_millis(100);

/// The time for which fetched rules hold, as in the official SDKs.
const RULES_LIFETIME: Duration = Duration::from_secs(3600);

/// The pause after a first failure. Each further one doubles it, up to [`RULES_EVERY`].
const RETRY_FIRST: Duration = Duration::from_secs(10);

/// The largest difference between the service's clock and ours.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// An account has some dozens of rules; a server that goes on forever is broken.
const MAX_PAGES: usize = 100;

/// Rules of an account that are held. The service's quota is 25, and can be raised.
const MAX_RULES: usize = 2_000;

/// Bytes of all pages of rules: some four kilobytes a rule.
const MAX_RULES_BYTES: usize = 8 << 20;

/// The time limit for all pages together.
const ALL_PAGES: Duration = Duration::from_secs(10);

/// The daemon waits for the service without a limit of its own, so the limit is here. An answer of a megabyte is
/// some thousand rules.
const LIMITS: Limits =
    Limits { connect: Duration::from_millis(500), total: Duration::from_secs(2), body: 1 << 20 };
