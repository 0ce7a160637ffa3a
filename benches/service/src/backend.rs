//! The backend of the service: an HTTP server that answers each request with the same body, and a sink for datagrams.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n42";

/// Starts the server. Its threads end with the process.
///
/// # Errors
/// If it has no port.
pub(crate) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    spawn(move || {
        for connection in listener.incoming().flatten() {
            spawn(move || drop(answer(&connection)));
        }
    });
    Ok(address)
}

/// Answers until the client closes the connection.
fn answer(connection: &TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let (mut requests, mut line) = (BufReader::new(connection), String::new());
    let mut connection = connection;
    while requests.read_line(&mut line)? > 0 {
        // An empty line ends a request; none has a body.
        if line == "\r\n" {
            connection.write_all(RESPONSE)?;
        }
        line.clear();
    }
    Ok(())
}

/// Starts the sink, which forgets what it reads.
///
/// # Errors
/// If it has no port.
pub(crate) fn sink() -> io::Result<SocketAddr> {
    #[expect(clippy::disallowed_methods, reason = "it receives")]
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let address = socket.local_addr()?;
    spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while socket.recv(&mut buffer).is_ok() {}
    });
    Ok(address)
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    #[expect(clippy::disallowed_methods, reason = "a program of its own")]
    drop(thread::spawn(work));
}
