//! `cfg.yaml`: which keys there are, which are retired, and what a value may be.
//!
//! A file named by `-c` is held to the letter, as in AWS's daemon: it has a version, and no key that isn't known. A
//! file in one of the usual places may have unknown keys; ours, below `XrayDaemon`, are always held to the letter.

use super::error::ConfigError;
use super::layer::{Layer, Slot};
use super::table::SETTINGS;
use super::yaml::{self, Entry, Node};

/// The settings of a file, and remarks on it for a person.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) layer: Layer,
    pub(super) warnings: Vec<String>,
}

/// Reads a file's text.
///
/// # Errors
/// If it is not YAML, has no version or another one than 1 and 2, a retired key, an unknown one where these are
/// refused, or a value of the wrong type.
pub(super) fn parse(text: &str, named: bool) -> Result<File, ConfigError> {
    let root = yaml::parse(text).map_err(wrong)?;
    let entries = match root {
        Some(Entry { node: Node::Map(entries), .. }) => entries,
        Some(entry) if !entry.is_null() => {
            return Err(wrong(format!("line {}: keys and values are needed", entry.line)));
        }
        _ => Vec::new(),
    };
    if named && !entries.is_empty() && !entries.iter().any(|(key, _)| key == VERSION) {
        return Err(ConfigError::invalid(format!("Config Version is missing. {MIGRATE} {REFER}")));
    }
    let mut keys = Vec::new();
    flatten("", &entries, &mut keys);
    let mut file = File::default();
    for (path, entry) in &keys {
        if !known(path) {
            file.unknown(path, entry, named)?;
        }
    }
    let version = entries.iter().rev().find(|(key, _)| key == VERSION).map(|(_, entry)| &entry.node);
    if !matches!(version, Some(Node::Scalar { text, plain: true }) if matches!(text.as_str(), "1" | "2")) {
        return Err(ConfigError::invalid(format!(
            "Config Version Setting is not correct. {MIGRATE} {REFER}"
        )));
    }
    for (path, entry) in keys {
        if is_group(&path) && !entry.is_null() {
            return Err(wrong(format!("line {}: {path} needs keys below it", entry.line)));
        }
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.key == path) {
            put(&path, entry, (setting.slot)(&mut file.layer))?;
        }
    }
    Ok(file)
}

impl File {
    fn unknown(&mut self, path: &str, entry: &Entry, named: bool) -> Result<(), ConfigError> {
        let line = entry.line;
        if path.starts_with("XrayDaemon") {
            return Err(ConfigError::invalid(format!("line {line}: {path} is not a key of xray-daemon.")));
        }
        if !named {
            self.warnings.push(format!("line {line}: {path} is not known and is ignored."));
            return Ok(());
        }
        Err(ConfigError::invalid(if RETIRED.contains(&path) {
            format!("{path} flag is not supported any more. {REFER}")
        } else if MIGRATED.contains(&path) {
            format!("{path} flag is not supported. {MIGRATE} {REFER}")
        } else {
            format!("{path} flag is invalid. {REFER}")
        }))
    }
}

/// Collects paths of keys with their values.
fn flatten<'a>(prefix: &str, entries: &'a [(String, Entry)], out: &mut Vec<(String, &'a Entry)>) {
    for (key, entry) in entries {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match &entry.node {
            Node::Map(inner) if prefix.is_empty() || prefix == "XrayDaemon" => flatten(&path, inner, out),
            _ => out.push((path, entry)),
        }
    }
}

fn known(path: &str) -> bool {
    path == VERSION
        || IGNORED.iter().any(|ignored| ignored.eq_ignore_ascii_case(path))
        || SETTINGS.iter().any(|setting| setting.key == path)
        // `Socket:` with nothing below it.
        || is_group(path)
}

/// Returns whether keys are below this one.
fn is_group(path: &str) -> bool {
    let is_below = |key: &str| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    SETTINGS.iter().any(|setting| is_below(setting.key))
}

