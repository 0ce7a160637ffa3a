//! `run -- CMD`: a command with an X-Ray of its own.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use clap::Args;
use rusqlite::Connection;
use tokio::process::Command;

#[cfg(unix)]
use super::serve::hang_up;
use super::serve::{runtime, start};
use crate::access::{Mode, decisions};
use crate::cli::borrowed::Borrowed;
use crate::cli::failure::Failure;
use crate::cli::{output, picture};
use crate::model::noun;
use crate::query::filter::Filter;
use crate::query::{Range, Search, find};
use crate::serve::{Server, Settings};
use crate::store::{self, Place, StoreError};

/// Run a command with an X-Ray of its own, then draw its traces and problems.
///
/// The X-Ray lives in memory on free ports. The command's environment says where: AWS_XRAY_DAEMON_ADDRESS for segments
/// and sampling, AWS_ENDPOINT_URL_XRAY for the API. XRAY_LOCAL_SAMPLE_ALL makes the tracing layer for Rust keep every
/// trace.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xray-local run -- cargo test
  xray-local run --assert-none fault -- ./integration-test.sh
  xray-local run --quiet --assert 'edge(\"shop\", \"orders\")' -- npm test")]
pub(in super::super) struct Run {
    /// Fail unless a trace of the command matches this filter expression.
    #[arg(long, value_name = "FILTER")]
    assert: Vec<String>,
    /// Fail if a trace of the command matches this filter expression.
    #[arg(long, value_name = "FILTER")]
    assert_none: Vec<String>,
    /// Call with the keys of this user, whose policies hold then: what they don't allow is refused.
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// The data file with the user. Defaults to the place where the system keeps such data.
    #[arg(long, value_name = "FILE", requires = "identity")]
    data: Option<PathBuf>,
    /// Draw no traces.
    #[arg(long)]
    quiet: bool,
    /// The most traces to draw, the newest.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// The variable by which the layer's default sampler keeps everything.
const SAMPLE_ALL: &str = "XRAY_LOCAL_SAMPLE_ALL";

/// Denials that are reported, the newest.
const DENIED: usize = 50;

/// Datagrams that the kernel still has when the command ends are read within this time, and decisions that wait
/// ([`decisions::DELAY`]) are written.
const SETTLE: Duration = Duration::from_millis(250);

impl Run {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        runtime()?.block_on(self.observe())
    }

    /// The filters, and whether a trace should match.
    fn assertions(&self) -> Result<Vec<(Filter, bool)>, Failure> {
        let wanted = self.assert.iter().map(|text| (text, true));
        let unwanted = self.assert_none.iter().map(|text| (text, false));
        let parse = |(text, wanted): (&String, bool)| {
            Filter::parse(text).map(|filter| (filter, wanted)).map_err(Failure::usage)
        };
        wanted.chain(unwanted).map(parse).collect()
    }

    async fn observe(&self) -> Result<ExitCode, Failure> {
        // A wrong filter is reported before the command runs.
        self.assertions()?;
        let borrowed = self.identity.as_deref().map(|name| self.borrow(name)).transpose()?;
        let access = borrowed.as_ref().map(|_| Mode::Enforce);
        let server = start(&Settings { access, ..Settings::private() }).await?;
        if let Some(borrowed) = &borrowed {
            borrowed.lend(server.store()).await.map_err(Failure::new)?;
        }
        let status = self.execute(&server, borrowed.as_ref()).await?;
        tokio::time::sleep(SETTLE).await;
        let store = server.store().clone();
        // Everything that was offered is committed before a write that is asked for later.
        store.write(|_| Ok::<_, StoreError>(())).await.map_err(Failure::new)?;
        let report = self.report(&server).await;
        server.stop().await;
        let failed = report?;
        Ok(if status.success() && failed { ExitCode::FAILURE } else { code(status) })
    }

    fn borrow(&self, name: &str) -> Result<Borrowed, Failure> {
        if let Some(path) = &self.data {
            return Borrowed::read(path, name);
        }
        match Place::of_the_system().map_err(Failure::new)? {
            Place::File(path) => Borrowed::read(&path, name),
            Place::Memory => Err(Failure::usage("--data names the file with the user")),
        }
    }

