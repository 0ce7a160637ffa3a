//! The receiver of the datagrams: a child process, so that its work is not counted as a contender's cost. The child
//! counts datagrams, or keeps them and judges them later by X-Ray's rules, as a daemon would do neither.
//!
//! ```text
//!  here                         child (`xray-bench sink ADDRESS [runs]`)
//!    ◄──────────────────────────  the address it listens on
//!   keep | mark  ─────────────►
//!    ◄──────────────────────────  `keep`: that it does; `mark`: what came since the last one
//! ```

use std::collections::HashSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use xray_sdk::local::{Severity, check};
use xray_sdk::receive::{DatagramBuffer, ReceiveSocket};

/// What came since the last time it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Datagrams, whatever is in them.
    pub datagrams: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Documents that X-Ray takes. Only if they were kept, as the next two.
    pub documents: u64,
    /// Segments and subsegments in those; one that is sent twice, begun and ended, counts once.
    pub spans: u64,
    /// Those of the spans that say `fault`.
    pub faults: u64,
    /// Datagrams that the kernel threw away, since the sink did not read fast enough.
    pub overflowed: u64,
    /// Why the first document that X-Ray refuses is refused; empty if there is none.
    pub refusal: String,
}

/// How the child reads its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Single datagrams from a default buffer, as AWS's daemon does.
    Single,
    /// What the sender sent in one call, as `xray-daemon` does (`UDP_GRO`), by the same room of the SDK.
    Runs,
}

/// The child process, ended when this is dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Receiver {
    /// Starts `binary`, which is this package's, as a sink that listens on `address` and reads single datagrams.
    ///
    /// # Errors
    /// If it does not start, or can't listen there.
    pub fn start(binary: &Path, address: &str) -> io::Result<Self> {
        Self::start_reading(Reading::Single, binary, address)
    }

    /// Starts `binary`, which is this package's, as a sink that listens on `address`.
    ///
    /// # Errors
    /// If it does not start, or can't listen there.
    pub fn start_reading(reading: Reading, binary: &Path, address: &str) -> io::Result<Self> {
        let mut child = Command::new(binary)
            .args(["sink", address])
            .args((reading == Reading::Runs).then_some("runs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(ask), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut answers = BufReader::new(answers);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let address = line.trim().parse().map_err(io::Error::other)?;
        Ok(Self { address, child, ask, answers })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has it keep and judge what comes next, until [`arrived`](Self::arrived).
    ///
    /// # Errors
    /// If the child is gone.
    pub fn keep(&mut self) -> io::Result<()> {
        writeln!(self.ask, "keep")?;
        // Not before it says so: what is sent at once would not be kept.
        self.answers.read_line(&mut String::new()).map(drop)
    }

    /// Waits until no more comes, and asks what did.
    ///
    /// # Errors
    /// If the child is gone.
    pub fn arrived(&mut self) -> io::Result<Arrived> {
        writeln!(self.ask, "mark")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let mut parts = line.trim_end().splitn(7, ' ');
        let refusal = parts.clone().nth(6).unwrap_or_default().to_owned();
        let mut next = || parts.next().and_then(|number| number.parse().ok()).unwrap_or_default();
        Ok(Arrived {
            datagrams: next(),
            bytes: next(),
            documents: next(),
            spans: next(),
            faults: next(),
            overflowed: next(),
            refusal,
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's side. The child ends when its parent has closed the pipe.
///
/// # Errors
/// If it can't listen on `address`, or its output is gone.
pub fn serve(address: &str, reading: Reading) -> io::Result<()> {
    let socket = Socket::bind(address, reading)?;
    let mut out = io::stdout();
    writeln!(out, "{}", socket.local_addr()?)?;
    let port = socket.local_addr()?.port();
    let state = Mutex::new(State::default());
    let mut overflowed_before = 0;
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        scope.spawn(|| socket.read(|datagram| lock().take(datagram)));
        for line in io::stdin().lock().lines() {
            match line?.as_str() {
                "keep" => {
                    lock().keep = true;
                    writeln!(out, "kept")?;
                }
                _ => {
                    settle(|| lock().arrived.datagrams);
                    let overflowed = overflowed(port);
                    let Arrived { datagrams, bytes, documents, spans, faults, refusal, .. } = lock().mark();
                    let lost = overflowed - overflowed_before;
                    overflowed_before = overflowed;
                    writeln!(out, "{datagrams} {bytes} {documents} {spans} {faults} {lost} {refusal}")?;
                }
            }
        }
        std::process::exit(0)
    })
}

enum Socket {
    Single(UdpSocket),
    Runs(ReceiveSocket),
}

impl Socket {
    fn bind(address: &str, reading: Reading) -> io::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "it receives")]
        match reading {
            Reading::Single => UdpSocket::bind(address).map(Self::Single),
            Reading::Runs => ReceiveSocket::bind(address).map(Self::Runs),
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Single(socket) => socket.local_addr(),
            Self::Runs(socket) => socket.local_addr(),
        }
    }

    fn read(&self, mut take: impl FnMut(&[u8])) {
        match self {
            Self::Single(socket) => {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(length) = socket.recv(&mut buffer) {
                    take(&buffer[..length]);
                }
            }
            Self::Runs(socket) => {
                let mut buffer = DatagramBuffer::new();
                while let Ok(datagrams) = socket.recv(&mut buffer) {
                    datagrams.for_each(&mut take);
                }
            }
        }
    }
}

/// What the kernel threw away of what came to `port`, as it says itself.
fn overflowed(port: u16) -> u64 {
    let port = format!(":{port:04X}");
    let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"]
        .map(|file| fs::read_to_string(file).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines());
    let ours =
        lines.filter(|line| line.split_whitespace().nth(1).is_some_and(|address| address.ends_with(&port)));
    ours.filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok()).sum()
}

