//! The environment, read once when a layer is built, and Lambda's header, which changes with each invocation.
//!
//! The only file that knows variables by name. Variables override settings made in code, as in the official
//! SDKs. An invalid value is ignored, and a sentence about it is kept for
//! [`Handle::diagnostics`](crate::Handle::diagnostics).

use std::env::VarError;
use std::path::Path;

use xray_sdk::document::internal::keys;
use xray_sdk::{DaemonAddress, TraceHeader};

use crate::settings::config::{ContextMissing, SqlVersion};

/// The settings in the environment. `None` is a variable that is absent or invalid.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) daemon_address: Option<DaemonAddress>,
    pub(crate) tracing_name: Option<String>,
    pub(crate) enabled: Option<bool>,
    /// The variable that switches the layer off.
    pub(crate) switched_off_by: Option<&'static str>,
    pub(crate) context_missing: Option<ContextMissing>,
    pub(crate) sql_text: Option<bool>,
    /// Set if unsampled traces share one id of zeros.
    pub(crate) zero_ids: Option<bool>,
    /// Set if the default sampler records every trace. `xray-local run` sets it.
    pub(crate) sample_all: Option<bool>,
    pub(crate) sql_versions: Vec<SqlVersion>,
    pub(crate) function_name: Option<String>,
    /// Set if this process is a Lambda function.
    pub(crate) lambda: bool,
    /// Set if Lambda's runtime can work here. Its absence makes `lambda` doubtful.
    pub(crate) lambda_runtime: bool,
    /// Set if Lambda starts this process from a snapshot.
    pub(crate) snapstart: bool,
    /// A sentence for each invalid value.
    pub(crate) bad: Vec<String>,
    /// A sentence for each valid value that has no effect, or another effect than in other SDKs.
    pub(crate) notes: Vec<String>,
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "this is the room that reads the environment")]
    pub(crate) fn read() -> Self {
        Self::from_variables(|name| std::env::var(name))
    }

    pub(crate) fn from_variables(var: impl Fn(&str) -> Result<String, VarError>) -> Self {
        let mut reader = Reader { var, bad: Vec::new() };
        let daemon_address = reader.parsed("AWS_XRAY_DAEMON_ADDRESS", |text| {
            text.parse().map_err(|err: xray_sdk::daemon::ParseAddressError| err.to_string())
        });
        let tracing_name = reader.text("AWS_XRAY_TRACING_NAME");
        let (enabled, switched_off_by) = reader.enabled();
        let mut found = Self {
            daemon_address,
            tracing_name,
            enabled,
            switched_off_by,
            context_missing: reader.parsed("AWS_XRAY_CONTEXT_MISSING", context_missing),
            sql_text: reader.parsed("AWS_XRAY_COLLECT_SQL_QUERIES", switch),
            zero_ids: reader.parsed("AWS_XRAY_NOOP_ID", switch),
            sample_all: reader.parsed("XRAY_LOCAL_SAMPLE_ALL", switch),
            sql_versions: reader.sql_versions(),
            function_name: reader.text("AWS_LAMBDA_FUNCTION_NAME"),
            // The variable that the official SDKs use to detect Lambda.
            lambda: reader.text("LAMBDA_TASK_ROOT").is_some(),
            lambda_runtime: reader.text("AWS_LAMBDA_RUNTIME_API").is_some(),
            snapstart: reader.text("AWS_LAMBDA_INITIALIZATION_TYPE").as_deref() == Some("snap-start"),
            bad: Vec::new(),
            notes: Vec::new(),
        };
        for (name, why) in WITHOUT_EFFECT {
            if reader.text(name).is_some() {
                found.notes.push(format!("{name} has no effect: {why}"));
            }
        }
        let panics = |text: String| text.trim().eq_ignore_ascii_case("RUNTIME_ERROR");
        if reader.text("AWS_XRAY_CONTEXT_MISSING").is_some_and(panics) {
            found.notes.push(
                "AWS_XRAY_CONTEXT_MISSING=RUNTIME_ERROR: calls outside of a segment are counted and not \
                 recorded; the layer never panics"
                    .to_owned(),
            );
        }
        found.bad = reader.bad;
        found.bad.dedup();
        found
    }

    /// Returns the default name of the service: the Lambda function's, or the executable's.
    pub(crate) fn default_name(&self) -> String {
        let executable = || {
            let path = std::env::current_exe().ok()?;
            Some(Path::file_stem(&path)?.to_string_lossy().into_owned())
        };
        self.function_name.clone().or_else(executable).unwrap_or_else(|| "unknown".to_owned())
    }
}