    async fn execute(&self, server: &Server, borrowed: Option<&Borrowed>) -> Result<ExitStatus, Failure> {
        let addresses = server.addresses();
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(Failure::usage("no command is given"));
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("AWS_XRAY_DAEMON_ADDRESS", addresses.daemon_address())
            .env("AWS_ENDPOINT_URL_XRAY", addresses.endpoint())
            .env(SAMPLE_ALL, "1");
        if let Some(borrowed) = borrowed {
            // boto3 reads the second name of the region, other SDKs the first.
            let region = &server.store().home().region;
            command
                .env("AWS_ACCESS_KEY_ID", &borrowed.key)
                .env("AWS_SECRET_ACCESS_KEY", &borrowed.secret)
                .env("AWS_REGION", region)
                .env("AWS_DEFAULT_REGION", region)
                .env_remove("AWS_SESSION_TOKEN")
                .env_remove("AWS_PROFILE");
        }
        let name = program.to_string_lossy().into_owned();
        let mut signals = Signals::listen()?;
        let mut child = command.spawn().map_err(|err| Failure::usage(format!("can't run {name}: {err}")))?;
        loop {
            tokio::select! {
                status = child.wait() => return status.map_err(Failure::new),
                pass_on = signals.next() => if pass_on {
                    terminate(&child).await;
                },
            }
        }
    }

    /// Draws traces and problems. Returns whether an assertion failed.
    async fn report(&self, server: &Server) -> Result<bool, Failure> {
        let limit = if self.quiet { 0 } else { self.limit };
        let store = server.store();
        let traces = store.ask(move |connection| latest(connection, limit)).await.map_err(Failure::new)?;
        for trace in &traces {
            output::note(picture::waterfall_of(trace.iter().map(String::as_str), false).trim_end());
        }
        for problem in store.ask(problems).await.map_err(Failure::new)? {
            output::note(format!("problem: {problem}"));
        }
        let counts = server.store().counts();
        output::note(format!(
            "xray-local: {} {} stored, {} refused, {} {} without a valid header, {} dropped by the kernel",
            counts.stored,
            noun(counts.stored, "document"),
            counts.refused,
            counts.invalid_datagrams,
            noun(counts.invalid_datagrams, "datagram"),
            counts.dropped_kernel
        ));
        if self.identity.is_some() {
            let denied = store.ask(|connection| decisions::latest(connection, true, DENIED)).await;
            for denied in denied.map_err(Failure::new)?.iter().rev() {
                let times =
                    if denied.count > 1 { format!(" ({} times)", denied.count) } else { String::new() };
                output::note(format!("denied: {}{times}", output::plain(&denied.decision.reason)));
            }
        }
        let mut failed = false;
        for (filter, wanted) in self.assertions()? {
            let text = filter.to_string();
            let search = Search { limit: 1, ..Search::new(Range::ALL, filter) };
            let found = store.ask(move |connection| find(connection, &search)).await.map_err(Failure::new)?;
            if found.keys.is_empty() == wanted {
                failed = true;
                let what = if wanted { "no trace matches" } else { "a trace matches" };
                output::note(format!("xray-local: {what} {text}"));
            }
        }
        Ok(failed)
    }
}

/// Signals that end other programs, listened to before the command begins.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};

        let listen = |kind| signal(kind).map_err(Failure::new);
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: Box::pin(hang_up()?),
        })
    }

    #[cfg(not(unix))]
    fn listen() -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// Waits for the next signal. Returns whether the command has to get it: the terminal sends Ctrl-C to the
    /// command as well, which decides what that means.
    async fn next(&mut self) -> bool {
        #[cfg(unix)]
        return tokio::select! {
            _ = self.interrupt.recv() => false,
            _ = self.terminate.recv() => true,
            () = &mut self.hang_up => true,
        };
        #[cfg(not(unix))]
        {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            false
        }
    }
}

/// Sends SIGTERM to the command, which would be left behind otherwise. The system has a program for that.
async fn terminate(child: &tokio::process::Child) {
    let Some(id) = child.id() else { return };
    // A command that has just ended is no error.
    let _ = Command::new("kill").arg("-TERM").arg(id.to_string()).status().await;
}

/// Documents of the latest traces, oldest of them first.
fn latest(connection: &Connection, limit: usize) -> Result<Vec<Vec<String>>, StoreError> {
    let keys = connection
        .prepare("SELECT key FROM traces ORDER BY key DESC LIMIT ?")?
        .query_map([limit], |row| row.get(0).map(crate::model::TraceKey))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut traces = Vec::new();
    for key in keys.into_iter().rev() {
        let documents = store::documents(connection, key)?;
        traces.push(documents.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect());
    }
    Ok(traces)
}

/// Problems, the gravest first.
fn problems(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let lines = connection
        .prepare(
            "SELECT service, code, path, message, sum(count) FROM problems
             GROUP BY service, code, path, message ORDER BY min(severity), min(first_us) LIMIT 50",
        )?
        .query_map([], |row| {
            let [service, code, path, message]: [String; 4] =
                [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            let count: i64 = row.get(4)?;
            let place = [service, code, path]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" ");
            let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
            Ok(format!("{place}: {message}{times}"))
        })?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    Ok(lines.iter().map(|line| output::plain(line)).collect())
}

/// The exit code of the command; 128 and the signal's number if one ended it, as shells have it.
fn code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return ExitCode::from(u8::try_from(128 + signal).unwrap_or(1));
    }
    ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
