//! Flags over file over defaults, and what the result may be.
//!
//! A pure function of its arguments; the machine's memory is one of them.

use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;
use super::error::ConfigError;
use super::layer::{Layer, Slot};
use super::settings::{Config, LogConfig, LogLevel, SpoolConfig};
use super::table::SETTINGS;

/// Lays the flags over the file.
pub(super) fn overlay(flags: &Layer, file: &Layer) -> Layer {
    let (mut flags, mut merged) = (flags.clone(), file.clone());
    for setting in SETTINGS {
        match ((setting.slot)(&mut flags), (setting.slot)(&mut merged)) {
            (Slot::Text(flag), Slot::Text(merged)) => replace(flag, merged),
            (Slot::Number(flag), Slot::Number(merged)) => replace(flag, merged),
            (Slot::Switch(flag), Slot::Switch(merged)) => replace(flag, merged),
            (Slot::List(flag), Slot::List(merged)) => replace(flag, merged),
            // One slot of a table's line has one type.
            _ => {}
        }
    }
    merged
}

fn replace<T>(flag: &mut Option<T>, merged: &mut Option<T>) {
    if flag.is_some() {
        *merged = flag.take();
    }
}

/// Fills in the defaults and checks ranges.
///
/// `memory` is what the process may use, if known.
///
/// # Errors
/// If a number is out of its range, the log level is not known, or the memory is less than 3 MB.
pub(super) fn resolve(
    layer: Layer,
    environment: Environment,
    memory: Option<u64>,
) -> Result<Config, ConfigError> {
    let text = |value: Option<String>| value.filter(|value| !value.is_empty());
    let address = |value: Option<String>| text(value).unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
    // 0 means the default for every number, as in AWS's daemon.
    let number = |key: &str, value: Option<i64>, default: u64, most: u64| match value.unwrap_or(0) {
        0 => Ok(default),
        value if value > 0 && value.unsigned_abs() <= most => Ok(value.unsigned_abs()),
        value => Err(ConfigError::invalid(format!(
            "{key} is {value}. Use a number from 1 to {most}, or 0 for the default."
        ))),
    };
    let spool_max_mb = number("XrayDaemon.Spool.MaxMB", layer.spool_max_mb, 512, 1 << 20)?;
    let spool_max_age_days = number("XrayDaemon.Spool.MaxAgeDays", layer.spool_max_age_days, 7, 365)?;
    let receive_buffer_kb = number("XrayDaemon.ReceiveBufferKB", layer.receive_buffer_kb, 8 << 10, 1 << 20)?;
    let max_age = number("XrayDaemon.MaxAgeSeconds", layer.max_age_seconds, WEEK, 365 * 24 * 3600)?;
    let shutdown = number("XrayDaemon.ShutdownSeconds", layer.shutdown_seconds, 25, 3600)?;
    let relay_timeout = number("XrayDaemon.Relay.TimeoutSeconds", layer.relay_timeout_seconds, 5, 3600)?;
    let relay_max_body_kb = number("XrayDaemon.Relay.MaxBodyKB", layer.relay_max_body_kb, 1 << 10, 64 << 10)?;
    let concurrency = number("Concurrency", layer.concurrency, 8, 1_000)?;
    Ok(Config {
        buffer_memory: buffer_memory(layer.buffer_memory_mb, memory)?,
        concurrency: concurrency as usize,
        region: text(layer.region),
        endpoint: text(layer.endpoint),
        udp_address: address(layer.udp_address),
        tcp_address: address(layer.tcp_address),
        log: LogConfig {
            level: level(text(layer.log_level).as_deref())?,
            path: text(layer.log_path).map(PathBuf::from),
            rotation: layer.log_rotation.unwrap_or(true),
        },
        local_mode: layer.local_mode.unwrap_or(false),
        resource_arn: layer.resource_arn.unwrap_or_default(),
        role_arn: text(layer.role_arn),
        no_verify_ssl: layer.no_verify_ssl.unwrap_or(false),
        proxy_address: text(layer.proxy_address)
            .or_else(|| environment.get("HTTPS_PROXY").map(str::to_owned)),
        spool: text(layer.spool_path).map(|path| SpoolConfig {
            path: path.into(),
            max_bytes: spool_max_mb << 20,
            max_age: Duration::from_secs(spool_max_age_days * 24 * 3600),
        }),
        receive_buffer: (receive_buffer_kb << 10) as usize,
        shutdown: Duration::from_secs(shutdown),
        max_age: Duration::from_secs(max_age),
        relay_allow_paths: paths(layer.allow_paths.unwrap_or_default())?,
        relay_allow_hosts: hosts(layer.allow_hosts.unwrap_or_default())?,
        relay_timeout: Duration::from_secs(relay_timeout),
        relay_max_body: (relay_max_body_kb << 10) as usize,
        admin_address: text(layer.admin),
        health_socket: text(layer.health_socket).map(PathBuf::from),
        caller_identity: layer.caller_identity.unwrap_or(true),
        environment,
    })
}

