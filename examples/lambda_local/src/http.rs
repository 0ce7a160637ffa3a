//! The part of HTTP/1.1 that the Runtime API needs: a request with a body of known length or in chunks, and a
//! response. No routes here.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    /// Whether the response is streamed, as the runtime says in a header.
    pub(crate) streaming: bool,
    /// Whether a stream broke off, as the runtime says at its end.
    pub(crate) broke_off: bool,
}

/// A connection that the function keeps open for one request after another.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// The next request; `None` when the function hangs up.
    pub(crate) fn request(&mut self) -> io::Result<Option<Request>> {
        let line = self.line()?;
        let mut words = line.split(' ');
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
        let (method, path) = (method.to_owned(), path.to_owned());
        let (mut length, mut chunked, mut streaming) = (0, false, false);
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or_default(),
                "transfer-encoding" => chunked = value.trim().eq_ignore_ascii_case("chunked"),
                "lambda-runtime-function-response-mode" => {
                    streaming = value.trim().eq_ignore_ascii_case("streaming");
                }
                _ => {}
            }
        }
        let (body, broke_off) = if chunked { self.chunks()? } else { (self.bytes(length)?, false) };
        Ok(Some(Request { method, path, body, streaming, broke_off }))
    }

    pub(crate) fn respond(&mut self, status: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        let mut response = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len()).into_bytes();
        for (name, value) in headers {
            response.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        response.extend_from_slice(b"\r\n");
        response.extend_from_slice(body);
        self.stream.get_mut().write_all(&response)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    fn bytes(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The body, and whether an error ended it.
    fn chunks(&mut self) -> io::Result<(Vec<u8>, bool)> {
        let (mut body, mut broke_off) = (Vec::new(), false);
        loop {
            let length = usize::from_str_radix(&self.line()?, 16).unwrap_or_default();
            if length == 0 {
                // Trailers, up to an empty line.
                while !self.line()?.is_empty() {}
                return Ok((body, broke_off));
            }
            let mut chunk = self.bytes(length)?;
            // `lambda_runtime` writes the trailers of a stream that broke off as its last chunk.
            if chunk.starts_with(b"Lambda-Runtime-Function-Error-Type:") {
                broke_off = true;
            } else {
                body.append(&mut chunk);
            }
            self.line()?;
        }
    }
}
