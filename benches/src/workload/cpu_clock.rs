//! CPU time of the calling thread and of the process, and how to let it pass.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Keeps the thread busy until `is_over`, asked after each `step`. Answers how long that was.
pub(crate) fn stay_awake(step: Duration, is_over: impl Fn() -> bool) -> Duration {
    let before = cpu_of_thread();
    loop {
        // What is asked about is not to be fought for all the time.
        let start = Instant::now();
        while start.elapsed() < step {
            spin_loop();
        }
        if is_over() {
            return cpu_of_thread().saturating_sub(before);
        }
    }
}

/// CPU time of the calling thread.
pub(crate) fn cpu_of_thread() -> Duration {
    cpu_of(ClockId::ThreadCPUTime)
}

/// CPU time of the whole process.
pub(crate) fn cpu_of_process() -> Duration {
    cpu_of(ClockId::ProcessCPUTime)
}

fn cpu_of(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
