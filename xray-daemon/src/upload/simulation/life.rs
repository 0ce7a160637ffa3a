//! One invented life of an engine: traffic, a disk, crashes, a shutdown, checked after each step.
//!
//! The clock jumps from event to event. Nothing here judges a batch; that is `endpoint`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::weather::{UnderWay, Weather, number_of};
use crate::counters::{Counters, Counts};
use crate::spool::{Index, Stored};
use crate::upload::Note;
use crate::upload::engine::{Engine, Next};
use crate::upload::job::{DiskJob, DiskResult, LoadError};
use crate::upload::settings::{Now, Settings, SpoolLimits};

pub(super) const MS: Duration = Duration::from_millis(1);
pub(super) const S: Duration = Duration::from_secs(1);

pub(super) struct Life {
    pub(super) seed: u64,
    pub(super) rng: fastrand::Rng,
    pub(super) now: Duration,
    pub(super) engine: Engine,
    pub(super) counters: Arc<Counters>,
    pub(super) settings: Settings,
    pub(super) weather: Weather,
    pub(super) weather_since: Duration,
    pub(super) weather_until: Duration,
    pub(super) calls: Vec<UnderWay>,
    pub(super) last_send: Duration,
    pub(super) job: Option<(Duration, DiskJob, bool)>,
    pub(super) disk: BTreeMap<u64, (Stored, Vec<u8>)>,
    pub(super) disk_is_full: bool,
    pub(super) pushed: u64,
    /// Documents that the endpoint has, whether its answer arrived or not.
    pub(super) accepted: BTreeSet<u64>,
    /// Accepted documents of calls whose answer arrived.
    pub(super) confirmed: u64,
    pub(super) rejected: BTreeSet<u64>,
    pub(super) crashed: bool,
    pub(super) steps: u64,
    /// Documents are so large that memory overflows.
    pub(super) heavy: bool,
    /// Nothing fails any more, not even the documents that fail always.
    pub(super) healed: bool,
}

