//! The environment, read once when a layer is built, and Lambda's header, which changes with each invocation.
//! The one room that knows variables by name; the hot path gets values.

use std::path::Path;

use xray_sdk::{DaemonAddress, TraceHeader};

/// Where the daemon is, if the environment says so. `Err` tells what it says that can't be used.
pub(crate) fn daemon_address() -> Option<Result<DaemonAddress, String>> {
    let text = var("AWS_XRAY_DAEMON_ADDRESS")?;
    Some(text.parse().map_err(|err| format!("AWS_XRAY_DAEMON_ADDRESS={text:?} is not used: {err}")))
}

/// The segment's name, if the environment says so.
pub(crate) fn tracing_name() -> Option<String> {
    var("AWS_XRAY_TRACING_NAME")
}

/// What a service is called that nobody named: in Lambda as the function, elsewhere as the executable.
pub(crate) fn default_name() -> String {
    let executable = || {
        let path = std::env::current_exe().ok()?;
        Some(Path::file_stem(&path)?.to_string_lossy().into_owned())
    };
    var("AWS_LAMBDA_FUNCTION_NAME").or_else(executable).unwrap_or_else(|| "unknown".to_owned())
}

/// Whether this process is a Lambda function. `LAMBDA_TASK_ROOT` is what the official SDKs ask for.
pub(crate) fn is_lambda() -> bool {
    var("LAMBDA_TASK_ROOT").is_some()
}

/// Whether Lambda starts this process from a snapshot.
pub(crate) fn is_snapstart() -> bool {
    var("AWS_LAMBDA_INITIALIZATION_TYPE").as_deref() == Some("snap-start")
}

/// The trace header of the current invocation. Only for spans that no header came with: when invocations run
/// side by side the variable isn't set.
pub(crate) fn lambda_header() -> Option<TraceHeader> {
    var("_X_AMZN_TRACE_ID")?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "this is the room that reads the environment")]
fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}
