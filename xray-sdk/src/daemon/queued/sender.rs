//! [`Sender`]: the thread that empties the queue.
//!
//! The thread gathers, sends, naps, and parks when nothing comes any more. All system calls for documents are made
//! here.
//!
//! ```text
//!    ┌──────────────────────────────────────────────────────────────┐
//!    ▼                                                              │
//!  sweep ─► plan ─► pace: wait ─► send, together or one by one ─► nap, 10 ms
//!                                                                   │ nothing, ten times
//!                                                                   └─► park until a packet comes
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::block::Block;
use super::pacing::Pacer;
use super::shared::Shared;
use crate::daemon::EmitError;
use crate::daemon::batch::{self, Batch};
use crate::daemon::udp::{SendError, Transmit};

pub(super) struct Sender {
    shared: Arc<Shared>,
    /// Blocks that the last sweep found.
    blocks: VecDeque<Block>,
    /// Packets of the first block that are gone already.
    gone: usize,
    run: Vec<u8>,
    pacer: Pacer,
    start: Instant,
}

impl Sender {
    pub(super) fn new(shared: Arc<Shared>, receive_buffer: usize) -> Self {
        let pacer = Pacer::new(receive_buffer, Duration::ZERO);
        Self { shared, blocks: VecDeque::new(), gone: 0, run: Vec::new(), pacer, start: Instant::now() }
    }

    /// Goes on until the guard is dropped.
    pub(super) fn work(mut self) {
        let (mut naps, mut answered) = (0, 0);
        loop {
            let wakeup = &self.shared.wakeup;
            let (asked, stopping) = (wakeup.asked(), wakeup.is_stopping());
            self.shared.arena.sweep(&mut self.blocks, stopping);
            naps = if self.blocks.is_empty() { naps + 1 } else { 0 };
            self.send_all(asked == answered && !stopping);
            let wakeup = &self.shared.wakeup;
            if asked != answered {
                wakeup.answer(asked);
                answered = asked;
            }
            if stopping {
                break;
            }
            if self.shared.arena.has_sealed() {
                continue;
            }
            if naps < NAPS_BEFORE_PARKING {
                wakeup.nap(NAP);
            } else {
                self.park();
                naps = 0;
            }
        }
        self.shared.wakeup.end();
    }

    /// Sleeps without a limit, unless something came in meanwhile.
    fn park(&mut self) {
        let Self { shared, blocks, run, .. } = self;
        shared.arena.shrink();
        *run = Vec::new();
        // A flush, and a guard's end, ring after they said what they want, which makes this return at once.
        shared.wakeup.park(|| {
            shared.arena.sweep(blocks, false);
            blocks.is_empty()
        });
    }

    /// Sends what there is. With `may_leave`, what is too little for a whole run stays behind if something else
    /// went: with what comes during a nap it makes one, and goes then in any case.
    fn send_all(&mut self, may_leave: bool) {
        let mut sent = false;
        loop {
            let room = self.pacer.room(self.shared.arena.fill(), self.start.elapsed());
            let largest = self.shared.connection.largest_in_run();
            let batch = batch::next_batch(self.packets().map(<[u8]>::len), largest, room);
            if batch.count == 0 || may_leave && sent && batch.count == self.left() {
                return;
            }
            if !self.wait_for_room(batch) {
                return self.abandon();
            }
            self.send(batch);
            self.advance(batch.count);
            sent = true;
        }
    }

    /// Waits until the receiver may be given so much. `false` when it is to be given nothing any more.
    fn wait_for_room(&mut self, batch: Batch) -> bool {
        loop {
            if self.shared.wakeup.is_abandoned() {
                return false;
            }
            match self.pacer.admit(batch.cost(), self.shared.arena.fill(), self.start.elapsed()) {
                Ok(()) => return true,
                Err(wait) => thread::park_timeout(wait),
            }
        }
    }

    fn send(&mut self, batch: Batch) {
        if batch.count == 1 {
            if let Some(packet) = self.packets().next() {
                self.deliver(Transmit::one(packet));
            }
            return;
        }
        let mut run = std::mem::take(&mut self.run);
        batch::write_run(&mut run, self.packets(), batch);
        if !self.deliver(Transmit::run(&run, batch.size)) {
            for packet in run.chunks(batch.size) {
                self.deliver(Transmit::one(packet));
            }
        }
        self.run = run;
    }

    /// Sends, and again for a while if the kernel has no room. Counts what became of it, unless that is `false`: then
    /// nothing became of it, since it can't go as a run.
    fn deliver(&self, transmit: Transmit<'_>) -> bool {
        let connection = &self.shared.connection;
        let mut outcome = connection.send(transmit);
        for _ in 0..FULL_RETRIES {
            if outcome != Err(SendError::Full) || self.shared.wakeup.is_abandoned() {
                break;
            }
            thread::sleep(SHORT_NAP);
            outcome = connection.send(transmit);
        }
        if outcome == Err(SendError::NoGso) {
            return false;
        }
        if outcome == Err(SendError::TooLarge) {
            // From now on who emits hears of it, and can split the document.
            self.shared.largest.fetch_min(transmit.bytes().len().saturating_sub(1), Ordering::Relaxed);
        }
        connection.counters().count(
            outcome.map_err(EmitError::from),
            transmit.count(),
            transmit.bytes().len(),
        );
        true
    }

    /// Returns the packets that are not gone yet.
    fn packets(&self) -> impl Iterator<Item = &[u8]> {
        let mut skip = self.gone;
        self.blocks.iter().flat_map(move |block| block.packets(std::mem::take(&mut skip)))
    }

    /// Returns the number of packets that are not gone yet.
    fn left(&self) -> usize {
        self.blocks.iter().map(Block::len).sum::<usize>() - self.gone
    }

    /// Counts `count` more packets as gone.
    fn advance(&mut self, count: usize) {
        self.gone += count;
        self.shared.finished.fetch_add(count as u64, Ordering::Relaxed);
        while let Some(first) = self.blocks.front()
            && self.gone >= first.len()
        {
            self.gone -= first.len();
            self.blocks.pop_front().into_iter().for_each(|block| self.shared.arena.release(block));
        }
    }

    /// Counts what was not sent as lost for want of room.
    fn abandon(&mut self) {
        let left = self.left();
        self.shared.connection.counters().count(Err(EmitError::Full), left as u64, 0);
        self.advance(left);
    }
}

/// The longest wait of a document before the sender looks for it. One that is left behind waits twice as long.
const NAP: Duration = Duration::from_millis(10);

/// A tenth of a second without a document, after which a nap that finds nothing costs more than waking up.
const NAPS_BEFORE_PARKING: u32 = 10;

/// Between two tries with a full socket.
const SHORT_NAP: Duration = Duration::from_millis(1);

/// After a tenth of a second the kernel's buffer is not going to be emptied.
const FULL_RETRIES: u32 = 100;