/// The budget for documents.
///
/// What isn't positive takes one percent, as in AWS's daemon, but at least 16 MB.
fn buffer_memory(megabytes: Option<i64>, memory: Option<u64>) -> Result<usize, ConfigError> {
    let megabytes = match megabytes.unwrap_or(0) {
        1..LEAST_MEMORY => {
            return Err(ConfigError::invalid(format!(
                "Not enough Buffers Memory Allocated. Min Buffers Memory required: {LEAST_MEMORY} MB."
            )));
        }
        megabytes @ LEAST_MEMORY.. => megabytes.unsigned_abs(),
        _ => memory.map_or(UNKNOWN_MEMORY, |bytes| (bytes / 100 / MEGABYTE).max(LEAST_DEFAULT)),
    };
    let bytes = megabytes.checked_mul(MEGABYTE).filter(|bytes| *bytes <= MOST_MEMORY);
    bytes.and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(|| {
        ConfigError::invalid(format!("TotalBufferSizeMB is {megabytes}, more than this machine can address."))
    })
}

/// A path that no request can have would close the relay without a word.
fn paths(paths: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let is_path = |path: &&String| path.starts_with('/') && !path.contains(['?', '#', ' ']);
    match paths.iter().find(|path| !is_path(path)) {
        Some(path) => Err(ConfigError::invalid(format!(
            "XrayDaemon.Relay.AllowPaths has \"{path}\". Use paths such as /GetSamplingRules."
        ))),
        None => Ok(paths),
    }
}

/// Names are compared without a port.
fn hosts(hosts: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let is_host = |host: &&String| {
        let name = host.strip_prefix("*.").unwrap_or(host);
        let is_word =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        is_word || *host == "*"
    };
    match hosts.iter().find(|host| !is_host(host)) {
        Some(host) => Err(ConfigError::invalid(format!(
            "XrayDaemon.Relay.AllowHosts has \"{host}\". Use names without a port, or *.example.com for all below it."
        ))),
        None => Ok(hosts),
    }
}

fn level(name: Option<&str>) -> Result<LogLevel, ConfigError> {
    match name.unwrap_or("prod").to_ascii_lowercase().as_str() {
        "dev" => Ok(LogLevel::Trace),
        "debug" => Ok(LogLevel::Debug),
        "info" | "prod" => Ok(LogLevel::Info),
        "warn" => Ok(LogLevel::Warn),
        "error" => Ok(LogLevel::Error),
        other => Err(ConfigError::invalid(format!(
            "Log level \"{other}\" is not known. Use dev, debug, info, warn, error or prod."
        ))),
    }
}

