//! The local socket behind `xray-daemon health`, for images without a shell.
//!
//! On Linux the socket has an abstract name, so that neither a directory nor a permission is needed; on other Unix
//! systems it is a file. Elsewhere there is none, and the admin address is the way to ask.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The socket's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthSocket {
    /// A name that is no file, on Linux.
    Abstract(String),
    /// A file.
    File(PathBuf),
}

impl HealthSocket {
    /// The configured file, or a place that follows from the UDP address's port.
    ///
    /// The host of the address makes no difference: an image binds to `0.0.0.0:2000` by its entry point, and
    /// `xray-daemon health` without arguments still finds that daemon.
    #[must_use]
    pub fn new(configured: Option<&Path>, udp_address: &str) -> Self {
        let port = udp_address.rsplit(':').next().unwrap_or(udp_address);
        let name = format!("xray-daemon-health-{port}");
        match configured {
            Some(path) => Self::File(path.to_owned()),
            None if cfg!(target_os = "linux") => Self::Abstract(name),
            None => Self::File(std::env::temp_dir().join(name)),
        }
    }
}

impl std::fmt::Display for HealthSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Abstract(name) => write!(f, "@{name}"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// The longest that a question and its answer may take.
pub const LIMIT: Duration = Duration::from_secs(2);

#[cfg(unix)]
pub use unix::{HealthServer, ask};

#[cfg(unix)]
mod unix {
    use std::io::{self, BufRead, BufReader, Write};
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::net::{SocketAddr, UnixListener as StdListener, UnixStream as StdStream};
    use std::path::PathBuf;

    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::time::timeout;

    use super::{HealthSocket, LIMIT};
    use crate::report::health::Health;

    /// Answers the questions of `xray-daemon health`.
    #[derive(Debug)]
    pub struct HealthServer {
        listener: UnixListener,
        file: Option<PathBuf>,
    }

    impl HealthServer {
        /// Opens the socket.
        ///
        /// A socket that no daemon listens at any more is replaced; any other file is left alone.
        ///
        /// # Errors
        ///
        /// If the name is taken, or the file can't be made.
        pub fn bind(socket: &HealthSocket) -> io::Result<Self> {
            if let HealthSocket::File(path) = socket
                && std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
                && StdStream::connect(path).is_err()
            {
                std::fs::remove_file(path)?;
            }
            let listener = StdListener::bind_addr(&address(socket)?)?;
            listener.set_nonblocking(true)?;
            let file = match socket {
                HealthSocket::File(path) => Some(path.clone()),
                HealthSocket::Abstract(_) => None,
            };
            Ok(Self { listener: UnixListener::from_std(listener)?, file })
        }

        /// Answers until `stop` is ready, one after the other.
        pub async fn serve(self, health: Health, stop: impl Future<Output = ()>) {
            let mut stop = std::pin::pin!(stop);
            loop {
                tokio::select! {
                    () = &mut stop => break,
                    accepted = self.listener.accept() => match accepted {
                        // An asker that goes away or says nothing is no concern of the daemon's.
                        Ok((stream, _)) => drop(timeout(LIMIT, answer(stream, &health)).await),
                        Err(_) => tokio::time::sleep(LIMIT / 10).await,
                    },
                }
            }
            if let Some(file) = self.file {
                let _ = std::fs::remove_file(file);
            }
        }
    }

    async fn answer(mut stream: UnixStream, health: &Health) -> io::Result<()> {
        let (reading, mut writing) = stream.split();
        let mut question = String::new();
        tokio::io::BufReader::new(reading.take(64)).read_line(&mut question).await?;
        let (is_good, line) = health.verdict(question.trim() == "ready");
        let sign = if is_good { '+' } else { '-' };
        writing.write_all(format!("{sign}{line}\n").as_bytes()).await
    }

    /// Asks a daemon on this machine: whether it is well, and its own words.
    ///
    /// # Errors
    ///
    /// If no daemon listens at the socket, or it does not answer within [`LIMIT`].
    pub fn ask(socket: &HealthSocket, of_readiness: bool) -> io::Result<(bool, String)> {
        let mut stream = StdStream::connect_addr(&address(socket)?)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        stream.write_all(if of_readiness { b"ready\n" } else { b"health\n" })?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        let line = line.trim_end();
        match line.split_at_checked(1) {
            Some((sign @ ("+" | "-"), words)) => Ok((sign == "+", words.to_owned())),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "no answer of a daemon's")),
        }
    }

    fn address(socket: &HealthSocket) -> io::Result<SocketAddr> {
        match socket {
            HealthSocket::File(path) => SocketAddr::from_pathname(path),
            HealthSocket::Abstract(name) => abstract_address(name),
        }
    }

    #[cfg(target_os = "linux")]
    fn abstract_address(name: &str) -> io::Result<SocketAddr> {
        use std::os::linux::net::SocketAddrExt;
        SocketAddr::from_abstract_name(name.as_bytes())
    }

    #[cfg(not(target_os = "linux"))]
    fn abstract_address(_: &str) -> io::Result<SocketAddr> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    use super::HealthSocket;

    /// Reports that there is no such socket on this system.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn ask(_: &HealthSocket, _: bool) -> io::Result<(bool, String)> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "no local socket on this system: ask /healthz of --admin",
        ))
    }
}

#[cfg(not(unix))]
pub use elsewhere::ask;