impl Life {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let spool = rng.bool().then(|| SpoolLimits {
            max_bytes: rng.u64(20_000..2_000_000),
            max_age: Duration::from_secs(rng.u64(60..7 * 24 * 3600)),
        });
        let settings = Settings {
            memory: rng.usize(300_000..900_000),
            concurrency: rng.usize(1..=8),
            max_age: if rng.u8(0..4) == 0 { rng.u32(5..600) * S } else { 7 * 24 * 3600 * S },
            spool,
        };
        let counters = Arc::<Counters>::default();
        let index = spool.map(|limits| Index::new([], limits.max_bytes, limits.max_age));
        let engine = Engine::new(settings.clone(), index, Arc::clone(&counters), seed);
        Self {
            seed,
            rng,
            now: S,
            engine,
            counters,
            settings,
            weather: Weather::Fine,
            weather_since: S,
            weather_until: S,
            calls: Vec::new(),
            last_send: Duration::ZERO,
            job: None,
            disk: BTreeMap::new(),
            disk_is_full: false,
            pushed: 0,
            accepted: BTreeSet::new(),
            confirmed: 0,
            rejected: BTreeSet::new(),
            crashed: false,
            steps: 0,
            heavy: seed.is_multiple_of(16),
            healed: false,
        }
    }

    pub(super) fn moment(&self) -> Now {
        Now { monotonic: self.now, unix: 1_700_000_000 + self.now.as_secs() }
    }

    /// Documents by kind: most are good, some are refused in one way or another, some are large.
    fn push(&mut self) {
        self.pushed += 1;
        let number = self.pushed;
        let kind = match self.rng.u8(0..100) {
            0 => "poison",
            1 => "unprocessed",
            2 => "later",
            3 if !self.settings_expire() => "indigestible",
            _ => "good",
        };
        let padding = match self.rng.u8(0..100) {
            0..10 if self.heavy => self.rng.usize(0..20_000),
            0..20 => self.rng.usize(0..500),
            _ => 0,
        };
        let in_progress = self.rng.u8(0..5) == 0;
        let document = format!(r#"{{"id":"{kind}-{number}","padding":"{:padding$}"}}"#, "");
        self.engine.push(document.as_bytes(), in_progress, document.len() + 30, self.moment());
        self.check();
    }

    fn settings_expire(&self) -> bool {
        self.settings.max_age < 3600 * S
    }

    /// One document, or a burst that memory may not hold.
    fn traffic(&mut self) {
        let documents = match self.rng.u8(0..30) {
            0 => self.rng.usize(0..300),
            1..8 => self.rng.usize(0..60),
            _ => 1,
        };
        (0..documents).for_each(|_| self.push());
    }

    /// Does what the engine says, until it waits. Returns until when.
    fn act(&mut self) -> Option<Duration> {
        for _ in 0..100_000 {
            match self.engine.next(self.moment()) {
                Next::Send(request) => self.send(request.id, &request.body),
                Next::Disk(job) => {
                    assert!(self.job.is_none(), "one job at a time");
                    let fails = !self.healed && (self.disk_is_full || self.rng.u8(0..20) == 0);
                    self.job = Some((self.now + self.rng.u32(0..50) * MS, job, fails));
                }
                Next::Wait(until) => {
                    assert!(until.is_none_or(|until| until > self.now), "seed {}: no spinning", self.seed);
                    return until;
                }
                Next::Done => return None,
            }
            self.check();
        }
        panic!("seed {}: the engine never waits", self.seed);
    }

    /// The next thing that happens by itself, not after `until`.
    fn pass(&mut self, until: Duration) {
        self.steps += 1;
        assert!(self.steps < 100_000, "seed {}: a life without end: {:?}", self.seed, self.counts());
        let call = self.calls.iter().map(|call| call.end).min();
        let job = self.job.as_ref().map(|job| job.0);
        self.now = call.into_iter().chain(job).chain([until]).min().unwrap_or(until).max(self.now);
        if let Some(number) = self.calls.iter().position(|call| call.end <= self.now) {
            let UnderWay { id, taken, verdict, .. } = self.calls.swap_remove(number);
            // A shutdown ends its calls: their answers come to no one.
            self.confirmed += if self.engine.giving_up { 0 } else { taken };
            self.engine.finished(id, verdict, self.moment());
        } else if job.is_some_and(|job| job <= self.now) {
            self.end_job();
        }
        self.check();
        for note in self.engine.take_notes() {
            if let Note::Rejected { id: Some(id), .. } = note {
                self.rejected.insert(number_of(&id));
            }
        }
    }

    fn end_job(&mut self) {
        let Some((_, job, fails)) = self.job.take() else { return };
        if fails {
            let loaded = job.load.map(|_| Err(LoadError::Disk("broken".to_owned())));
            return self
                .engine
                .disk_finished(DiskResult { written: Err("full".to_owned()), loaded }, self.moment());
        }
        for key in job.delete {
            self.disk.remove(&key);
        }
        for (stored, bytes) in job.write {
            self.disk.insert(stored.key, (stored, bytes));
        }
        let bytes: u64 = self.disk.values().map(|(stored, _)| stored.room()).sum();
        let most = self.settings.spool.map_or(0, |limits| limits.max_bytes);
        assert!(bytes <= most + 200_000, "seed {}: {bytes} bytes on disk", self.seed);
        let loaded = job.load.map(|key| match self.disk.get(&key) {
            Some((_, bytes)) => Ok(bytes.clone()),
            None => Err(LoadError::Lost("not there".to_owned())),
        });
        self.engine.disk_finished(DiskResult { written: Ok(()), loaded }, self.moment());
    }

    /// The process is killed; the next one finds what is on disk.
    fn crash(&mut self) {
        self.crashed = true;
        // A new process has its first failures before it.
        self.weather_since = self.now;
        self.calls.clear();
        self.job = None;
        self.counters = Arc::default();
        let limits = self.settings.spool;
        let found = self.disk.values().map(|(stored, _)| *stored);
        let index = limits.map(|limits| Index::new(found, limits.max_bytes, limits.max_age));
        self.engine = Engine::new(self.settings.clone(), index, Arc::clone(&self.counters), self.seed);
        let adopted: u64 = self.disk.values().map(|(stored, _)| stored.documents).sum();
        assert_eq!(self.counts().received, if limits.is_some() { adopted } else { 0 });
        self.check();
    }

    pub(super) fn counts(&self) -> Counts {
        self.counters.snapshot()
    }

    fn check(&self) {
        let counts = self.counts();
        let seed = self.seed;
        assert!(counts.law_holds(), "seed {seed}: {counts:?}");
        let (backlog, flights) = (&self.engine.backlog, &self.engine.flights);
        assert_eq!(counts.held, (backlog.len() + flights.documents()) as u64, "seed {seed}");
        assert!(self.engine.giving_up || backlog.charge() <= backlog.limit(), "seed {seed}: the backlog");
        let all = backlog.charge() + flights.charge();
        // Beyond the sum, a first call that may always be made.
        let most = self.settings.memory + self.settings.batch_bytes() + 70_000;
        assert!(self.engine.giving_up || all <= most, "seed {seed}: {all} bytes of {most}");
    }

    pub(super) fn live(&mut self) {
        let end = self.now + self.rng.u32(2..25) * S;
        let mut next_traffic = self.now;
        while self.now < end {
            if self.now >= self.weather_until {
                self.change_weather();
            }
            if self.now >= next_traffic {
                self.traffic();
                next_traffic = self.now + self.rng.u32(1..1_500) * MS;
            }
            if self.settings.spool.is_some() && self.rng.u16(0..1_000) == 0 {
                self.crash();
            }
            let wait = self.act().unwrap_or(end);
            self.pass(wait.min(next_traffic).min(self.weather_until).min(end));
        }
        if self.rng.u8(0..3) == 0 {
            self.shut_down();
        } else {
            self.heal();
        }
        self.account();
    }

    /// In fine weather everything gets through within ten minutes.
    fn heal(&mut self) {
        (self.healed, self.disk_is_full, self.weather) = (true, false, Weather::Fine);
        let end = self.now + 600 * S;
        loop {
            let wait = self.act();
            let counts = self.counts();
            if counts.held == 0 && counts.spooled == 0 {
                return;
            }
            assert!(self.now < end, "seed {}: {counts:?} is left", self.seed);
            self.pass(wait.unwrap_or(end).min(end));
        }
    }

    /// A shutdown in whatever weather ends in time, with nothing held.
    fn shut_down(&mut self) {
        self.engine.drain();
        let end = self.now + self.rng.u32(0..30) * S;
        let mut given_up = false;
        loop {
            let wait = match self.engine.next(self.moment()) {
                Next::Done => break,
                Next::Send(request) => {
                    self.send(request.id, &request.body);
                    continue;
                }
                Next::Disk(job) => {
                    let fails = self.disk_is_full || self.rng.u8(0..20) == 0;
                    self.job = Some((self.now + self.rng.u32(0..50) * MS, job, fails));
                    continue;
                }
                Next::Wait(until) => until.unwrap_or(end),
            };
            if self.now >= end && !given_up {
                given_up = true;
                self.engine.give_up(self.moment());
                continue;
            }
            if self.now >= end + 2 * S {
                self.engine.abandon(self.moment());
                break;
            }
            self.pass(wait.min(if given_up { end + 2 * S } else { end }));
        }
        self.check();
        assert_eq!(self.counts().held, 0, "seed {}: {:?}", self.seed, self.counts());
    }

    /// Each document is somewhere.
    fn account(&mut self) {
        for note in self.engine.take_notes() {
            if let Note::Rejected { id: Some(id), .. } = note {
                self.rejected.insert(number_of(&id));
            }
        }
        if self.crashed {
            return;
        }
        let counts = self.counts();
        let seed = self.seed;
        assert_eq!(counts.received, self.pushed, "seed {seed}");
        assert_eq!(counts.sent, self.confirmed, "seed {seed}");
        let missing = (1..=self.pushed)
            .filter(|number| !self.accepted.contains(number) && !self.rejected.contains(number))
            .count() as u64;
        let gone = counts.dropped.total() + counts.spooled;
        assert!(
            missing <= gone,
            "seed {seed}: {missing} are nowhere, {gone} are dropped or on disk: {counts:?}"
        );
        assert_eq!(counts.rejected_by_service, self.rejected.len() as u64, "seed {seed}");
    }
}
