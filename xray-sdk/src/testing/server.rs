//! An HTTP server on the loopback interface that answers as a test says: well, badly, slowly or never.
//!
//! Enough HTTP for the clients of this workspace and no more. The tests of both crates use it.

#![expect(clippy::unwrap_used, reason = "a test's double: a panic is how it reports")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A client's request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The response to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status and a body.
    Http(u16, String),
    /// Bytes that need not be HTTP.
    Raw(Vec<u8>),
    /// The head at once, then a byte of the body every 100 ms.
    Trickle(String),
    /// Nothing, on a connection that stays open.
    Never,
    /// Nothing, on a connection that ends.
    HangUp,
}

pub struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Server {
    pub fn start(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::<AtomicBool>::default();
        let answer = Arc::new(Mutex::new(answer));
        let serve = {
            let stopped = Arc::clone(&stopped);
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if stopped.load(Ordering::Acquire) {
                        return;
                    }
                    let (answer, stopped) = (Arc::clone(&answer), Arc::clone(&stopped));
                    let exchange = move || {
                        if let Some(request) = read(&stream) {
                            let reply = (answer.lock().unwrap())(&request);
                            let _ = write(stream, reply, &stopped);
                        }
                    };
                    thread::Builder::new().spawn(exchange).unwrap();
                }
            }
        };
        thread::Builder::new().spawn(serve).unwrap();
        Self { address, stopped }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        let _ = TcpStream::connect(self.address);
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, path, headers, body: String::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

fn write(mut stream: TcpStream, reply: Reply, stopped: &AtomicBool) -> std::io::Result<()> {
    match reply {
        Reply::Http(status, body) => {
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all((head + &body).as_bytes())
        }
        Reply::Raw(bytes) => stream.write_all(&bytes),
        Reply::Trickle(body) => {
            let length = body.len();
            write!(stream, "HTTP/1.1 200 X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
            for byte in body.bytes() {
                thread::sleep(Duration::from_millis(100));
                if stopped.load(Ordering::Acquire) {
                    break;
                }
                stream.write_all(&[byte])?;
            }
            Ok(())
        }
        Reply::Never => {
            while !stopped.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        Reply::HangUp => Ok(()),
    }
}