/// Waits until a count stands still.
fn settle(count: impl Fn() -> u64) {
    let (mut last, mut since) = (count(), Instant::now());
    while since.elapsed() < Duration::from_millis(20) {
        thread::sleep(Duration::from_millis(2));
        let now = count();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
}

#[derive(Default)]
struct State {
    arrived: Arrived,
    keep: bool,
    kept: Vec<Vec<u8>>,
}

impl State {
    fn take(&mut self, datagram: &[u8]) {
        self.arrived.datagrams += 1;
        self.arrived.bytes += datagram.len() as u64;
        if self.keep {
            self.kept.push(datagram.to_vec());
        }
    }

    fn mark(&mut self) -> Arrived {
        let mut arrived = std::mem::take(&mut self.arrived);
        self.keep = false;
        let (mut spans, mut faults) = (HashSet::new(), HashSet::new());
        for datagram in self.kept.drain(..) {
            match judge(&datagram) {
                Ok(document) => {
                    arrived.documents += 1;
                    collect(&document, &mut spans, &mut faults);
                }
                Err(why) if arrived.refusal.is_empty() => arrived.refusal = why.replace('\n', " "),
                Err(_) => {}
            }
        }
        (arrived.spans, arrived.faults) = (spans.len() as u64, faults.len() as u64);
        arrived
    }
}

/// The document of a datagram, if the daemon reads its header line and X-Ray takes it; else why not.
fn judge(datagram: &[u8]) -> Result<Value, String> {
    let line_feed = datagram.iter().position(|&byte| byte == b'\n').ok_or("no header line")?;
    let (header, document) = (&datagram[..line_feed], &datagram[line_feed + 1..]);
    let header: Value = serde_json::from_slice(header).map_err(|err| err.to_string())?;
    if header["format"] != "json" || header["version"] != 1 {
        return Err("not the daemon's header line".to_owned());
    }
    match check(document).iter().find(|problem| problem.severity == Severity::Reject) {
        Some(problem) => Err(problem.to_string()),
        None => serde_json::from_slice(document).map_err(|err| err.to_string()),
    }
}

/// Ids of a document's spans, and of those that say `fault`.
fn collect(document: &Value, spans: &mut HashSet<String>, faults: &mut HashSet<String>) {
    let mut pending = vec![document];
    while let Some(span) = pending.pop() {
        let id = span["id"].as_str().unwrap_or_default();
        spans.insert(id.to_owned());
        if span["fault"] == true {
            faults.insert(id.to_owned());
        }
        pending.extend(span["subsegments"].as_array().into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"name":"shop","id":"70de5b6f19ff9a0a","trace_id":"1-66f1a2b3-0123456789abcdef01234567","start_time":1727112883.125,"#;

    fn datagram(rest: &str) -> Vec<u8> {
        format!("{{\"format\": \"json\", \"version\": 1}}\n{DOCUMENT}{rest}").into_bytes()
    }

    #[test]
    fn a_span_that_is_begun_and_ended_counts_once() {
        let mut state = State { keep: true, ..State::default() };
        state.take(&datagram(r#""in_progress":true}"#));
        state.take(&datagram(r#""end_time":1727112883.25,"fault":true}"#));
        let arrived = state.mark();
        assert_eq!((arrived.documents, arrived.spans, arrived.faults), (2, 1, 1), "{arrived:?}");
        assert_eq!(arrived.refusal, "");
    }

    #[test]
    fn a_refused_document_says_why() {
        let mut state = State { keep: true, ..State::default() };
        state.take(&datagram(r#""end_time":1727112883.25,"metadata":{"order":1}}"#));
        let arrived = state.mark();
        assert_eq!((arrived.datagrams, arrived.documents), (1, 0));
        assert!(arrived.refusal.contains("metadata"), "{arrived:?}");
    }
}
