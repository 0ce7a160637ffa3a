//! Laws of the queue, in every order of threads.

use std::collections::VecDeque;
use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::arena::{Arena, Push};
use super::block::BLOCK;
use super::wakeup::Wakeup;
use crate::explore;

pub(crate) fn run() {
    explore(
        "each packet comes out once, and those of a thread in order",
        4,
        packets_come_out_once_and_in_order,
    );
    explore(
        "a closed arena has given out all that it took",
        2,
        a_closed_arena_has_given_out_all_that_it_took,
    );
    explore("a parked sender wakes for a packet", 6, a_parked_sender_wakes_for_a_packet);
    explore("a nap ends when the queue fills up", 6, a_nap_ends_when_the_queue_fills_up);
    explore("a flush returns after what was pushed before it", 6, a_flush_returns_after_what_was_pushed);
    explore("a sender that is told to stop ends", 6, a_sender_that_is_told_to_stop_ends);
}

/// All that waits, in the sender's order, with the blocks given back.
fn swept(arena: &Arena, close: bool) -> Vec<u8> {
    let mut blocks = VecDeque::new();
    arena.sweep(&mut blocks, close);
    let packets = blocks.iter().flat_map(|block| block.packets(0)).map(|packet| packet[0]).collect();
    blocks.into_iter().for_each(|block| arena.release(block));
    packets
}

/// Room for a few blocks, and the fewest shards.
fn arena() -> Arena {
    Arena::new(4 * BLOCK, 1)
}

/// One thread pushes three packets, another one packet, while the sender sweeps. The second is in the way of the first,
/// which climbs to another shard and comes down again. A packet that finds all shards taken is refused.
fn packets_come_out_once_and_in_order() {
    let arena = Arc::new(arena());
    let pushers = [&[10, 11, 12][..], &[20]].map(|packets| {
        let arena = Arc::clone(&arena);
        thread::spawn(move || {
            let taken = |number: &u8| matches!(arena.push(&[*number]), Push::Taken | Push::Sealed);
            packets.iter().copied().filter(taken).collect::<Vec<u8>>()
        })
    });
    let mut came = swept(&arena, false);
    let taken = pushers.map(|pusher| pusher.join().unwrap_or_default());
    came.extend(swept(&arena, false));
    for (first, taken) in [10, 20].into_iter().zip(taken) {
        let of_thread: Vec<u8> = came.iter().copied().filter(|packet| packet / 10 * 10 == first).collect();
        assert_eq!(of_thread, taken, "of {came:?}");
    }
}

/// The sender's last sweep closes: a packet is in it, or was refused.
fn a_closed_arena_has_given_out_all_that_it_took() {
    let arena = Arc::new(arena());
    let pusher = {
        let arena = Arc::clone(&arena);
        thread::spawn(move || {
            [1, 2].into_iter().filter(|number| arena.push(&[*number]) == Push::Taken).collect::<Vec<u8>>()
        })
    };
    let came = swept(&arena, true);
    assert_eq!(Some(came), pusher.join().ok());
    assert_eq!(arena.push(&[3]), Push::Closed);
}

/// The relaxed load in `after_push` is enough: no order of steps leaves a packet with a sender that sleeps.
fn a_parked_sender_wakes_for_a_packet() {
    let (arena, wakeup) = (Arc::new(arena()), Arc::new(Wakeup::default()));
    wakeup.introduce(thread::current());
    let pusher = {
        let (arena, wakeup) = (Arc::clone(&arena), Arc::clone(&wakeup));
        thread::spawn(move || {
            assert_ne!(arena.push(&[1]), Push::Closed);
            wakeup.after_push();
        })
    };
    let mut blocks = VecDeque::new();
    while arena.taken() == 0 || blocks.is_empty() {
        wakeup.park(|| {
            arena.sweep(&mut blocks, false);
            blocks.is_empty()
        });
    }
    assert!(pusher.join().is_ok());
}

/// The fences in `nap` and `cut_nap` are enough, whether the sender begins to nap before or after a block is full.
fn a_nap_ends_when_the_queue_fills_up() {
    let (arena, wakeup) = (Arc::new(arena()), Arc::new(Wakeup::default()));
    wakeup.introduce(thread::current());
    let pusher = {
        let (arena, wakeup) = (Arc::clone(&arena), Arc::clone(&wakeup));
        thread::spawn(move || {
            let pushes = [(); 2].map(|()| arena.push(&[1; BLOCK]));
            assert_eq!(pushes, [Push::Taken, Push::Sealed]);
            assert!(arena.is_crowded());
            wakeup.cut_nap();
        })
    };
    wakeup.nap(LONG, || arena.is_crowded());
    assert!(pusher.join().is_ok());
}

/// The sender's loop: what was asked is read before the sweep, and answered after it. A nap after a wake-up is a step in which
/// others go on.
fn sender(arena: &Arena, wakeup: &Wakeup, gone: &AtomicUsize) -> Vec<u8> {
    let (mut sent, mut answered) = (Vec::new(), 0);
    loop {
        let (asked, stopping) = (wakeup.asked(), wakeup.is_stopping());
        sent.extend(swept(arena, stopping));
        gone.store(sent.len(), Ordering::Relaxed);
        if asked != answered {
            wakeup.answer(asked);
            answered = asked;
        }
        if stopping {
            break;
        }
        wakeup.park(|| {
            sent.extend(swept(arena, false));
            sent.is_empty() || wakeup.asked() == answered
        });
        if wakeup.asked() == answered && !wakeup.is_stopping() {
            wakeup.nap(LONG, || arena.is_crowded());
        }
    }
    wakeup.end();
    sent
}

fn a_flush_returns_after_what_was_pushed() {
    let (arena, wakeup, gone) =
        (Arc::new(arena()), Arc::new(Wakeup::default()), Arc::new(AtomicUsize::new(0)));
    wakeup.introduce(thread::current());
    let user = {
        let (arena, wakeup, gone) = (Arc::clone(&arena), Arc::clone(&wakeup), Arc::clone(&gone));
        thread::spawn(move || {
            let taken = arena.push(&[1]) == Push::Taken;
            wakeup.after_push();
            assert!(wakeup.flush(LONG));
            assert_eq!(gone.load(Ordering::Relaxed), usize::from(taken), "flushed, and still there");
            assert!(wakeup.stop(LONG));
        })
    };
    sender(&arena, &wakeup, &gone);
    assert!(user.join().is_ok());
}

fn a_sender_that_is_told_to_stop_ends() {
    let (arena, wakeup) = (Arc::new(arena()), Arc::new(Wakeup::default()));
    wakeup.introduce(thread::current());
    let user = {
        let (arena, wakeup) = (Arc::clone(&arena), Arc::clone(&wakeup));
        thread::spawn(move || {
            let taken = arena.push(&[1]) == Push::Taken;
            wakeup.after_push();
            assert!(wakeup.stop(LONG));
            assert_eq!(arena.push(&[2]), Push::Closed);
            taken
        })
    };
    let sent = sender(&arena, &wakeup, &AtomicUsize::new(0));
    assert_eq!(user.join().ok(), Some(sent == [1]));
}

/// loom's waits have no limit, and its clock is the machine's.
pub(super) const LONG: Duration = Duration::from_secs(86_400);
