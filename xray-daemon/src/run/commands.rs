//! The commands of the program, and their exit codes.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done; for the daemon, stopped in order |
//! | 1 | the configuration can't be used, or what was asked is not well |
//! | 2 | the arguments can't be read |

use std::io::{self, Write};
use std::net::ToSocketAddrs;
use std::process::ExitCode;

use super::daemon;
use super::version::VERSION;
use crate::aws::{Aws, Settings};
use crate::config::{Command, Config, ConfigError, Environment, Load, write_help, write_settings};
use crate::report::health_socket::{HealthSocket, ask};
use crate::report::log::{file_or_output, write_error};

/// Runs the program with the arguments and the environment of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let result = match Command::parse(&arguments, Environment::from_process()) {
        Ok(Command::Run(load)) => Ok(daemon::run(&load)),
        Ok(Command::Help) => write_help(&mut io::stdout().lock()).map(|()| true),
        Ok(Command::Version) => writeln!(io::stdout(), "AWS X-Ray daemon version: {VERSION}").map(|()| true),
        Ok(Command::Check(load)) => check(&load),
        Ok(Command::Health { load, ready }) => health(&load.config, ready),
        Err(error) => return refuse(&error, &arguments),
    };
    // Output that can no longer be written is no success.
    if result.unwrap_or(false) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Writes the error to standard error, and to the log file that the arguments name.
fn refuse(error: &ConfigError, arguments: &[String]) -> ExitCode {
    if error.is_usage() {
        let mut output = io::stderr().lock();
        let _ = writeln!(output, "{error}").and_then(|()| write_help(&mut output));
        return ExitCode::from(error.exit_code());
    }
    write_error(Box::new(io::stderr()), &error.to_string());
    if let Some(path) = Command::log_file(arguments)
        && let Ok(file) = file_or_output(Some(&path), false)
    {
        write_error(file, &error.to_string());
    }
    ExitCode::from(error.exit_code())
}

/// Shows settings, region, endpoint and credentials.
fn check(load: &Load) -> io::Result<bool> {
    let mut output = io::stdout().lock();
    write_settings(load, &mut output)?;
    let unusable = unusable_addresses(&load.config);
    for reason in &unusable {
        writeln!(output, "error: {reason}")?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match Aws::set_up(&Settings::from(&load.config)).await {
            Ok(aws) => {
                let findings = aws.check().await;
                for line in &findings.lines {
                    writeln!(output, "{line}")?;
                }
                Ok(findings.is_good && unusable.is_empty())
            }
            Err(error) => writeln!(output, "error: {error}").map(|()| false),
        }
    })
}

/// Addresses to listen at that can't be understood, each with the reason.
///
/// Only a start finds out whether an address is taken: a daemon that runs has those of the same settings.
fn unusable_addresses(config: &Config) -> Vec<String> {
    let admin = config.admin_address.iter().map(|address| ("The address of --admin,", address));
    [("UDP address", &config.udp_address), ("TCP address", &config.tcp_address)]
        .into_iter()
        .chain(admin)
        .filter_map(|(name, address)| {
            let whole = if address.starts_with(':') { format!("0.0.0.0{address}") } else { address.clone() };
            let error = whole.to_socket_addrs().err()?;
            Some(format!("{name} `{address}` can't be listened on: {error}; write ADDRESS:PORT or :PORT"))
        })
        .collect()
}

/// Asks the daemon on this machine.
fn health(config: &Config, ready: bool) -> io::Result<bool> {
    let socket = HealthSocket::new(config.health_socket.as_deref(), &config.udp_address);
    match ask(&socket, ready) {
        Ok((is_good, words)) => writeln!(io::stdout(), "{words}").map(|()| is_good),
        Err(error) => writeln!(io::stdout(), "no daemon answers at {socket}: {error}").map(|()| false),
    }
}
