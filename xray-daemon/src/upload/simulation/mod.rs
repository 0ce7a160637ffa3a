//! The engine through ten thousand invented lives, by a seed and a clock of their own.
//!
//! An endpoint fails in every way, a disk fails too, memory is full, processes crash and stop. After each step the law
//! holds, sizes are within their bounds and no call is made that should not be. At the end each document was accepted,
//! refused, or is among those counted as dropped. `SEED=n` repeats one life.

mod endpoint;

mod life;

mod weather;

use life::Life;

fn lives(seeds: std::ops::Range<u64>) -> (u64, u64) {
    let (mut pushed, mut dropped) = (0, 0);
    for seed in seeds {
        let mut life = Life::new(seed);
        life.live();
        pushed += life.pushed;
        dropped += life.counts().dropped.total();
    }
    (pushed, dropped)
}

#[test]
fn ten_thousand_lives_obey_the_law() {
    if let Some(seed) =
        std::env::vars().find_map(|(name, value)| (name == "SEED").then(|| value.parse().ok())?)
    {
        lives(seed..seed + 1);
        return;
    }
    let threads: Vec<_> = (0..4u64)
        .map(|part| {
            std::thread::Builder::new().spawn(move || lives(part * 2_500..(part + 1) * 2_500)).unwrap()
        })
        .collect();
    let (mut pushed, mut dropped) = (0, 0);
    for thread in threads {
        let (more, gone) = thread.join().unwrap();
        pushed += more;
        dropped += gone;
    }
    // The lives are eventful, but not hopeless.
    assert!(pushed > 300_000 && dropped > 1_000 && dropped < pushed / 2, "{dropped} of {pushed}");
}
