//! [`Sender`]: the thread that empties the queue.
//!
//! The thread gathers, sends, naps, and parks when nothing comes any more. All system calls for documents are made
//! here.
//!
//! ```text
//!    ┌────────────────────────────────────────────────────────────┐
//!    ▼                                                            │
//!  sweep ─► plan ─► pace: wait ─► send, together or one by one ─► nap until a burst
//!    ▲                                                            │ is there, 100 ms
//!    │ a flush, the end                                           │
//!    └──────────────────────── park until a packet comes ◄────────┘ nothing, ten times
//!                              └─► nap, since the packet waits for others
//! ```
//! A wake-up takes as long as sending a few documents. So the thread never wakes for one document: one that comes alone
//! waits for others, and the first that comes while the thread is parked only begins that time.

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
    /// The longest nap.
    delay: Duration,
    start: Instant,
}

impl Sender {
    pub(super) fn new(shared: Arc<Shared>, receive_buffer: usize, delay: Duration) -> Self {
        let pacer = Pacer::new(receive_buffer, Duration::ZERO);
        let (blocks, run) = (VecDeque::new(), Vec::new());
        Self { shared, blocks, gone: 0, run, pacer, delay, start: Instant::now() }
    }

    /// Goes on until the guard is dropped.
    pub(super) fn work(mut self) {
        let (mut naps, mut answered, mut looked) = (0, 0, self.start.elapsed());
        self.wait_for_others(answered);
        loop {
            let wakeup = &self.shared.wakeup;
            let (asked, stopping) = (wakeup.asked(), wakeup.is_stopping());
            let kept = self.blocks.len();
            self.shared.arena.sweep(&mut self.blocks, stopping);
            naps = if self.blocks.is_empty() { naps + 1 } else { 0 };
            let (came, now) = (self.blocks.range(kept..).map(cost).sum(), self.start.elapsed());
            let nap = self.pacer.nap(came, now - looked, self.delay);
            looked = now;
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
                wakeup.nap(nap, || self.shared.arena.is_crowded());
            } else {
                self.park();
                looked = self.start.elapsed();
                naps = 0;
                self.wait_for_others(answered);
            }
        }
        self.shared.wakeup.end();
    }

    /// Naps for as long as a first packet waits for others, unless a flush after those `answered`, or the end, is due.
    fn wait_for_others(&self, answered: u64) {
        let wakeup = &self.shared.wakeup;
        // One that is asked for from here on rings, and the nap is over at once.
        if wakeup.asked() == answered && !wakeup.is_stopping() {
            wakeup.nap(self.delay, || self.shared.arena.is_crowded());
        }
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
            let mut batch = self.plan();
            if batch.count == 0 || may_leave && sent && batch.count == self.left() {
                return;
            }
            if self.learn_room() {
                batch = self.plan();
            }
            if !self.wait_for_room(batch) {
                return self.abandon();
            }
            self.send(batch);
            self.advance(batch.count);
            sent = true;
        }
    }

    /// Returns what is sent next: as much as may be sent now, or what a wait is worth.
    fn plan(&mut self) -> Batch {
        let room = self.pacer.room(self.shared.arena.fill(), self.start.elapsed());
        let largest = self.shared.connection.largest_in_run();
        batch::next_batch(self.packets().map(<[u8]>::len), largest, room)
    }

    /// Asks the kernel how full the receiver's buffer is, if the pace calls for a nap. Returns whether the plan may be another
    /// one by that.
    fn learn_room(&mut self) -> bool {
        if !self.pacer.is_used_up(self.shared.arena.fill(), self.start.elapsed()) {
            return false;
        }
        match self.shared.connection.receiver() {
            Some(level) => self.pacer.learn(level),
            None => self.pacer.forget(),
        }
        true
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

/// Returns about what the packets of a block take of the receiver's buffer.
fn cost(block: &Block) -> usize {
    let size = block.bytes() / block.len().max(1);
    Batch { count: block.len(), size }.cost()
}

/// The longest naps in a row without a document: a second with the default delay. After that it costs less if the next
/// document has to wake the thread.
const NAPS_BEFORE_PARKING: u32 = 10;

/// Between two tries with a full socket.
const SHORT_NAP: Duration = Duration::from_millis(1);

/// After a tenth of a second the kernel's buffer is not going to be emptied.
const FULL_RETRIES: u32 = 100;
