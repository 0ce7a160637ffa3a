//! The law of the counters, read from `/metrics` of a daemon that runs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::daemon::Daemon;

/// The terms of the law, and what stands beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Law {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) rejected: u64,
    pub(crate) dropped: u64,
    pub(crate) spooled: u64,
    pub(crate) held: u64,
    pub(crate) kernel_dropped: u64,
    text: String,
}

impl Law {
    /// Reads the terms as of one moment, and asserts that the law holds at it.
    pub(crate) fn of(admin: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(admin).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let mut law = Self { text, ..Self::default() };
        law.received = law.sum("received_total");
        law.sent = law.sum("sent_total");
        law.rejected = law.sum("rejected_total");
        law.dropped = law.sum("dropped_total");
        law.spooled = law.sum("spooled");
        law.held = law.sum("held");
        law.kernel_dropped = law.sum("kernel_dropped_total");
        let accounted = law.sent + law.rejected + law.dropped + law.spooled + law.held;
        assert_eq!(law.received, accounted, "the law:\n{}", law.text);
        law
    }

    /// Waits until the terms are as they should be. The law holds at each look.
    pub(crate) fn wait(daemon: &Daemon, what: &str, is: impl Fn(&Self) -> bool) -> Self {
        let admin = daemon.admin();
        daemon.wait(what, || Some(Self::of(admin)).filter(|law| is(law)))
    }

    /// The value of one metric, with its label if it has one.
    pub(crate) fn value(&self, name: &str) -> f64 {
        let line = self.text.lines().find(|line| {
            line.strip_prefix("xray_daemon_")
                .is_some_and(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))
        });
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
    }

    fn sum(&self, name: &str) -> u64 {
        let values = self.text.lines().filter_map(|line| {
            let rest = line.strip_prefix("xray_daemon_")?.strip_prefix(name)?;
            let is_whole = rest.starts_with(' ') || rest.starts_with('{');
            is_whole.then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
        });
        values.sum::<f64>() as u64
    }
}
