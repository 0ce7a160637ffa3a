//! The store as the rest of the program sees it: a handle that hands work to the writer and questions to readers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{broadcast, oneshot};

use super::checker;
use super::counters::{Counters, Counts};
use super::file::{Readers, Source};
use super::job::{Incoming, Job, Matcher, Report, Stored, Verdicts};
use super::live::Live;
use super::problems::{Harm, Trouble, excerpt};
use super::traces::fill_shapes;
use super::writer::{self, Writer};
use super::{OpenError, Options, StoreError};
use crate::model::{Door, Home, now};

/// A handle to the store. Clones share it; the file is closed with [`close`](Self::close).
#[derive(Clone, Debug)]
pub struct Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    source: Source,
    readers: Readers,
    home: Home,
    jobs: Sender<Job>,
    live: Arc<Live>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Commits what was handed in.
impl Drop for Shared {
    fn drop(&mut self) {
        let _ = self.jobs.send(Job::Close);
        if let Some(thread) = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

impl Store {
    /// Opens the store, makes its file if there is none, and starts the writer.
    ///
    /// # Errors
    /// The file can't be opened, belongs to another process or program, or is of a later version.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let (source, connection) = Source::prepare(&options.place, fill_shapes)?;
        let io = |err| OpenError::Io(source.path.clone(), err);
        let (jobs, queue) = channel();
        let (to_checker, batches) = checker::channel();
        let live = Arc::new(Live {
            counters: Counters::default(),
            queued: AtomicUsize::new(0),
            refusals: AtomicUsize::new(0),
            tail: broadcast::channel(TAIL).0,
            matcher: RwLock::new(None),
            to_checker,
        });
        checker::start(batches, Arc::downgrade(&live), jobs.clone()).map_err(io)?;
        let writer = Writer::new(connection, &options, Arc::clone(&live));
        let thread = writer::start(writer, queue).map_err(io)?;
        let (readers, writer) = (Readers::default(), Mutex::new(Some(thread)));
        Ok(Self(Arc::new(Shared { source, readers, home: options.home, jobs, live, writer })))
    }

    /// Region and account.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.0.home
    }

