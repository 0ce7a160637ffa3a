//! An endpoint in plain threads, with moods: it counts documents and parses nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How the endpoint answers.
pub(crate) const FINE: u8 = 0;
pub(crate) const THROTTLING: u8 = 1;
pub(crate) const HANGING: u8 = 2;
pub(crate) const SLOW: u8 = 3;
pub(crate) const FAILING: u8 = 4;
/// The head and half of the body, then nothing.
pub(crate) const HALF: u8 = 5;
/// The connection ends without an answer.
pub(crate) const CUTTING: u8 = 6;

/// An endpoint in plain threads, which counts documents and parses nothing.
#[derive(Clone, Default)]
pub(crate) struct Endpoint {
    pub(crate) documents: Arc<AtomicU64>,
    pub(crate) calls: Arc<AtomicU64>,
    pub(crate) mood: Arc<AtomicU8>,
}

impl Endpoint {
    pub(crate) fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        self.serve(listener);
        url
    }

    pub(crate) fn serve(&self, listener: TcpListener) {
        let endpoint = self.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (endpoint, mut stream) = (endpoint.clone(), stream.unwrap());
                thread::spawn(move || while endpoint.answer(&mut stream).is_some() {});
            }
        });
    }

    pub(crate) fn answer(&self, stream: &mut std::net::TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        loop {
            let (mut length, mut uploads) = (0, false);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                uploads |= line.starts_with("POST /TraceSegments");
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().ok()?;
                }
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let mood = if uploads { self.mood.load(Ordering::SeqCst) } else { FINE };
            if uploads {
                self.calls.fetch_add(1, Ordering::SeqCst);
            }
            match mood {
                HANGING => thread::sleep(Duration::from_secs(600)),
                FAILING => {
                    stream
                        .write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}")
                        .ok()?;
                }
                HALF => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{\"Unprocessed").ok()?;
                    thread::sleep(Duration::from_secs(600));
                }
                CUTTING => return None,
                THROTTLING => {
                    stream
                        .write_all(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 2\r\n\r\n{}")
                        .ok()?;
                }
                _ => {
                    if mood == SLOW {
                        thread::sleep(Duration::from_millis(300));
                    }
                    let documents = memchr::memmem::find_iter(&body, b"\\\"trace_id\\\":").count();
                    self.documents.fetch_add(documents as u64, Ordering::SeqCst);
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").ok()?;
                }
            }
        }
    }

    pub(crate) fn documents(&self) -> u64 {
        self.documents.load(Ordering::SeqCst)
    }
}
