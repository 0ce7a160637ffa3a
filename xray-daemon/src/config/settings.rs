//! The settings themselves, with everything resolved that needs no network.
//!
//! A plain value: no parsing and no defaults of the machine here. Every room takes what it needs from it at start.

use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;

/// Everything that the daemon can be asked for.
#[derive(Clone, Debug)]
pub struct Config {
    /// Bytes for documents in memory (`-m`, `TotalBufferSizeMB`).
    ///
    /// Defaults to 1 % of the memory that the process may use, at least 16 MB.
    pub buffer_memory: usize,
    /// The largest number of uploads at a time (`Concurrency`). Defaults to 8.
    pub concurrency: usize,
    /// The region, if flag or file name one (`-n`, `Region`).
    pub region: Option<String>,
    /// The endpoint of X-Ray's API, if the file names one (`Endpoint`).
    pub endpoint: Option<String>,
    /// The UDP address for documents (`-b`, `Socket.UDPAddress`).
    ///
    /// Defaults to `127.0.0.1:2000`.
    pub udp_address: String,
    /// The TCP address of the relay (`-t`, `Socket.TCPAddress`).
    ///
    /// Defaults to `127.0.0.1:2000`.
    pub tcp_address: String,
    /// The log's place and level.
    pub log: LogConfig,
    /// Don't ask for EC2 metadata (`-o`, `LocalMode`). Defaults to `false`.
    pub local_mode: bool,
    /// The ARN of the AWS resource that the daemon runs on (`-a`, `ResourceARN`).
    pub resource_arn: String,
    /// A role to assume before uploading (`-r`, `RoleARN`).
    pub role_arn: Option<String>,
    /// Don't verify the endpoint's certificate (`NoVerifySSL`). Defaults to `false`.
    pub no_verify_ssl: bool,
    /// The proxy for uploads (`-p`, `ProxyAddress`), `HTTPS_PROXY` if neither is there.
    pub proxy_address: Option<String>,
    /// The disk behind the memory (`--spool`, `XrayDaemon.Spool`). Defaults to none.
    pub spool: Option<SpoolConfig>,
    /// The receive buffer of the UDP socket in bytes (`XrayDaemon.ReceiveBufferKB`).
    ///
    /// Defaults to 8 MB.
    pub receive_buffer: usize,
    /// The limit of a shutdown (`--shutdown-seconds`, `XrayDaemon.ShutdownSeconds`).
    ///
    /// Defaults to 25 s.
    pub shutdown: Duration,
    /// The age at which a document in memory is dropped (`XrayDaemon.MaxAgeSeconds`).
    ///
    /// Defaults to 7 days.
    pub max_age: Duration,
    /// Paths that the relay forwards (`XrayDaemon.Relay.AllowPaths`).
    ///
    /// Empty, the default, means all.
    pub relay_allow_paths: Vec<String>,
    /// More names that a request to the relay may have as `Host` (`XrayDaemon.Relay.AllowHosts`).
    ///
    /// Beyond addresses and the names of this machine. Defaults to none.
    pub relay_allow_hosts: Vec<String>,
    /// The limit of a relayed request (`XrayDaemon.Relay.TimeoutSeconds`).
    ///
    /// Defaults to 5 s.
    pub relay_timeout: Duration,
    /// The largest body that the relay takes, in bytes (`XrayDaemon.Relay.MaxBodyKB`).
    ///
    /// Defaults to 1 MB.
    pub relay_max_body: usize,
    /// The HTTP address of metrics and health (`--admin`, `XrayDaemon.Admin`). Defaults to none.
    pub admin_address: Option<String>,
    /// The local socket of `xray-daemon health` (`XrayDaemon.HealthSocket`).
    ///
    /// Defaults to a name that follows from the UDP port.
    pub health_socket: Option<PathBuf>,
    /// Ask STS at start whose credentials are used (`XrayDaemon.CallerIdentity`).
    ///
    /// Defaults to `true`.
    pub caller_identity: bool,
    /// The environment, for those rooms that look at it.
    pub environment: Environment,
}

/// The log's place and level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// The least level that is logged (`-l`, `Logging.LogLevel`).
    ///
    /// Defaults to `prod`, which is `info`.
    pub level: LogLevel,
    /// The file (`-f`, `Logging.LogPath`). Defaults to standard output.
    pub path: Option<PathBuf>,
    /// `true` if the file is rotated at 50 MB (`Logging.LogRotation`).
    ///
    /// Defaults to `true`.
    pub rotation: bool,
}

/// Levels of the log, by their names in flag and file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// `dev`: everything.
    Trace,
    /// `debug`
    Debug,
    /// `info` and `prod`
    Info,
    /// `warn`
    Warn,
    /// `error`
    Error,
}

/// The disk behind the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolConfig {
    /// The directory (`--spool`, `XrayDaemon.Spool.Path`).
    pub path: PathBuf,
    /// The most bytes of documents on disk (`XrayDaemon.Spool.MaxMB`).
    ///
    /// Defaults to 512 MB.
    pub max_bytes: u64,
    /// The age at which a document on disk is dropped (`XrayDaemon.Spool.MaxAgeDays`).
    ///
    /// Defaults to 7 days.
    pub max_age: Duration,
}
