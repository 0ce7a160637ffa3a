//! The command's arguments, and the events among them: JSON, a file, or a built-in event's name.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use lambda_local::{Settings, Tracing, samples};
use serde_json::Value;

/// Lambda on this machine: runs a function as Lambda would, and draws its traces.
///
/// PROGRAM is built for this machine with lambda_runtime, lambda_http, or another runtime that uses Lambda's Runtime
/// API. Without PROGRAM, a function of this program shows what a trace looks like.
#[derive(Debug, Parser)]
#[command(name = "lambda_local", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The function's binary, or a folder with a `bootstrap` (target/lambda/NAME of cargo-lambda).
    pub(crate) program: Option<PathBuf>,

    /// JSON, @FILE, or a name: api-gateway, api-gateway-rest, alb, sqs, sns, eventbridge, s3. Defaults to {}.
    #[arg(value_name = "EVENT", value_parser = event)]
    pub(crate) events: Vec<Value>,

    /// Set a variable of the function's environment. The environment of this command isn't passed on.
    #[arg(short = 'e', long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,

    /// Time that an invocation may take, in seconds. Lambda's default is 3 as well.
    #[arg(short, long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    timeout: Duration,

    /// Set the function's name. Defaults to PROGRAM's file name.
    #[arg(short, long)]
    name: Option<String>,

    /// What Lambda says of the trace in the event's header.
    #[arg(long, value_enum, default_value = "active")]
    pub(crate) tracing: Mode,

    /// Invocations at once. Above 1, the function isn't frozen, and AWS_LAMBDA_MAX_CONCURRENCY is set.
    #[arg(short, long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: u16,

    /// Send the events this many times.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) repeat: u32,

    /// Let the function run on between two invocations.
    #[arg(long)]
    no_freeze: bool,

    /// Start the function as SnapStart does: as restored from a snapshot.
    #[arg(long)]
    snap_start: bool,

    /// Hide what the function writes to its standard output and standard error.
    #[arg(short, long)]
    quiet: bool,

    /// Print a built-in event, and end.
    #[arg(long, value_name = "NAME", value_parser = sample, exclusive = true)]
    pub(crate) print_event: Option<samples::Sample>,
}

const EXAMPLES: &str = "Examples:
  lambda_local target/debug/orders '{\"order\": 7}'
  lambda_local target/lambda/orders api-gateway @other.json
  lambda_local target/debug/orders sqs --env TABLE=orders --timeout 30
  lambda_local target/debug/orders '{}' --concurrency 8 --repeat 100 --quiet
  lambda_local --print-event s3 > event.json

The exit status is 0 if every invocation succeeded, 1 if one failed, and 2 for wrong arguments.";

/// A mode of tracing, as a word.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Mode {
    /// Active tracing, and the invocation is recorded
    Active,
    /// Active tracing, and the invocation isn't recorded
    Unsampled,
    /// No active tracing: the header names a trace only
    PassThrough,
    /// No header
    Off,
}

impl Arguments {
    pub(crate) fn settings(&self) -> Settings {
        let file = self.program.as_deref().and_then(|program| program.file_name());
        let name = self.name.clone().or_else(|| Some(file?.to_string_lossy().into_owned()));
        let mut variables = self.variables.clone();
        if self.snap_start {
            variables.push(("AWS_LAMBDA_INITIALIZATION_TYPE".to_owned(), "snap-start".to_owned()));
        }
        let defaults = Settings::default();
        Settings {
            concurrency: self.concurrency.into(),
            freeze: !self.no_freeze,
            quiet: self.quiet,
            name: name.unwrap_or(defaults.name),
            timeout: self.timeout,
            variables,
        }
    }

    pub(crate) fn tracing(&self) -> Tracing {
        match self.tracing {
            Mode::Active => Tracing::Active,
            Mode::Unsampled => Tracing::Unsampled,
            Mode::PassThrough => Tracing::PassThrough,
            Mode::Off => Tracing::Off,
        }
    }
}

fn event(argument: &str) -> Result<Value, String> {
    if let Some(path) = argument.strip_prefix('@') {
        let json = std::fs::read_to_string(path).map_err(|err| format!("{path} can't be read: {err}"))?;
        return serde_json::from_str(&json).map_err(|err| format!("{path} is not JSON: {err}"));
    }
    let json = samples::find(argument).map_or(argument, |sample| sample.json);
    serde_json::from_str(json)
        .map_err(|err| format!("neither JSON ({err}), nor @FILE, nor a built-in event ({})", names()))
}

fn sample(name: &str) -> Result<samples::Sample, String> {
    samples::find(name).ok_or_else(|| format!("no built-in event; accepted are {}", names()))
}

fn names() -> String {
    samples::SAMPLES.map(|sample| sample.name).join(", ")
}

fn variable(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() && !argument.contains('\0') => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("NAME=VALUE is accepted, with a name that isn't empty".to_owned()),
    }
}

fn seconds(argument: &str) -> Result<Duration, String> {
    let seconds = argument.parse().ok().filter(|seconds| (0.001..=900.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "0.001 to 900 seconds are accepted".to_owned())
}
