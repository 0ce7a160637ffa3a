//! The rooms in which threads meet without waiting for each other, in every order in which they can meet. loom replaces
//! std's locks and atomics, runs a model again for each order of steps and each value that a relaxed load may see, and
//! reports a deadlock, a lost wake-up or a failed assertion.
//!
//! The files are those of the crates, compiled here with other primitives: `queued/sync.rs` and `state/sync.rs` beside this
//! file take the place of the SDK's and the layer's. `cargo run -p xray-models` runs all models.

// The files bring unit tests, which are of std's primitives.
#![cfg(not(test))]

mod queued;
mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs a model in all its orders with at most so many preemptions.
fn explore(name: &str, preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 20_000;
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    report(name, orders.load(Ordering::Relaxed));
}

#[expect(clippy::print_stdout, reason = "a program talks to people")]
fn report(name: &str, orders: usize) {
    println!("{name}: holds in {orders} orders");
}

fn main() {
    queued::models::run();
    state::models::run();
}
