//! The driver: does what the engine says, with a network, a disk and a clock.
//!
//! One task asks the engine; each call is a task of its own; the disk is worked on by a thread that may block. The
//! receiving thread shares the engine through [`Uploads`], and wakes the driver when it has to ask again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::sleep_until;

use super::clock::Clock;
use super::engine::{Engine, Next, Request};
use super::job::{DiskJob, DiskResult, LoadError};
use super::news::News;
use super::verdict::{Verdict, count, judge};
use crate::aws::{Call, CallError, Reply};
use crate::counters::Counters;
use crate::spool::Disk;

/// The engine, shared by the receiving thread and the driver.
#[derive(Clone, Debug)]
pub struct Uploads {
    engine: Arc<Mutex<Engine>>,
    wake: Arc<Notify>,
    clock: Clock,
}

impl Uploads {
    /// Shares an engine.
    #[must_use]
    pub fn new(engine: Engine, clock: Clock) -> Self {
        Self { engine: Arc::new(Mutex::new(engine)), wake: Arc::default(), clock }
    }

    /// Takes a document; `datagram` is the size of what it came in.
    pub fn push(&self, document: &[u8], in_progress: bool, datagram: usize) {
        let now = self.clock.now();
        if self.with(|engine| engine.push(document, in_progress, datagram, now)) {
            self.wake.notify_one();
        }
    }