/// Returns the trace header of the current invocation. Lambda does not set the variable when invocations run
/// concurrently; then spans carry the header.
#[expect(clippy::disallowed_methods, reason = "Lambda's runtime sets it anew for each invocation")]
pub(crate) fn lambda_header() -> Option<TraceHeader> {
    std::env::var("_X_AMZN_TRACE_ID").ok()?.parse().ok()
}

struct Reader<F> {
    var: F,
    bad: Vec<String>,
}

impl<F: Fn(&str) -> Result<String, VarError>> Reader<F> {
    /// Returns the value of a variable. A blank value counts as absent, which is how many configurations
    /// unset a variable.
    fn text(&mut self, name: &str) -> Option<String> {
        match (self.var)(name) {
            Ok(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Err(VarError::NotPresent) => None,
            Err(VarError::NotUnicode(text)) => {
                self.bad.push(format!("{name}={text:?} is not used: it is not Unicode"));
                None
            }
        }
    }

    fn parsed<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(name)?;
        parse(text.trim()).map_err(|why| self.bad.push(format!("{name}={text:?} is not used: {why}"))).ok()
    }

    /// Returns the state of two switches of opposite sense, Python's and Go's. If either switches the layer
    /// off, it is off.
    fn enabled(&mut self) -> (Option<bool>, Option<&'static str>) {
        const ENABLED: &str = "AWS_XRAY_SDK_ENABLED";
        const DISABLED: &str = "AWS_XRAY_SDK_DISABLED";
        let enabled = self.parsed(ENABLED, switch);
        match self.parsed(DISABLED, switch) {
            Some(true) => (Some(false), Some(DISABLED)),
            _ => (enabled, (enabled == Some(false)).then_some(ENABLED)),
        }
    }

    fn sql_versions(&mut self) -> Vec<SqlVersion> {
        let known = [("mysql", "MYSQL"), ("postgres", "POSTGRES")];
        let mut versions = Vec::new();
        for (system, prefix) in known {
            for (key, what) in [(keys::DATABASE_VERSION, "DATABASE"), (keys::DRIVER_VERSION, "DRIVER")] {
                if let Some(version) = self.text(&format!("{prefix}_{what}_VERSION")) {
                    versions.push(SqlVersion { system, key, version });
                }
            }
        }
        versions
    }
}

fn context_missing(text: &str) -> Result<ContextMissing, String> {
    match text.to_ascii_uppercase().as_str() {
        "LOG_ERROR" => Ok(ContextMissing::MakeSegment),
        "IGNORE_ERROR" => Ok(ContextMissing::Ignore),
        "RUNTIME_ERROR" => Ok(ContextMissing::Count),
        _ => Err("it is none of LOG_ERROR, IGNORE_ERROR and RUNTIME_ERROR".to_owned()),
    }
}

/// Parses a switch, in the spellings of Python's SDK.
fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Ok(false),
        _ => Err("it is neither true nor false".to_owned()),
    }
}

