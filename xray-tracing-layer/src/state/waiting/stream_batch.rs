//! [`StreamBatch`]: documents that leave their parent while it is open, until they go out in one call.
//!
//! A parent has one only while documents wait in it. Batches come from a few spares of the thread and keep the memory of
//! their packets, so that streaming allocates nothing in steady state. Nothing is sent or counted here.

use std::cell::RefCell;

use xray_sdk::document::internal::{Buffer, ReadyPlace};
use xray_sdk::{Packet, SegmentId, TraceId};

/// Documents that go out together, in order.
#[derive(Debug, Default)]
pub(crate) struct StreamBatch {
    /// One for each document, and behind them packets that only keep their memory.
    packets: Vec<Packet>,
    contents: Vec<Content>,
    /// The place of the documents in their trace.
    place: Option<ReadyPlace>,
    /// Bytes of the documents, with their header lines.
    bytes: usize,
    /// The registry's id of the span under which [`WaitingSpans`](super::waiting_spans::WaitingSpans) knows the batch.
    pub(crate) registered: Option<u64>,
}

/// Facts about a document that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    /// The spans in it that count as folded.
    pub(crate) folded: u32,
    /// Set if its own span counts as held until the document is sent.
    pub(crate) is_held: bool,
    /// Set if an emitter has accepted it.
    pub(crate) is_sent: bool,
}

impl Content {
    /// Describes the document of a span for which its parent has no room, with the `folded` spans in it.
    pub(crate) fn held(folded: u32) -> Self {
        Self { folded, is_held: true, is_sent: false }
    }

    /// Describes a document that was folded, as one of `spans`.
    pub(crate) fn folded(spans: u32) -> Self {
        Self { folded: spans, is_held: false, is_sent: false }
    }
}

impl StreamBatch {
    /// Takes an empty batch from this thread's spares.
    pub(crate) fn take() -> Box<Self> {
        let spare = SPARES.try_with(|spares| spares.try_borrow_mut().ok()?.pop()).ok().flatten();
        spare.unwrap_or_default()
    }

    /// Empties the batch and returns it to the spares.
    pub(crate) fn give_back(mut self: Box<Self>) {
        self.contents.clear();
        (self.bytes, self.registered) = (0, None);
        self.packets.truncate(FULL);
        for packet in self.packets.iter_mut().filter(|packet| packet.capacity() > MAX_SPARE) {
            *packet = Packet::new();
        }
        let _ = SPARES.try_with(|spares| {
            if let Ok(mut spares) = spares.try_borrow_mut()
                && spares.len() < MAX_SPARES
            {
                spares.push(self);
            }
        });
    }

    /// Adds the document of a child of the span with these ids.
    pub(crate) fn push(
        &mut self,
        content: Content,
        (trace_id, parent_id): (TraceId, SegmentId),
        write: impl FnOnce(&mut Buffer, &ReadyPlace),
    ) {
        if !self.place.as_ref().is_some_and(|place| place.is_below(trace_id, parent_id)) {
            self.place = Some(ReadyPlace::new(trace_id, parent_id));
        }
        if self.packets.len() == self.contents.len() {
            self.packets.push(Packet::new());
        }
        if let (Some(packet), Some(place)) = (self.packets.get_mut(self.contents.len()), &self.place) {
            write(packet.start_document(), place);
            self.bytes += packet.as_bytes().len();
            self.contents.push(content);
        }
    }

    /// Returns whether no more documents should wait in it.
    pub(crate) fn is_full(&self) -> bool {
        self.contents.len() >= FULL || self.bytes >= MAX_BYTES
    }

    /// Returns the documents, and what is known about each.
    pub(crate) fn parts(&mut self) -> (&[Packet], &mut [Content]) {
        (self.packets.get(..self.contents.len()).unwrap_or_default(), &mut self.contents)
    }
}

thread_local! {
    #[expect(clippy::vec_box, reason = "a record takes the box as it is")]
    static SPARES: RefCell<Vec<Box<StreamBatch>>> = const { RefCell::new(Vec::new()) };
}

/// The documents that go out in one call. With what the kernel adds to each, 60 of a few hundred bytes are a third of a
/// receive buffer of 212,992 bytes, Linux's default. With 30 a document takes a third more time, with 120 a tenth less.
const FULL: usize = 60;

/// The bytes that are enough for a call: the kernel carries no more in one.
///
/// With what the kernel adds to 60 documents, and with a last one of the largest size, that is less than three fifths
/// of the same receive buffer.
const MAX_BYTES: usize = 64_000;

/// The maximum of spares of a thread: for two wide spans that are open at the same time.
const MAX_SPARES: usize = 2;

/// The largest packet that a spare keeps.
const MAX_SPARE: usize = 2 << 10;
