//! The cost of a layer to a Lambda function: `cargo run --release --bin lambda_numbers`.
//!
//! The program builds the same function without tracing, with this layer, and (with `-- --rival`) with OpenTelemetry, runs
//! each under the emulated Lambda, turn by turn, and prints one table. What times contain beside the function,
//! process start and loopback HTTP, is the same in each row. Of warm invocations it shows the median and the tenth
//! percentile, which other programs on the machine disturb less; CPU is what the function's threads took.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::collections::HashSet;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use lambda_local::{Lambda, Settings, Tracing};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Function {
    title: &'static str,
    feature: &'static str,
    program: PathBuf,
    cold: Vec<Duration>,
    warm: Vec<Duration>,
    /// Time on a processor for each invocation, one figure a round.
    cpu: Vec<Duration>,
    /// Documents of one invocation that had arrived when the response was posted.
    in_time: usize,
}

fn main() -> Result<()> {
    let has = |flag| std::env::args().any(|argument| argument == flag);
    let mut functions =
        vec![Function::build("without tracing", "plain")?, Function::build("xray-tracing-layer", "xray")?];
    if has("--rival") {
        functions.push(Function::build("tracing-opentelemetry + opentelemetry-aws", "rival")?);
    }
    for _ in 0..COLD_STARTS {
        for function in &mut functions {
            let lambda = function.start()?;
            let outcome = lambda.invoke(Tracing::Active, json!({ "order": 7 }))?;
            function.cold.push(outcome.since_start);
        }
    }
    for _ in 0..ROUNDS {
        for function in &mut functions {
            let lambda = function.start()?;
            let mut cpu = Duration::ZERO;
            for number in 0..WARM_UP + INVOCATIONS {
                if number == WARM_UP {
                    cpu = lambda.cpu_time();
                }
                let outcome = lambda.invoke(Tracing::Active, json!({ "order": number }))?;
                if number >= WARM_UP {
                    function.warm.push(outcome.elapsed);
                    function.in_time = outcome.documents.len();
                }
                lambda.collector().clear();
            }
            function.cpu.push((lambda.cpu_time() - cpu) / INVOCATIONS as u32);
        }
    }
    print(&mut functions)
}

impl Function {
    fn build(title: &'static str, feature: &'static str) -> Result<Self> {
        let cargo = |arguments: &[&str]| -> Result<String> {
            let mut command = Command::new(env!("CARGO"));
            let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output()?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into());
            }
            Ok(String::from_utf8(output.stdout)?)
        };
        let name = format!("function_{feature}");
        // As Lambda's tools build: stripped.
        let strip = "profile.release.strip=\"symbols\"";
        let package = ["-p", "lambda-functions", "--features", feature];
        cargo(&[&["build", "--release", "--config", strip, "--bin", &name], &package[..]].concat())?;
        let program = std::env::current_exe()?.with_file_name(name);
        Ok(Self { title, feature, program, cold: Vec::new(), warm: Vec::new(), cpu: Vec::new(), in_time: 0 })
    }

    fn start(&self) -> Result<Lambda> {
        // One worker, as on the one processor that most functions have: two of them pass tasks to and fro.
        let variables = vec![("TOKIO_WORKER_THREADS".to_owned(), "1".to_owned())];
        let settings = Settings { freeze: false, quiet: true, variables, ..Settings::default() };
        Ok(Lambda::start(&self.program, &settings)?)
    }

    fn size(&self) -> Result<u64> {
        Ok(std::fs::metadata(&self.program)?.len())
    }

    /// Crates in the tree, build-time ones apart.
    fn crates(&self) -> Result<usize> {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args([
            "tree",
            "-p",
            "lambda-functions",
            "--features",
            self.feature,
            "-e",
            "normal",
            "--prefix",
            "none",
        ]);
        let tree = String::from_utf8(command.output()?.stdout)?;
        let name = |line: &str| line.split(' ').take(2).map(str::to_owned).collect::<Vec<_>>();
        let crates: HashSet<_> = tree.lines().map(name).collect();
        // The function's own package is no dependency.
        Ok(crates.len() - 1)
    }
}

fn print(functions: &mut [Function]) -> Result<()> {
    println!(
        "| five spans | cold start | added | warm, p10 | added | p50 | added | CPU | added | in time | binary | crates |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let mut base = None;
    for function in functions {
        let times = [
            quantile(&mut function.cold, 50),
            quantile(&mut function.warm, 10),
            quantile(&mut function.warm, 50),
            quantile(&mut function.cpu, 50),
        ];
        let base = *base.get_or_insert(times);
        let added = |i: usize| micros(times[i]) - micros(base[i]);
        println!(
            "| {} | {:.2} ms | {:+.2} ms | {:.0} µs | {:+.1} µs | {:.0} µs | {:+.1} µs | {:.0} µs | {:+.1} µs | {} documents | {:.2} MB | {} |",
            function.title,
            micros(times[0]) / 1e3,
            added(0) / 1e3,
            micros(times[1]),
            added(1),
            micros(times[2]),
            added(2),
            micros(times[3]),
            added(3),
            function.in_time,
            function.size()? as f64 / 1e6,
            function.crates()?,
        );
    }
    Ok(())
}

fn quantile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[times.len() * percent / 100]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

const COLD_STARTS: usize = 60;
/// Short ones, so that what else the machine does meets all functions alike.
const ROUNDS: usize = 30;
const WARM_UP: usize = 100;
const INVOCATIONS: usize = 400;
