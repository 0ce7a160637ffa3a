//! Drives a service: connections that each send one request after the other, as fast as they are answered or by a
//! timetable.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const REQUEST: &[u8] = b"GET /orders/7 HTTP/1.1\r\nhost: shop.example\r\n\r\n";

/// How long each of some requests took, in order of duration.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// What so many of a thousand requests did not exceed.
    pub(crate) fn quantile(&self, of_thousand: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * of_thousand / 1_000).copied().unwrap_or_default()
    }
}

/// So many requests, one after the other.
///
/// # Errors
/// If one fails.
pub(crate) fn requests(service: SocketAddr, count: usize) -> io::Result<()> {
    let mut connection = Connection::open(service)?;
    (0..count).try_for_each(|_| connection.request())
}

/// As many as the service answers in that time, over eight connections.
///
/// # Errors
/// If a request fails.
pub(crate) fn saturate(service: SocketAddr, time: Duration) -> io::Result<Latencies> {
    let end = Instant::now() + time;
    on_connections(service, |connection, _| {
        let mut latencies = Vec::new();
        while Instant::now() < end {
            let start = Instant::now();
            connection.request()?;
            latencies.push(start.elapsed());
        }
        Ok(latencies)
    })
}

/// So many requests a second for that time, over eight connections. A request's time begins when it is due, so that
/// a service that stalls does not hide those that wait for it.
///
/// # Errors
/// If a request fails.
pub(crate) fn paced(service: SocketAddr, rate: u32, time: Duration) -> io::Result<Latencies> {
    let (begin, period) = (Instant::now(), Duration::from_secs(1) / rate);
    let count = rate * time.as_millis() as u32 / 1_000;
    on_connections(service, |connection, first| {
        let mut latencies = Vec::new();
        for number in (first..count).step_by(CONNECTIONS as usize) {
            let due = begin + period * number;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            connection.request()?;
            latencies.push(due.elapsed());
        }
        Ok(latencies)
    })
}

const CONNECTIONS: u32 = 8;

fn on_connections(
    service: SocketAddr,
    work: impl Fn(&mut Connection, u32) -> io::Result<Vec<Duration>> + Sync,
) -> io::Result<Latencies> {
    let run = |number| work(&mut Connection::open(service)?, number);
    let parts: io::Result<Vec<Vec<Duration>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|number| scope.spawn(move || run(number))).collect();
        let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
        joined.map(|part| part.unwrap_or_else(|_| Err(io::Error::other("a driver panicked")))).collect()
    });
    let mut latencies = parts?.concat();
    latencies.sort_unstable();
    Ok(Latencies(latencies))
}

/// A connection that is kept for all its requests.
struct Connection {
    reader: BufReader<TcpStream>,
    line: String,
}

impl Connection {
    fn open(service: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(service)?;
        stream.set_nodelay(true)?;
        // A service under valgrind takes its time; one that hangs ends the measurement.
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { reader: BufReader::new(stream), line: String::new() })
    }

    fn request(&mut self) -> io::Result<()> {
        self.reader.get_mut().write_all(REQUEST)?;
        if !self.read_line()?.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(format!("the service answered {:?}", self.line)));
        }
        let mut body = 0;
        while self.read_line()? != "\r\n" {
            if let Some(length) = self.line.strip_prefix("content-length: ") {
                body = length.trim_end().parse().map_err(io::Error::other)?;
            }
        }
        io::copy(&mut self.reader.by_ref().take(body), &mut io::sink()).map(drop)
    }

    fn read_line(&mut self) -> io::Result<&str> {
        self.line.clear();
        match self.reader.read_line(&mut self.line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(&self.line),
        }
    }
}
