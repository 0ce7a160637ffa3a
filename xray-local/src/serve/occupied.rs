//! A port that is taken, and by whom where that can be found.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// An address that can't be listened at.
#[derive(Debug)]
pub struct Occupied {
    /// The command-line flag that sets the address.
    pub flag: &'static str,
    /// The address.
    pub address: SocketAddr,
    /// Error that the system reports.
    pub error: io::Error,
    /// The program that has the port, with its process id.
    pub by: Option<(String, u32)>,
}

impl Occupied {
    pub(super) fn new(flag: &'static str, address: SocketAddr, error: io::Error) -> Self {
        let by = (error.kind() == io::ErrorKind::AddrInUse)
            .then(|| holder(if flag == "--udp" { "udp" } else { "tcp" }, address.port()))
            .flatten();
        Self { flag, address, error, by }
    }
}

impl fmt::Display for Occupied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flag, address, error, by } = self;
        if error.kind() != io::ErrorKind::AddrInUse {
            return write!(
                f,
                "can't listen at {address}: {error}; another address is set with {flag} ADDRESS:PORT"
            );
        }
        let protocol = if *flag == "--udp" { "UDP" } else { "TCP" };
        write!(f, "{protocol} port {} of {} is taken", address.port(), address.ip())?;
        if let Some((name, id)) = by {
            write!(f, " by {name} (process {id})")?;
        }
        write!(f, "; another one is set with {flag} ADDRESS:PORT, port 0 takes a free one")
    }
}

impl std::error::Error for Occupied {}

/// The process that holds a port. Known on Linux, and there only of processes that may be looked into.
fn holder(protocol: &str, port: u16) -> Option<(String, u32)> {
    let sockets: Vec<String> = ["", "6"]
        .iter()
        .filter_map(|family| std::fs::read_to_string(format!("/proc/net/{protocol}{family}")).ok())
        .flat_map(|table| inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    let processes = std::fs::read_dir("/proc").ok()?;
    for process in processes.flatten() {
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let holds = files.flatten().any(|file| {
            std::fs::read_link(file.path())
                .is_ok_and(|link| sockets.iter().any(|socket| link.as_os_str() == &**socket))
        });
        if holds {
            let name = std::fs::read_to_string(process.path().join("comm")).ok()?;
            return Some((name.trim().to_owned(), id));
        }
    }
    None
}

/// The inodes of the sockets that are bound to a port, from a table of `/proc/net`.
fn inodes(table: &str, port: u16) -> Vec<String> {
    let wanted = format!(":{port:04X}");
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter(|columns| columns.get(1).is_some_and(|local| local.ends_with(&wanted)))
        .filter_map(|columns| columns.get(9).map(|inode| (*inode).to_owned()))
        .collect()
}
