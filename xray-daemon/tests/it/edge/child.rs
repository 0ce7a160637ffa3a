//! A test that runs in a process of its own, since its subject reads the environment of the process.

use std::process::Command;

/// Runs the ignored test `name` of this binary with these variables and no others of AWS's, and returns its output.
///
/// # Panics
///
/// If the test fails.
pub(crate) fn run(name: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"]);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("AWS_")
            || name.starts_with("ECS_")
            || name.to_ascii_lowercase().ends_with("_proxy")
        {
            command.env_remove(&*name);
        }
    }
    let nowhere = "/nonexistent";
    command.env("HOME", nowhere).env("AWS_CONFIG_FILE", nowhere).env("AWS_SHARED_CREDENTIALS_FILE", nowhere);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    text
}
