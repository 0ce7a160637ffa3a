//! Scratch buffers of a thread: a packet to send, a body to collect fields in, a buffer for text.
//!
//! Each thread has one of each, so a span in steady state allocates nothing. User code that runs meanwhile
//! and needs the same buffer gets a new one.

use std::cell::RefCell;
use std::thread::LocalKey;

use xray_sdk::Packet;
use xray_sdk::document::internal::{Body, Buffer};

use crate::settings::reentrancy::suppress_recording;

/// Lends this thread's packet, to fill and to send. Recording is suppressed meanwhile. An emitter that uses
/// `tracing` itself gets a new packet.
pub(crate) fn with_packet<R>(use_it: impl FnOnce(&mut Packet) -> R) -> R {
    thread_local!(static PACKET: RefCell<Option<Packet>> = const { RefCell::new(None) });
    suppress_recording(|| lend(&PACKET, use_it))
}

/// Lends a body, to collect fields in before their record is locked.
pub(crate) fn with_body<R>(use_it: impl FnOnce(&mut Body) -> R) -> R {
    thread_local!(static BODY: RefCell<Option<Body>> = const { RefCell::new(None) });
    lend(&BODY, |body: &mut Body| {
        body.clear();
        use_it(body)
    })
}

/// Lends a buffer for text that a body will take.
pub(crate) fn with_buffer<R>(use_it: impl FnOnce(&mut Buffer) -> R) -> R {
    thread_local!(static BUFFER: RefCell<Option<Buffer>> = const { RefCell::new(None) });
    lend(&BUFFER, |buffer: &mut Buffer| {
        buffer.clear();
        use_it(buffer)
    })
}

/// The place of a thread's buffer.
type Own<T> = LocalKey<RefCell<Option<T>>>;

fn lend<T: Default, R>(own: &'static Own<T>, use_it: impl FnOnce(&mut T) -> R) -> R {
    // At the end of the thread it is gone.
    if own.try_with(|_| ()).is_err() {
        return use_it(&mut T::default());
    }
    own.with(|own| match own.try_borrow_mut() {
        Ok(mut own) => use_it(own.get_or_insert_default()),
        // Lent already.
        Err(_) => use_it(&mut T::default()),
    })
}
