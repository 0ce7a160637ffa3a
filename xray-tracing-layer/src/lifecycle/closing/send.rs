//! The emission of a closed span's own document: that of a root, and of a span that no parent has room for.
//!
//! Called by `lifecycle::close`, by the fast path of roots, and by whatever else ends a span. The children for which the
//! document has no room leave first.

use xray_sdk::document::internal::{Frame, Preamble};
use xray_sdk::{EmitError, Packet};

use crate::fields::scratch::with_packet;
use crate::lifecycle::core::Core;
use crate::state::clock::Ticks;
use crate::state::record::SpanRecord;

impl Core {
    /// Emits the span's document, after the children for which it has no room.
    pub(crate) fn send(&self, record: &mut SpanRecord, end: Ticks) {
        // One preamble for measuring and writing: the origin may be detected in between.
        let preamble = self.output.origin.preamble();
        let mut destination = CountOnDrop { core: self, record, emitted: false };
        let record = &mut *destination.record;
        if record.body.size_bound() + record.children.bytes().len() > SURELY_FITS {
            self.emit_what_has_no_room(record, preamble, end);
        }
        destination.emitted = with_packet(|packet| {
            let record = &mut *destination.record;
            let mut result = self.emit(packet, &self.frame(record, preamble, Some(end)));
            if result == Err(EmitError::TooLarge) && !record.children.is_empty() {
                result = self.emit_without_children(packet, record, preamble, end);
            }
            result.is_ok()
        });
    }

    /// Emits the largest children, until the span's document has room for the others.
    #[cold]
    #[inline(never)]
    fn emit_what_has_no_room(&self, record: &mut SpanRecord, preamble: &Preamble, end: Ticks) {
        if let Some(batch) = self.take_largest(record, preamble, end) {
            self.emit_batch(batch);
        }
    }

    /// Emits a document again that was too large, after its children: some systems carry less than UDP allows, macOS by
    /// default 9,216 bytes.
    #[cold]
    #[inline(never)]
    fn emit_without_children(
        &self,
        packet: &mut Packet,
        record: &mut SpanRecord,
        preamble: &Preamble,
        end: Ticks,
    ) -> Result<(), EmitError> {
        if let Some(batch) = self.take_all(record) {
            self.emit_batch(batch);
        }
        self.emit(packet, &self.frame(record, preamble, Some(end)))
    }

    fn emit(&self, packet: &mut Packet, frame: &Frame<'_>) -> Result<(), EmitError> {
        frame.put(packet.start_document());
        self.output.emitter.emit(packet)?;
        self.output.counters.here().documents.one();
        Ok(())
    }
}

/// Counts the result of an emission, also if the emitter panics and the panic is caught.
struct CountOnDrop<'a> {
    core: &'a Core,
    record: &'a mut SpanRecord,
    emitted: bool,
}

impl Drop for CountOnDrop<'_> {
    fn drop(&mut self) {
        self.core.output.counters.sent(self.emitted, self.record.children.spans());
    }
}

/// The most bytes of body and children that fit with any ids, name, rule, operation and preamble: those take less than
/// 16,000 (a rule 6,000 once it is escaped, an operation 1,500, a preamble 4,000, a name 800).
const SURELY_FITS: usize = xray_sdk::daemon::MAX_DOCUMENT - 16_000;