/// Puts a value into its slot. A value that is absent leaves the slot as it is.
fn put(path: &str, entry: &Entry, slot: Slot<'_>) -> Result<(), ConfigError> {
    if entry.is_null() {
        return Ok(());
    }
    let found = match &entry.node {
        Node::Scalar { text, .. } => format!("\"{text}\""),
        Node::List(_) => "a list".to_owned(),
        Node::Map(_) => "keys".to_owned(),
    };
    let needs = |what: &str| wrong(format!("line {}: {path} needs {what}, not {found}", entry.line));
    match (slot, &entry.node) {
        (Slot::Text(slot), Node::Scalar { text, .. }) => *slot = Some(text.clone()),
        (Slot::Text(_), _) => return Err(needs("a string")),
        (Slot::Number(slot), Node::Scalar { text, plain: true }) => {
            *slot = Some(text.parse().map_err(|_| needs("a whole number"))?);
        }
        (Slot::Number(_), _) => return Err(needs("a whole number")),
        (Slot::Switch(slot), Node::Scalar { text, plain: true }) => {
            *slot = Some(match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => true,
                "false" | "no" | "off" | "n" => false,
                _ => return Err(needs("true or false")),
            });
        }
        (Slot::Switch(_), _) => return Err(needs("true or false")),
        (Slot::List(slot), Node::Scalar { text, .. }) => *slot = Some(vec![text.clone()]),
        (Slot::List(slot), Node::List(entries)) => {
            let strings = entries.iter().map(|entry| match &entry.node {
                Node::Scalar { text, .. } => Ok(text.clone()),
                _ => Err(needs("a list of strings")),
            });
            *slot = Some(strings.collect::<Result<_, _>>()?);
        }
        (Slot::List(_), Node::Map(_)) => return Err(needs("a list of strings")),
    }
    Ok(())
}

/// AWS's daemon begins so whatever is wrong with the file as YAML.
fn wrong(message: String) -> ConfigError {
    ConfigError::invalid(format!("Error occur when using config flag: {message}"))
}

const VERSION: &str = "Version";

/// The second and third sentence of messages, by which people search for help.
const MIGRATE: &str = "Use X-Ray Daemon Config Migration Script to update the config file.";
const REFER: &str = "Please refer to AWS X-Ray Documentation for more information.";

/// Keys of versions before 2.0 that have no successor.
const RETIRED: [&str; 5] = [
    "Profile.CPU",
    "Profile.Memory",
    "Socket.BufferSizeKB",
    "Logging.LogFormat",
    "Processor.BatchProcessorQueueSize",
];

/// Keys of versions before 2.0 that have another name now.
const MIGRATED: [&str; 5] =
    ["LogRotation", "Processor.Region", "Processor.Endpoint", "Processor.Routine", "MemoryLimit"];

/// Keys that AWS's daemon takes and does nothing with.
const IGNORED: [&str; 4] =
    ["Profile", "ProxyServer.IdleConnTimeout", "ProxyServer.MaxIdleConnsPerHost", "ProxyServer.MaxIdleConns"];

#[cfg(test)]
mod tests {
    use super::*;

    /// The file of the original's tests.
    const WHOLE: &str = "Socket:
  UDPAddress: \"127.0.0.1:2000\"
  TCPAddress : \"127.0.0.2:3000\"
TotalBufferSizeMB: 16
Region: \"us-east-1\"
Endpoint: \"https://xxxx.xxxx.com\"
ResourceARN: \"\"
RoleARN: \"\"
Concurrency: 8
Logging:
  LogRotation: true
  LogPath: \"\"
  LogLevel: \"prod\"
NoVerifySSL: false
LocalMode: false
ProxyAddress: \"\"
Version: 2";

    #[test]
    fn versions_1_and_2_are_read_whole() {
        for text in [WHOLE.to_owned(), WHOLE.replace("Version: 2", "Version: 1")] {
            let layer = Layer {
                udp_address: Some("127.0.0.1:2000".into()),
                tcp_address: Some("127.0.0.2:3000".into()),
                buffer_memory_mb: Some(16),
                region: Some("us-east-1".into()),
                endpoint: Some("https://xxxx.xxxx.com".into()),
                resource_arn: Some(String::new()),
                role_arn: Some(String::new()),
                concurrency: Some(8),
                log_rotation: Some(true),
                log_path: Some(String::new()),
                log_level: Some("prod".into()),
                no_verify_ssl: Some(false),
                local_mode: Some(false),
                proxy_address: Some(String::new()),
                ..Layer::default()
            };
            assert_eq!(parse(&text, true).unwrap().layer, layer);
        }
    }

