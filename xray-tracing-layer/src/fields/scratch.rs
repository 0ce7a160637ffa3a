//! Scratch buffers of a thread: a packet to send, a body to collect fields in, a buffer for text.
//!
//! Each thread has one of each, so a span in steady state allocates nothing. User code that runs meanwhile
//! and needs the same buffer gets a new one.

use std::cell::Cell;
use std::thread::LocalKey;

use xray_sdk::Packet;
use xray_sdk::document::internal::{Body, Buffer};

use crate::settings::reentrancy::suppress_recording;

/// Lends this thread's packet, to fill and to send. Recording is suppressed meanwhile. An emitter that uses
/// `tracing` itself gets a new packet.
pub(crate) fn with_packet<R>(use_it: impl FnOnce(&mut Packet) -> R) -> R {
    thread_local!(static PACKET: Own<Packet> = const { Cell::new(None) });
    suppress_recording(|| lend(&PACKET, use_it))
}

/// Lends a body, to collect fields in before their record is locked.
pub(crate) fn with_body<R>(use_it: impl FnOnce(&mut Body) -> R) -> R {
    thread_local!(static BODY: Own<Body> = const { Cell::new(None) });
    lend(&BODY, |body: &mut Body| {
        body.clear();
        use_it(body)
    })
}

/// Lends a buffer for text that a body will take.
pub(crate) fn with_buffer<R>(use_it: impl FnOnce(&mut Buffer) -> R) -> R {
    thread_local!(static BUFFER: Own<Buffer> = const { Cell::new(None) });
    lend(&BUFFER, |buffer: &mut Buffer| {
        buffer.clear();
        use_it(buffer)
    })
}

/// The place of a thread's buffer; empty while the buffer is lent, and before its first use.
type Own<T> = Cell<Option<Box<T>>>;

/// Takes the buffer out of its place and puts it back, so that nothing is borrowed meanwhile. At the end of the thread
/// there is no place, and after a panic a new buffer.
#[inline]
fn lend<T: Default, R>(own: &'static LocalKey<Own<T>>, use_it: impl FnOnce(&mut T) -> R) -> R {
    let mut lent = own.try_with(Cell::take).ok().flatten().unwrap_or_else(first);
    let result = use_it(&mut lent);
    if let Ok(Some(former)) = own.try_with(|own| own.replace(Some(lent))) {
        give_up(former);
    }
    result
}

/// Drops a buffer that user code got meanwhile.
#[cold]
#[inline(never)]
fn give_up<T>(former: Box<T>) {
    drop(former);
}

#[cold]
fn first<T: Default>() -> Box<T> {
    Box::default()
}