/// Variables of the official SDKs that have no effect here.
const WITHOUT_EFFECT: [(&str, &str); 4] = [
    ("AWS_XRAY_DEBUG_MODE", "the layer writes no log; what it would say is in Handle::diagnostics"),
    ("AWS_XRAY_LOG_LEVEL", "the layer writes no log; what it would say is in Handle::diagnostics"),
    ("AWS_XRAY_MANUAL_MODE", "tracing knows the current span"),
    ("AWS_XRAY_METRICS_DAEMON_ADDRESS", "the layer sends traces, no metrics"),
];

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::ffi::OsString;

    pub(crate) fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::from_variables(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned()).ok_or(VarError::NotPresent)
        })
    }

    #[test]
    fn both_kill_switches_work_and_off_wins() {
        for (enabled, disabled, expected, bad) in [
            ("", "", None, 0),
            ("false", "", Some(false), 0),
            ("OFF", "", Some(false), 0),
            ("n", "", Some(false), 0),
            ("0", "", Some(false), 0),
            ("Yes", "", Some(true), 0),
            ("1", "true", Some(false), 0),
            ("", "TRUE", Some(false), 0),
            ("", "false", None, 0),
            ("false", "false", Some(false), 0),
            ("true", "false", Some(true), 0),
            ("maybe", "", None, 1),
            ("maybe", "maybe", None, 2),
            ("maybe", "true", Some(false), 1),
        ] {
            let found =
                environment(&[("AWS_XRAY_SDK_ENABLED", enabled), ("AWS_XRAY_SDK_DISABLED", disabled)]);
            assert_eq!(
                (found.enabled, found.bad.len()),
                (expected, bad),
                "{enabled} {disabled}: {:?}",
                found.bad
            );
        }
    }

    #[test]
    fn strategies_are_read_whatever_their_case() {
        for (text, expected, bad) in [
            ("LOG_ERROR", Some(ContextMissing::MakeSegment), 0),
            ("ignore_error", Some(ContextMissing::Ignore), 0),
            ("Runtime_Error", Some(ContextMissing::Count), 0),
            ("PANIC", None, 1),
            (" ", None, 0),
        ] {
            let found = environment(&[("AWS_XRAY_CONTEXT_MISSING", text)]);
            assert_eq!((found.context_missing, found.bad.len()), (expected, bad), "{text}");
            assert_eq!(found.notes.len(), usize::from(expected == Some(ContextMissing::Count)));
        }
    }

    #[test]
    fn every_other_variable_has_its_value_or_a_sentence() {
        let found = environment(&[
            ("AWS_XRAY_DAEMON_ADDRESS", "tcp:a:1 udp:b:2"),
            ("AWS_XRAY_TRACING_NAME", "shop"),
            ("AWS_XRAY_COLLECT_SQL_QUERIES", "false"),
            ("AWS_XRAY_NOOP_ID", "true"),
            ("POSTGRES_DATABASE_VERSION", "17.2"),
            ("MYSQL_DRIVER_VERSION", "9"),
            ("LAMBDA_TASK_ROOT", "/var/task"),
            ("AWS_LAMBDA_FUNCTION_NAME", "f"),
            ("AWS_XRAY_LOG_LEVEL", "debug"),
        ]);
        assert_eq!(
            found.daemon_address.as_ref().map(ToString::to_string).as_deref(),
            Some("tcp:a:1 udp:b:2")
        );
        assert_eq!(found.tracing_name.as_deref(), Some("shop"));
        assert_eq!((found.sql_text, found.zero_ids, found.lambda), (Some(false), Some(true), true));
        assert_eq!(found.default_name(), "f");
        let versions: Vec<_> = found.sql_versions.iter().map(|v| (v.system, v.key, &*v.version)).collect();
        assert_eq!(
            versions,
            [("mysql", keys::DRIVER_VERSION, "9"), ("postgres", keys::DATABASE_VERSION, "17.2")]
        );
        assert_eq!(found.bad, [""; 0]);
        assert_eq!(
            found.notes,
            ["AWS_XRAY_LOG_LEVEL has no effect: the layer writes no log; what it would say is in \
              Handle::diagnostics"]
        );
        let bad = environment(&[
            ("AWS_XRAY_DAEMON_ADDRESS", "nonsense"),
            ("AWS_XRAY_COLLECT_SQL_QUERIES", "some"),
            ("AWS_XRAY_NOOP_ID", "7"),
        ]);
        assert_eq!(
            bad.bad,
            [
                "AWS_XRAY_DAEMON_ADDRESS=\"nonsense\" is not used: daemon address \"nonsense\" has no port, expected `host:port`",
                "AWS_XRAY_COLLECT_SQL_QUERIES=\"some\" is not used: it is neither true nor false",
                "AWS_XRAY_NOOP_ID=\"7\" is not used: it is neither true nor false",
            ]
        );
    }

    #[test]
    fn what_is_not_unicode_is_told_once() {
        let found = Environment::from_variables(|name| match name {
            "AWS_XRAY_CONTEXT_MISSING" => Err(VarError::NotUnicode(OsString::from("x"))),
            _ => Err(VarError::NotPresent),
        });
        assert_eq!(found.bad, ["AWS_XRAY_CONTEXT_MISSING=\"x\" is not used: it is not Unicode"]);
        assert_eq!(found.context_missing, None);
    }
}
