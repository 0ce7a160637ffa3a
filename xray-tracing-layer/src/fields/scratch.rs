//! Scratch buffers of a thread: a packet to send, a body to collect fields in, a buffer for text.
//!
//! Each thread has one of each, so a span in steady state allocates nothing. User code that runs meanwhile
//! and needs the same buffer gets a new one.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::thread::LocalKey;

use xray_sdk::Packet;
use xray_sdk::document::internal::{Body, Buffer};

use crate::settings::reentrancy::suppress_recording;

/// Lends this thread's packet, to fill and to send. Recording is suppressed meanwhile. An emitter that uses
/// `tracing` itself gets a new packet.
pub(crate) fn with_packet<R>(use_it: impl FnOnce(&mut Packet) -> R) -> R {
    suppress_recording(|| lend(&PACKET, use_it))
}

/// Lends a body, to collect fields in before their record is locked.
pub(crate) fn with_body<R>(use_it: impl FnOnce(&mut Body) -> R) -> R {
    lend(&BODY, |body: &mut Body| {
        body.clear();
        use_it(body)
    })
}

/// Lends a buffer for text that a body will take.
pub(crate) fn with_buffer<R>(use_it: impl FnOnce(&mut Buffer) -> R) -> R {
    lend(&BUFFER, |buffer: &mut Buffer| {
        buffer.clear();
        use_it(buffer)
    })
}

/// The place of a thread's buffer; empty while the buffer is lent, and before its first use.
///
/// The place has no destructor, since each use of one that has looks for its state. The buffers are freed by [`AtEnd`].
type Own<T> = Cell<Option<ManuallyDrop<Box<T>>>>;

thread_local! {
    static PACKET: Own<Packet> = const { Cell::new(None) };
    static BODY: Own<Body> = const { Cell::new(None) };
    static BUFFER: Own<Buffer> = const { Cell::new(None) };
    /// Set while the buffers will be freed at the end of the thread.
    static ARE_KEPT: Cell<bool> = const { Cell::new(false) };
    static AT_END: AtEnd = const { AtEnd };
}

/// Frees a thread's buffers at its end.
struct AtEnd;

impl Drop for AtEnd {
    fn drop(&mut self) {
        let _ = ARE_KEPT.try_with(|are_kept| are_kept.set(false));
        drop(taken(&PACKET));
        drop(taken(&BODY));
        drop(taken(&BUFFER));
    }
}

#[inline]
fn taken<T>(own: &'static LocalKey<Own<T>>) -> Option<Box<T>> {
    own.try_with(Cell::take).ok().flatten().map(ManuallyDrop::into_inner)
}

/// Takes the buffer out of its place and puts it back, so that nothing is borrowed meanwhile.
///
/// After a panic there is a new buffer.
#[inline]
fn lend<T: Default, R>(own: &'static LocalKey<Own<T>>, use_it: impl FnOnce(&mut T) -> R) -> R {
    let mut lent = taken(own).unwrap_or_else(first);
    let result = use_it(&mut lent);
    if !ARE_KEPT.try_with(Cell::get).unwrap_or_default() {
        keep_first(own, lent);
    } else if let Ok(Some(former)) = own.try_with(|own| own.replace(Some(ManuallyDrop::new(lent)))) {
        give_up(ManuallyDrop::into_inner(former));
    }
    result
}

/// Keeps the first buffer of a thread. At the end of the thread it is freed.
#[cold]
#[inline(never)]
fn keep_first<T>(own: &'static LocalKey<Own<T>>, lent: Box<T>) {
    let keep = |_: &AtEnd| ARE_KEPT.try_with(|are_kept| are_kept.set(true)).is_ok();
    if AT_END.try_with(keep).unwrap_or_default() {
        let _ = own.try_with(|own| own.set(Some(ManuallyDrop::new(lent))));
    }
}

/// Drops a buffer that user code got meanwhile.
#[cold]
#[inline(never)]
fn give_up<T>(former: Box<T>) {
    drop(former);
}

#[cold]
#[inline(never)]
fn first<T: Default>() -> Box<T> {
    Box::default()
}
