//! Every setting: its flags, its key in the file, its line of help, its place in a layer.
//!
//! Flags, file, help and `config check` all go by this table. Settings of AWS's daemon come first and have its names;
//! a setting of ours has a long flag only, and a key below `XrayDaemon`.

use super::layer::{Layer, Slot};

/// One setting.
pub(super) struct Setting {
    /// The one-letter flag; only those of AWS's daemon have one.
    pub(super) short: Option<&'static str>,
    /// The long flag, unless the setting is in the file alone.
    pub(super) long: Option<&'static str>,
    /// The path of the key in the file.
    pub(super) key: &'static str,
    /// A line of help.
    pub(super) help: &'static str,
    /// The setting's place in a layer.
    pub(super) slot: fn(&mut Layer) -> Slot<'_>,
}

/// The settings, in the order of the help.
pub(super) const SETTINGS: &[Setting] = &[
    original(
        "a",
        "resource-arn",
        "ResourceARN",
        "ARN of the AWS resource that the daemon runs on, for telemetry.",
        |l| Slot::Text(&mut l.resource_arn),
    ),
    original("o", "local-mode", "LocalMode", "Do not ask for EC2 metadata.", |l| {
        Slot::Switch(&mut l.local_mode)
    }),
    original(
        "m",
        "buffer-memory",
        "TotalBufferSizeMB",
        "Memory for documents in MB, at least 3; 0 takes 1 % of the machine's.",
        |l| Slot::Number(&mut l.buffer_memory_mb),
    ),
    original("n", "region", "Region", "Region of X-Ray.", |l| Slot::Text(&mut l.region)),
    original("b", "bind", "Socket.UDPAddress", "UDP address for documents (127.0.0.1:2000).", |l| {
        Slot::Text(&mut l.udp_address)
    }),
    original("t", "bind-tcp", "Socket.TCPAddress", "TCP address for sampling rules (127.0.0.1:2000).", |l| {
        Slot::Text(&mut l.tcp_address)
    }),
    original("r", "role-arn", "RoleARN", "IAM role to assume, for uploads to another account.", |l| {
        Slot::Text(&mut l.role_arn)
    }),
    original("f", "log-file", "Logging.LogPath", "File for the log (standard output).", |l| {
        Slot::Text(&mut l.log_path)
    }),
    original(
        "l",
        "log-level",
        "Logging.LogLevel",
        "Least level of the log: dev, debug, info, warn, error, prod (prod).",
        |l| Slot::Text(&mut l.log_level),
    ),
    original("p", "proxy-address", "ProxyAddress", "Proxy for uploads (HTTPS_PROXY).", |l| {
        Slot::Text(&mut l.proxy_address)
    }),
    ours("endpoint", "Endpoint", "Endpoint of X-Ray's API (by region).", |l| Slot::Text(&mut l.endpoint)),
    ours("concurrency", "Concurrency", "Most uploads at a time (8).", |l| Slot::Number(&mut l.concurrency)),
    ours("no-verify-ssl", "NoVerifySSL", "Do not verify the endpoint's certificate.", |l| {
        Slot::Switch(&mut l.no_verify_ssl)
    }),
    in_file("Logging.LogRotation", |l| Slot::Switch(&mut l.log_rotation)),
    ours("spool", "XrayDaemon.Spool.Path", "Directory for what memory can't hold (none).", |l| {
        Slot::Text(&mut l.spool_path)
    }),
    ours("spool-max-mb", "XrayDaemon.Spool.MaxMB", "Most MB on disk (512).", |l| {
        Slot::Number(&mut l.spool_max_mb)
    }),
    ours("spool-max-age-days", "XrayDaemon.Spool.MaxAgeDays", "Most days on disk (7).", |l| {
        Slot::Number(&mut l.spool_max_age_days)
    }),
    ours(
        "receive-buffer-kb",
        "XrayDaemon.ReceiveBufferKB",
        "Receive buffer of the UDP socket in KB (8192).",
        |l| Slot::Number(&mut l.receive_buffer_kb),
    ),
    ours("max-age-seconds", "XrayDaemon.MaxAgeSeconds", "Most seconds in memory (604800, 7 days).", |l| {
        Slot::Number(&mut l.max_age_seconds)
    }),
    ours("shutdown-seconds", "XrayDaemon.ShutdownSeconds", "Most seconds that a shutdown takes (25).", |l| {
        Slot::Number(&mut l.shutdown_seconds)
    }),
    ours("admin", "XrayDaemon.Admin", "HTTP address of /metrics, /healthz and /readyz (none).", |l| {
        Slot::Text(&mut l.admin)
    }),
    ours("health-socket", "XrayDaemon.HealthSocket", "Local socket for `xray-daemon health`.", |l| {
        Slot::Text(&mut l.health_socket)
    }),
    ours(
        "caller-identity",
        "XrayDaemon.CallerIdentity",
        "Ask STS at start whose credentials these are (true).",
        |l| Slot::Switch(&mut l.caller_identity),
    ),
    ours(
        "allow-path",
        "XrayDaemon.Relay.AllowPaths",
        "Path that the relay forwards, repeatable (all).",
        |l| Slot::List(&mut l.allow_paths),
    ),
    ours("allow-host", "XrayDaemon.Relay.AllowHosts", "Host name that the relay accepts, repeatable.", |l| {
        Slot::List(&mut l.allow_hosts)
    }),
    ours(
        "relay-timeout-seconds",
        "XrayDaemon.Relay.TimeoutSeconds",
        "Most seconds for a relayed request (5).",
        |l| Slot::Number(&mut l.relay_timeout_seconds),
    ),
    ours(
        "relay-max-body-kb",
        "XrayDaemon.Relay.MaxBodyKB",
        "Largest body of a relayed request in KB (1024).",
        |l| Slot::Number(&mut l.relay_max_body_kb),
    ),
];

const fn original(
    short: &'static str,
    long: &'static str,
    key: &'static str,
    help: &'static str,
    slot: fn(&mut Layer) -> Slot<'_>,
) -> Setting {
    Setting { short: Some(short), long: Some(long), key, help, slot }
}

const fn ours(
    long: &'static str,
    key: &'static str,
    help: &'static str,
    slot: fn(&mut Layer) -> Slot<'_>,
) -> Setting {
    Setting { short: None, long: Some(long), key, help, slot }
}

const fn in_file(key: &'static str, slot: fn(&mut Layer) -> Slot<'_>) -> Setting {
    Setting { short: None, long: None, key, help: "", slot }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_keys_are_each_there_once() {
        let names: Vec<&str> =
            SETTINGS.iter().flat_map(|s| [s.short, s.long, Some(s.key)]).flatten().collect();
        for name in &names {
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
    }

    /// Each slot is written through the table and read back: no two settings share a member.
    #[test]
    fn each_setting_has_a_member_of_its_own() {
        let mut layer = Layer::default();
        for setting in SETTINGS {
            assert_eq!((setting.slot)(&mut layer).shown(), None, "{}", setting.key);
            match (setting.slot)(&mut layer) {
                Slot::Text(value) => *value = Some(String::new()),
                Slot::Number(value) => *value = Some(1),
                Slot::Switch(value) => *value = Some(true),
                Slot::List(value) => *value = Some(Vec::new()),
            }
        }
    }
}