    #[test]
    fn messages_are_the_originals() {
        let more = "Please refer to AWS X-Ray Documentation for more information.";
        let script = "Use X-Ray Daemon Config Migration Script to update the config file.";
        for (text, message) in [
            ("Region: x", format!("Config Version is missing. {script} {more}")),
            ("Region: x\nVersion: 10000", format!("Config Version Setting is not correct. {script} {more}")),
            ("", format!("Config Version Setting is not correct. {script} {more}")),
            ("MemoryLimit: 8\nVersion: 2", format!("MemoryLimit flag is not supported. {script} {more}")),
            (
                "Socket:\n  BufferSizeKB: 128\nVersion: 2",
                format!("Socket.BufferSizeKB flag is not supported any more. {more}"),
            ),
            (
                "Processor:\n  Region: \"\"\nVersion: 2",
                format!("Processor.Region flag is not supported. {script} {more}"),
            ),
            ("ABCDE: true\nVersion: 2", format!("ABCDE flag is invalid. {more}")),
            ("Socket:\n  ABCDE: true\nVersion: 2", format!("Socket.ABCDE flag is invalid. {more}")),
        ] {
            let error = parse(text, true).unwrap_err();
            assert_eq!((error.to_string(), error.exit_code()), (message, 1), "{text}");
        }
    }

    #[test]
    fn a_file_in_a_usual_place_may_have_unknown_keys_but_needs_its_version() {
        let file = parse("ABCDE: true\nVersion: 2\nRegion: x", false).unwrap();
        assert_eq!(file.layer.region.as_deref(), Some("x"));
        assert_eq!(file.warnings, ["line 1: ABCDE is not known and is ignored."]);
        assert!(
            parse("Region: x", false)
                .unwrap_err()
                .to_string()
                .starts_with("Config Version Setting is not correct.")
        );
    }

    #[test]
    fn our_keys_are_below_one_and_held_to_the_letter() {
        let text = "Version: 2\nXrayDaemon:\n  Spool:\n    Path: /s\n    MaxMB: 9\n  Relay:\n    AllowPaths: [/a, /b]\n  Admin: 127.0.0.1:1\n";
        let layer = parse(text, true).unwrap().layer;
        assert_eq!(
            (layer.spool_path.as_deref(), layer.spool_max_mb, layer.admin.as_deref()),
            (Some("/s"), Some(9), Some("127.0.0.1:1"))
        );
        assert_eq!(layer.allow_paths, Some(vec!["/a".to_owned(), "/b".to_owned()]));
        for named in [true, false] {
            let error = parse("Version: 2\nXrayDaemon:\n  Spol: 1\n", named).unwrap_err();
            assert_eq!(error.to_string(), "line 3: XrayDaemon.Spol is not a key of xray-daemon.");
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_with_its_line() {
        for (line, message) in [
            ("TotalBufferSizeMB: NotExist", "TotalBufferSizeMB needs a whole number, not \"NotExist\""),
            ("TotalBufferSizeMB: \"16\"", "TotalBufferSizeMB needs a whole number, not \"16\""),
            ("LocalMode: maybe", "LocalMode needs true or false, not \"maybe\""),
            ("Region: [a]", "Region needs a string, not a list"),
            ("Socket: 127.0.0.1:3000", "Socket needs keys below it"),
            ("XrayDaemon: [a]", "XrayDaemon needs keys below it"),
        ] {
            let error = parse(&format!("Version: 2\n{line}"), true).unwrap_err();
            assert_eq!(error.to_string(), format!("Error occur when using config flag: line 2: {message}"));
        }
        assert!(
            parse("Version: 2\nA: [", true)
                .unwrap_err()
                .to_string()
                .starts_with("Error occur when using config flag: ")
        );
    }

    #[test]
    fn absent_values_and_keys_without_effect_pass() {
        let text = "Version: 2\nSocket:\nRegion:\nTotalBufferSizeMB: ~\nProfile: dev\nProxyServer:\n  IdleConnTimeout: 1\n  maxidleconns: 2\n";
        assert_eq!(parse(text, true).unwrap().layer, Layer::default());
    }
}