const DEFAULT_ADDRESS: &str = "127.0.0.1:2000";
const MEGABYTE: u64 = 1 << 20;
const WEEK: u64 = 7 * 24 * 3600;
/// The least that can be asked for, in MB.
const LEAST_MEMORY: i64 = 3;
/// The least default, in MB: one percent of a small container would hold a second of traffic.
const LEAST_DEFAULT: u64 = 16;
/// The most that can be asked for: what a process of today can address.
const MOST_MEMORY: u64 = 1 << 47;
/// The default where the memory is not known, in MB.
const UNKNOWN_MEMORY: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(layer: Layer) -> Result<Config, ConfigError> {
        resolve(layer, Environment::default(), Some(24 << 30))
    }

    #[test]
    fn defaults_are_the_originals() {
        let config = resolved(Layer::default()).unwrap();
        assert_eq!(
            (config.udp_address.as_str(), config.tcp_address.as_str()),
            ("127.0.0.1:2000", "127.0.0.1:2000")
        );
        assert_eq!((config.buffer_memory, config.concurrency), (245 << 20, 8));
        assert_eq!(
            (config.region, config.endpoint, config.role_arn, config.proxy_address),
            (None, None, None, None)
        );
        assert_eq!(
            (config.local_mode, config.no_verify_ssl, config.resource_arn.as_str()),
            (false, false, "")
        );
        assert_eq!(config.log, LogConfig { level: LogLevel::Info, path: None, rotation: true });
        assert_eq!(config.spool, None);
    }

    #[test]
    fn flags_override_the_file_and_the_file_overrides_defaults() {
        let flags = Layer { region: Some("flag".into()), local_mode: Some(false), ..Layer::default() };
        let file = Layer {
            region: Some("file".into()),
            local_mode: Some(true),
            udp_address: Some("127.0.0.1:3000".into()),
            log_rotation: Some(false),
            ..Layer::default()
        };
        let config = resolved(overlay(&flags, &file)).unwrap();
        assert_eq!((config.region.as_deref(), config.local_mode), (Some("flag"), false));
        assert_eq!(
            (config.udp_address.as_str(), config.tcp_address.as_str()),
            ("127.0.0.1:3000", "127.0.0.1:2000")
        );
        assert!(!config.log.rotation);
    }

    #[test]
    fn memory_is_one_percent_but_not_below_16_mb_unless_asked_for() {
        for (asked, memory, megabytes) in [
            (None, Some(24u64 << 30), 245),
            (Some(0), Some(24 << 30), 245),
            (Some(-1), Some(24 << 30), 245),
            (None, Some(128 << 20), 16),
            (None, None, 64),
            (Some(3), None, 3),
            (Some(100), None, 100),
        ] {
            assert_eq!(buffer_memory(asked, memory), Ok(megabytes << 20), "{asked:?} of {memory:?}");
        }
        for asked in [i64::MAX, 1 << 44] {
            let error = buffer_memory(Some(asked), None).unwrap_err();
            assert!(error.to_string().ends_with("more than this machine can address."), "{error}");
        }
        for asked in [1, 2] {
            let error = buffer_memory(Some(asked), None).unwrap_err();
            assert_eq!(
                error.to_string(),
                "Not enough Buffers Memory Allocated. Min Buffers Memory required: 3 MB."
            );
        }
    }

    #[test]
    fn the_proxy_of_the_environment_is_the_last_resort() {
        let environment: Environment = [("HTTPS_PROXY", "http://env:1")].into_iter().collect();
        let with = |proxy: Option<&str>| {
            let layer = Layer { proxy_address: proxy.map(str::to_owned), ..Layer::default() };
            resolve(layer, environment.clone(), None).unwrap().proxy_address
        };
        assert_eq!(with(None).as_deref(), Some("http://env:1"));
        assert_eq!(with(Some("http://flag:1")).as_deref(), Some("http://flag:1"));
    }

    #[test]
    fn paths_and_hosts_that_never_match_are_refused() {
        let with = |path: &str, host: &str| {
            let (paths, hosts) = (Some(vec![path.to_owned()]), Some(vec![host.to_owned()]));
            resolved(Layer { allow_paths: paths, allow_hosts: hosts, ..Layer::default() })
        };
        for (path, host) in [("/GetSamplingRules", "xray.example.com"), ("/", "*"), ("/x", "*.example.com")] {
            assert!(with(path, host).is_ok(), "{path} {host}");
        }
        for path in ["GetSamplingRules", "", "/x?y", "http://localhost/x"] {
            let error = with(path, "xray").unwrap_err().to_string();
            assert!(error.starts_with(&format!("XrayDaemon.Relay.AllowPaths has \"{path}\".")), "{error}");
        }
        for host in ["xray:2000", "", "a b", "http://xray", "*example.com"] {
            let error = with("/x", host).unwrap_err().to_string();
            assert!(error.starts_with(&format!("XrayDaemon.Relay.AllowHosts has \"{host}\".")), "{error}");
        }
    }

    #[test]
    fn numbers_out_of_range_and_unknown_levels_are_refused() {
        let error = resolved(Layer { concurrency: Some(-1), ..Layer::default() }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Concurrency is -1. Use a number from 1 to 1000, or 0 for the default."
        );
        let error = resolved(Layer { log_level: Some("loud".into()), ..Layer::default() }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Log level \"loud\" is not known. Use dev, debug, info, warn, error or prod."
        );
        for (name, level) in [("dev", LogLevel::Trace), ("PROD", LogLevel::Info), ("warn", LogLevel::Warn)] {
            let layer = Layer { log_level: Some(name.into()), ..Layer::default() };
            assert_eq!(resolved(layer).unwrap().log.level, level);
        }
    }
}
