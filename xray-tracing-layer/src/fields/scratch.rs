//! Buffers that a thread lends: a packet to send, a body to collect fields in, a buffer for a text on its way.
//!
//! Each thread has one of a kind, so that a span in steady state allocates nothing. User code that runs meanwhile and
//! comes back here gets a new one.

use std::cell::RefCell;
use std::thread::LocalKey;

use xray_sdk::Packet;
use xray_sdk::document::internal::{Body, Buffer};

use crate::settings::reentrancy::suppress_recording;

/// Lends this thread's packet, to fill and to send. What it is lent for a second time meanwhile, by an emitter
/// that uses `tracing` itself, gets a new one.
pub(crate) fn with_packet<R>(use_it: impl FnOnce(&mut Packet) -> R) -> R {
    thread_local!(static PACKET: RefCell<Option<Packet>> = const { RefCell::new(None) });
    suppress_recording(|| lend(&PACKET, use_it))
}

/// Lends a body to collect fields in before their record is locked.
pub(crate) fn with_body<R>(use_it: impl FnOnce(&mut Body) -> R) -> R {
    thread_local!(static BODY: RefCell<Option<Body>> = const { RefCell::new(None) });
    lend(&BODY, |body: &mut Body| {
        body.clear();
        use_it(body)
    })
}

/// Lends a buffer for text that is on its way into a body.
pub(crate) fn with_buffer<R>(use_it: impl FnOnce(&mut Buffer) -> R) -> R {
    thread_local!(static BUFFER: RefCell<Option<Buffer>> = const { RefCell::new(None) });
    lend(&BUFFER, |buffer: &mut Buffer| {
        buffer.clear();
        use_it(buffer)
    })
}

/// A thread's own of its kind.
type Own<T> = LocalKey<RefCell<Option<T>>>;

fn lend<T: Default, R>(own: &'static Own<T>, use_it: impl FnOnce(&mut T) -> R) -> R {
    match own.try_with(|own| own.try_borrow_mut().is_ok()) {
        Ok(true) => own.with_borrow_mut(|own| use_it(own.get_or_insert_default())),
        // Lent already, or gone: the thread is at its end.
        _ => use_it(&mut T::default()),
    }
}
