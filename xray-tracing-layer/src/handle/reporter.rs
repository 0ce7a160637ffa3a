//! The thread that prints new diagnostics, for those who ask for it.
//!
//! The thread keeps no layer alive: it ends when the layer is dropped. The only place where the crate prints.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::handle::diagnose::diagnose;
use crate::handle::diagnostic::Diagnostic;
use crate::lifecycle::core::Core;

/// Starts the thread. Returns a sentence if there can be none.
pub(crate) fn start(core: &Arc<Core>, interval: Duration, end: Receiver<()>) -> Result<(), String> {
    let core = Arc::downgrade(core);
    let run = move || report(&core, interval.max(SHORTEST), &end);
    let spawned = std::thread::Builder::new().name("xray-problems".to_owned()).spawn(run);
    spawned.map(drop).map_err(|err| format!("problems are not reported: no thread ({err})"))
}

fn report(core: &Weak<Core>, interval: Duration, end: &Receiver<()>) {
    let mut known = Vec::new();
    while end.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
        let Some(core) = core.upgrade() else { return };
        let found = diagnose(&core);
        drop(core);
        for new in take_new(&mut known, found) {
            print(&new);
        }
    }
}

/// Returns what was not found before. A problem that is gone, and comes again, is new.
fn take_new(known: &mut Vec<Diagnostic>, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let former = std::mem::replace(known, found);
    known.iter().filter(|new| !former.iter().any(|old| old.is_like(new))).cloned().collect()
}

#[expect(clippy::print_stderr, reason = "the user asked for these lines")]
fn print(problem: &Diagnostic) {
    eprintln!("X-Ray: {problem}");
}

/// The shortest interval. A diagnosis takes a thread and locks each open span once.
const SHORTEST: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_new_once_whatever_its_numbers() {
        let mut known = Vec::new();
        let (one, more) = (Diagnostic::ContextMissing(1), Diagnostic::ContextMissing(2));
        let (bad, worse) = (Diagnostic::Config("bad".to_owned()), Diagnostic::Config("worse".to_owned()));
        assert_eq!(take_new(&mut known, vec![one.clone(), bad.clone()]), [one, bad.clone()]);
        assert_eq!(take_new(&mut known, vec![more.clone(), bad.clone(), worse.clone()]), [worse]);
        assert_eq!(take_new(&mut known, vec![bad]), []);
        assert_eq!(take_new(&mut known, vec![more.clone()]), [more]);
    }
}
