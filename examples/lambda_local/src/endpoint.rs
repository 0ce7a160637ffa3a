//! The receiver of the function's documents, at the address in `AWS_XRAY_DAEMON_ADDRESS`.
//!
//! The socket is not emptied by a thread but at each question, so that the answer is what had arrived at that moment.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use serde_json::Value;
use xray_sdk::Packet;
use xray_sdk::local::{Collector, check};

pub(crate) struct Endpoint {
    socket: UdpSocket,
    /// Datagrams that nothing has looked into.
    taken: Vec<Vec<u8>>,
    /// Documents that were not asked for yet, by trace.
    waiting: HashMap<String, Vec<Value>>,
    problems: Vec<String>,
    datagrams: usize,
}

impl Endpoint {
    #[expect(clippy::disallowed_methods, reason = "this stands in for Lambda's daemon")]
    pub(crate) fn bind(port: u16) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, taken: Vec::new(), waiting: HashMap::new(), problems: Vec::new(), datagrams: 0 })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes what has arrived, as fast as it may come.
    pub(crate) fn drain(&mut self) {
        let mut buffer = [0; 65_536];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            self.taken.push(buffer[..length].to_vec());
        }
    }

    /// Takes what has arrived, looks into it, and shows it to the collector.
    pub(crate) fn receive(&mut self, collector: &Collector) {
        self.drain();
        let taken = std::mem::take(&mut self.taken);
        self.datagrams += taken.len();
        for burst in taken.chunks(BURST) {
            let mut before = 0;
            collector.wait_for(Duration::ZERO, |received| {
                before = received.datagrams();
                true
            });
            for datagram in burst {
                let _ = self.socket.send_to(datagram, collector.address());
            }
            collector.wait_for(PATIENCE, |received| received.datagrams() >= before + burst.len());
        }
        for datagram in &taken {
            let Some(document) = datagram.strip_prefix(Packet::HEADER.as_bytes()) else {
                self.problems.push("a datagram without a header line".to_owned());
                continue;
            };
            self.problems.extend(check(document).iter().map(ToString::to_string));
            let document: Value = serde_json::from_slice(document).unwrap_or_default();
            let trace = document["trace_id"].as_str().unwrap_or_default().to_owned();
            self.waiting.entry(trace).or_default().push(document);
        }
    }

    /// Returns the documents of a trace that came and were not taken before.
    pub(crate) fn take(&mut self, trace: &str) -> Vec<Value> {
        self.waiting.remove(trace).unwrap_or_default()
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        self.problems.clone()
    }

    pub(crate) fn datagrams(&self) -> usize {
        self.datagrams
    }
}

/// The most datagrams that are shown to the collector at once: its socket has room for some hundred.
const BURST: usize = 64;

/// How long the collector may take for a burst.
const PATIENCE: Duration = Duration::from_secs(1);