    /// Returns how long the oldest document has been in memory and waits.
    #[must_use]
    pub fn oldest_age(&self) -> Option<Duration> {
        let now = self.clock.now();
        self.with(|engine| engine.oldest_age(now))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Engine) -> T) -> T {
        act(&mut self.engine.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The time at which a shutdown has to be over; `None` while there is none.
pub type Deadline = Option<Instant>;

/// Uploads until `deadline` is set, then until everything is sent, on disk, or counted as dropped.
///
/// Nothing may be pushed any more once `deadline` is set. A later, earlier deadline counts.
pub async fn drive<C: Call>(
    uploads: Uploads,
    call: Arc<C>,
    disk: Option<Disk>,
    counters: Arc<Counters>,
    deadline: watch::Receiver<Deadline>,
) {
    let clock = uploads.clock;
    let driver = Driver {
        uploads,
        call,
        clock,
        counters,
        disk: disk.map(|disk| Arc::new(Mutex::new(disk))),
        work: JoinSet::new(),
        calls: HashMap::new(),
        news: News::default(),
    };
    driver.run(deadline).await;
}

struct Driver<C> {
    uploads: Uploads,
    call: Arc<C>,
    clock: Clock,
    counters: Arc<Counters>,
    disk: Option<Arc<Mutex<Disk>>>,
    work: JoinSet<Done>,
    /// The calls among the work, by their tasks.
    calls: HashMap<task::Id, u64>,
    news: News,
}

/// A piece of work that has ended.
enum Done {
    Call(u64, Result<Reply, CallError>),
    Disk(DiskResult),
}

impl<C: Call> Driver<C> {
    async fn run(mut self, mut deadline: watch::Receiver<Deadline>) {
        let (mut end, mut give_up, mut given_up): (Deadline, Deadline, bool) = (None, None, false);
        while let Some(until) = self.act() {
            let until = until.map(|until| self.clock.instant(until));
            tokio::select! {
                biased;
                Some(ended) = self.work.join_next_with_id() => self.ended(ended),
                changed = deadline.changed(), if end.is_none() || changed_is_open(&deadline) => {
                    end = match changed {
                        Ok(()) => *deadline.borrow_and_update(),
                        // No one is left who could set a deadline.
                        Err(_) => Some(Instant::now()),
                    };
                    give_up = if given_up { end } else { end.map(leave_time_for_disk) };
                    self.uploads.with(Engine::drain);
                }
                () = at(give_up) => {
                    let now = self.clock.now();
                    if given_up || self.disk.is_none() {
                        self.uploads.with(|engine| { engine.give_up(now); engine.abandon(now); });
                        break;
                    }
                    (given_up, give_up) = (true, end);
                    self.uploads.with(|engine| engine.give_up(now));
                }
                () = at(until) => {}
                () = self.uploads.wake.notified() => {}
            }
        }
        self.log_notes();
        self.work.shutdown().await;
    }

    /// Does all that can be done now.
    ///
    /// Returns when to ask again, or `None` when all is done.
    fn act(&mut self) -> Option<Option<Duration>> {
        loop {
            let now = self.clock.now();
            match self.uploads.with(|engine| engine.next(now)) {
                Next::Send(request) => self.send(request),
                Next::Disk(job) => self.work_on_disk(job),
                Next::Wait(until) => return Some(until),
                Next::Done => return None,
            }
        }
    }

    fn send(&mut self, Request { id, body }: Request) {
        let call = Arc::clone(&self.call);
        let task = self.work.spawn(async move { Done::Call(id, call.post(PATH, body).await) });
        self.calls.insert(task.id(), id);
    }

    /// A piece of work that panicked has failed, so that its documents are not held for good.
    fn ended(&mut self, ended: Result<(task::Id, Done), JoinError>) {
        let (task, done) = match ended {
            Ok((task, done)) => (task, Some(done)),
            Err(error) => {
                log::error!("A bug, please report it: {error}");
                (error.id(), None)
            }
        };
        let call = self.calls.remove(&task);
        self.done(match (done, call) {
            (Some(done), _) => done,
            (None, Some(id)) => Done::Call(id, Err(CallError::Other("the call panicked".to_owned()))),
            (None, None) => Done::Disk(DiskResult::failed("the job panicked")),
        });
    }

    fn work_on_disk(&mut self, job: DiskJob) {
        let disk = self.disk.clone();
        self.work.spawn_blocking(move || Done::Disk(run_job(disk, job)));
    }

    fn done(&mut self, done: Done) {
        let now = self.clock.now();
        match done {
            Done::Disk(result) => self.uploads.with(|engine| engine.disk_finished(result, now)),
            Done::Call(id, answer) => {
                let verdict = judge(&answer, now.unix);
                self.counters.update(|counts| count(&answer, &mut counts.errors));
                match &verdict {
                    Verdict::Expired(_) | Verdict::Denied(_) => self.call.refresh_credentials(),
                    Verdict::Skewed(seconds, _) => {
                        log::warn!(
                            "This machine's clock is off by {seconds} s: X-Ray's time is used for signatures"
                        );
                        self.call.correct_clock(*seconds);
                    }
                    _ => {}
                }
                self.uploads.with(|engine| engine.finished(id, verdict, now));
            }
        }
        self.log_notes();
    }

    fn log_notes(&mut self) {
        let (notes, now) = (self.uploads.with(Engine::take_notes), self.clock.now());
        self.news.write(notes, now.monotonic, &self.counters);
    }
}

/// The end of uploads, before the end of all.
fn leave_time_for_disk(end: Instant) -> Instant {
    let left = end.saturating_duration_since(Instant::now());
    end.checked_sub(LAST.min(left / 4)).unwrap_or(end)
}

/// Returns whether a deadline may still change.
fn changed_is_open(deadline: &watch::Receiver<Deadline>) -> bool {
    deadline.has_changed().is_ok()
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

fn run_job(disk: Option<Arc<Mutex<Disk>>>, job: DiskJob) -> DiskResult {
    let Some(disk) = disk else {
        return DiskResult::failed("there is no spool");
    };
    let mut disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
    let written = disk.change(&job.delete, &job.write);
    let loaded = job.load.map(|key| match disk.read(key) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(LoadError::Lost(format!("entry {key} of the spool is not there"))),
        Err(why) => Err(LoadError::Disk(why)),
    });
    DiskResult { written, loaded }
}

/// The path of `PutTraceSegments`.
const PATH: &str = "/TraceSegments";
/// The most of a shutdown's time that is kept for the disk.
const LAST: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::upload::Settings;

    /// X-Ray behind a client that panics at first.
    struct Faulty(Mutex<u32>);

    impl Call for Faulty {
        async fn post(&self, _: &str, _: Bytes) -> Result<Reply, CallError> {
            let number = {
                let mut number = self.0.lock().unwrap();
                *number += 1;
                *number
            };
            assert!(number > 1, "a bug in the client");
            Ok(Reply { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::from_static(b"{}") })
        }

        fn refresh_credentials(&self) {}

        fn correct_clock(&self, _: i64) {}
    }

    #[tokio::test]
    async fn a_call_that_panics_has_failed_and_is_repeated() {
        let counters = Arc::new(Counters::default());
        let settings =
            Settings { memory: 1 << 24, concurrency: 1, max_age: Duration::from_secs(3600), spool: None };
        let engine = Engine::new(settings, None, Arc::clone(&counters), 1);
        let uploads = Uploads::new(engine, Clock::start());
        uploads.push(b"{}", false, 30);
        let (deadline, until) = watch::channel(None);
        let call = Arc::new(Faulty(Mutex::new(0)));
        let driving = tokio::spawn(drive(uploads, call, None, Arc::clone(&counters), until));
        while counters.snapshot().sent == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let counts = counters.snapshot();
        assert_eq!((counts.calls, counts.errors.other, counts.in_flight, counts.held), (2, 1, 0, 0));
        deadline.send(Some(Instant::now())).unwrap();
        driving.await.unwrap();
    }
}
