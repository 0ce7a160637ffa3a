//! [`System`]: the clock, the resolver and the threads of the emitter. Tests put their own in its
//! place, so that an hour passes at once and a name can move.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

pub(in crate::daemon) trait System: Send + Sync {
    /// Time since some fixed moment; never goes back.
    fn now(&self) -> Duration;

    /// Looks a host up. May take as long as it likes.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    /// Does a job on another thread. `false`, and the job is gone, when there can be none.
    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool;

    /// Lets other threads that wait for this core run first.
    fn make_way(&self) {
        std::thread::yield_now();
    }

    /// Does the system call for a run of datagrams. A kernel that refuses it is hard to come by in a test.
    #[cfg(all(feature = "queued-emitter", any(target_os = "linux", target_os = "android")))]
    fn send_gso(&self, call: &dyn Fn() -> io::Result<()>) -> io::Result<()> {
        call()
    }

    /// Returns the error that a datagram is refused with, in the kernel's place: no test can break a socket.
    #[cfg(test)]
    fn refusal(&self, _datagram: &[u8]) -> Option<io::Error> {
        None
    }
}

/// The real clock, resolver and threads.
pub(in crate::daemon) struct RealSystem {
    start: Instant,
}

impl RealSystem {
    pub(in crate::daemon) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl System for RealSystem {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }

    fn spawn(&self, job: Box<dyn FnOnce() + Send>) -> bool {
        std::thread::Builder::new().name("xray-resolve".to_owned()).spawn(job).is_ok()
    }
}
