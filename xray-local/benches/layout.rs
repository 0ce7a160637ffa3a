//! How long the layout of a map takes.
//!
//! ```sh
//! cargo bench -p xray-local --bench layout
//! ```

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it measures, and prints what it measured"
)]

use std::hint::black_box;
use std::time::Instant;

use xray_local::query::layout::lay_out;

fn main() {
    for (name, nodes, edges) in [
        ("sparse", 300, sparse(300, 400)),
        ("sparse", 1_000, sparse(1_000, 1_500)),
        ("at random", 300, random(300, 900)),
        ("one hub", 1_000, (1..1_000).map(|callee| (0, callee)).collect()),
        ("one ring", 300, (0..300).map(|node| (node, (node + 1) % 300)).collect()),
    ] {
        let mut times: Vec<f64> = (0..11)
            .map(|_| {
                let begun = Instant::now();
                black_box(lay_out(nodes, black_box(&edges)));
                begun.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!(
            "{:8.2} ms, at most {:8.2}  {nodes} nodes, {} edges, {name}",
            times[5],
            times[10],
            edges.len()
        );
    }
}

/// A map as real ones are: each node is called by one before it, a few by more, all within few layers.
fn sparse(nodes: usize, edges: usize) -> Vec<(usize, usize)> {
    let mut next = numbers();
    let mut made: Vec<(usize, usize)> = (1..nodes).map(|node| (next(node.div_ceil(3)), node)).collect();
    while made.len() < edges {
        let target = 1 + next(nodes - 1);
        made.push((next(target), target));
    }
    made
}

fn random(nodes: usize, edges: usize) -> Vec<(usize, usize)> {
    let mut next = numbers();
    (0..edges).map(|_| (next(nodes), next(nodes))).collect()
}

/// Numbers below a bound, the same in each run.
fn numbers() -> impl FnMut(usize) -> usize {
    let mut state = 7_u64;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % below.max(1) as u64) as usize
    }
}