    /// Returns the place of the data, or `:memory:`.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.0.source.path
    }

    /// Asks a question on a connection of its own, in one read transaction. Blocks: in async code, call it within
    /// [`ask`](Self::ask).
    ///
    /// # Errors
    /// The question's own, or the store's.
    pub fn read<T, E: From<StoreError>>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.0.readers.read(&self.0.source, question)
    }

    /// Asks a question from async code: [`read`](Self::read) on a thread made for blocking work.
    ///
    /// # Errors
    /// The question's own, or the store's.
    pub async fn ask<T, E>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        let asked = tokio::task::spawn_blocking(move || store.read(question)).await;
        asked.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Changes tables other than those of traces, in the writer's next transaction. Returns after the commit. If
    /// the change fails, everything that it did is undone.
    ///
    /// # Errors
    /// The change's own, or the store's.
    pub async fn write<T, E>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.begin_write(change)?.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Does what [`write`](Self::write) does, from code that is not async.
    ///
    /// # Errors
    /// The change's own, or the store's.
    pub fn write_blocking<T, E>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.begin_write(change)?.blocking_recv().unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Stores the documents of a request. Returns one verdict per document, after the commit.
    ///
    /// # Errors
    /// Nothing was stored: the disk is full, or the file can't be written.
    pub async fn put(&self, documents: Vec<Vec<u8>>, door: Door) -> Result<Verdicts, StoreError> {
        self.begin_put(documents, door)?.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Does what [`put`](Self::put) does, from code that is not async.
    ///
    /// # Errors
    /// Nothing was stored: the disk is full, or the file can't be written.
    pub fn put_blocking(&self, documents: Vec<Vec<u8>>, door: Door) -> Result<Verdicts, StoreError> {
        self.begin_put(documents, door)?.blocking_recv().unwrap_or(Err(StoreError::Closed))
    }

    /// Takes a datagram's document, which is committed within [`BATCH`](super::BATCH) and what the commit takes. When
    /// more arrives than can be written, the document is dropped and counted.
    pub fn offer(&self, document: Vec<u8>, door: Door) {
        if self.0.live.queued.load(Ordering::Relaxed) > QUEUE_BYTES {
            self.0.live.counters.received.fetch_add(1, Ordering::Relaxed);
            self.0.live.counters.dropped_queue.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let live = &self.0.live;
        live.counters.received.fetch_add(1, Ordering::Relaxed);
        live.queued.fetch_add(document.len(), Ordering::Relaxed);
        // After the end there is no writer; the socket is closed before the store is.
        let _ = self.send(Job::Offer(Incoming { bytes: document, door, received: now() }));
    }

    /// Counts a datagram that the daemon would drop, with the reason.
    pub fn refuse_datagram(&self, datagram: &[u8], reason: &str) {
        self.0.live.counters.invalid_datagrams.fetch_add(1, Ordering::Relaxed);
        // In a flood of junk, some of it is counted and not listed.
        if self.0.live.refusals.fetch_add(1, Ordering::Relaxed) >= QUEUE_REFUSALS {
            self.0.live.refusals.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let trouble = Trouble {
            at: now(),
            door: Door::Udp,
            harm: Harm::Refused,
            code: String::new(),
            path: String::new(),
            message: reason.to_owned(),
            service: String::new(),
            trace: None,
            excerpt: excerpt(datagram),
        };
        let _ = self.send(Job::Refusal(Box::new(trouble)));
    }

    /// Counts a document that the daemon's policies do not let it send.
    pub fn count_denied(&self) {
        self.0.live.counters.denied.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts datagrams that the kernel dropped: how many more than before.
    pub fn count_kernel_drops(&self, more: u64) {
        self.0.live.counters.dropped_kernel.fetch_add(more, Ordering::Relaxed);
    }

    /// Counts what came in since the program started.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.live.counters.snapshot()
    }

    /// The traces that are written from now on. A slow reader misses some and receives their number.
    #[must_use]
    pub fn tail(&self) -> broadcast::Receiver<Stored> {
        self.0.live.tail.subscribe()
    }

    /// Sets what finds a trace's groups.
    pub fn set_matcher(&self, matcher: Arc<dyn Matcher>) {
        *self.0.live.matcher.write().unwrap_or_else(PoisonError::into_inner) = Some(matcher);
    }

    /// Commits everything that was handed in, and closes the file. Blocks until that is done.
    pub fn close(&self) {
        let _ = self.send(Job::Close);
        let thread = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    /// Hands a change to the writer; what is returned receives its outcome after the commit.
    fn begin_write<T, E>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, E>>, StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.send(Job::Write(Box::new(move |connection| {
            let result = connection.map_err(E::from).and_then(change);
            let succeeded = result.is_ok();
            let report: Report = Box::new(move |committed| {
                let _ = sender.send(match committed {
                    Ok(()) => result,
                    Err(err) => Err(err.into()),
                });
            });
            (succeeded, report)
        })))?;
        Ok(receiver)
    }

    fn begin_put(
        &self,
        documents: Vec<Vec<u8>>,
        door: Door,
    ) -> Result<oneshot::Receiver<Result<Verdicts, StoreError>>, StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.send(Job::Put(self.incoming(documents, door), sender))?;
        Ok(receiver)
    }

    fn incoming(&self, documents: Vec<Vec<u8>>, door: Door) -> Vec<Incoming> {
        let received = now();
        let live = &self.0.live;
        live.counters.received.fetch_add(documents.len() as u64, Ordering::Relaxed);
        live.queued.fetch_add(documents.iter().map(Vec::len).sum(), Ordering::Relaxed);
        documents.into_iter().map(|bytes| Incoming { bytes, door, received }).collect()
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        self.0.jobs.send(job).map_err(|_| StoreError::Closed)
    }
}

/// Events that a slow reader of the tail may lag behind.
const TAIL: usize = 4_096;

/// Bytes of datagrams that wait for the writer at most.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// Refused datagrams that wait for the writer at most.
const QUEUE_REFUSALS: usize = 10_000;
