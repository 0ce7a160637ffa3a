//! `serve`: the daemon, the API and the console, until a signal.

use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::access::Mode;
use crate::cli::arguments::{account, region};
use crate::cli::failure::Failure;
use crate::cli::{doors, output, when};
use crate::model::Home;
use crate::serve::{Server, Settings, StartError};
use crate::store::Place;

/// Serve the daemon, the API and the console. Ctrl-C ends it; everything received is in the file then.
#[derive(Clone, Debug, Args)]
pub(in super::super) struct Serve {
    /// Address at which segments arrive by UDP, as at a daemon.
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:2000")]
    udp: SocketAddr,
    /// Address at which the daemon's API calls arrive: sampling rules and targets.
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:2000")]
    tcp: SocketAddr,
    /// Address of the X-Ray API and the console.
    #[arg(long, value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:2001")]
    api: SocketAddr,
    /// The data file, or :memory:. Defaults to the place where the system keeps such data.
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    data: Option<String>,
    /// Mode for calls without a valid signature or permission: off, warn or enforce. Defaults to warn on
    /// loopback, and to enforce beyond it.
    #[arg(long, value_name = "MODE")]
    access: Option<Mode>,
    /// A further name under which clients address this server, such as a service of a compose file.
    #[arg(long = "allow-host", value_name = "NAME")]
    allow_hosts: Vec<String>,
    /// The region that this server stands for.
    #[arg(long, value_name = "REGION", value_parser = region, default_value = "us-east-1")]
    region: String,
    /// The account that this server stands for: twelve digits.
    #[arg(long, value_name = "ID", value_parser = account, default_value = "123456789012")]
    account: String,
    /// Age at which traces are deleted.
    #[arg(long, value_name = "LENGTH", value_parser = when::length, default_value = "30d")]
    keep: Duration,
    /// Size of the data above which the oldest traces are deleted, at least 1MB.
    #[arg(long, value_name = "SIZE", value_parser = when::bound, default_value = "2GB")]
    max_size: u64,
    /// X-Ray's limits: real, or off to lift them.
    #[arg(long, value_name = "real|off", value_parser = limits, default_value = "real")]
    limits: Limits,
    /// Print the addresses as JSON once everything listens.
    #[arg(long)]
    json: bool,
    /// End when the standard input ends: for a program that starts this one as a child, which goes with it then.
    #[arg(long)]
    until_eof: bool,
}

/// X-Ray's limits, in force or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limits {
    Real,
    Off,
}

impl Serve {
    pub(in super::super) fn run(&self) -> Result<ExitCode, Failure> {
        runtime()?.block_on(self.serve())
    }

    async fn serve(&self) -> Result<ExitCode, Failure> {
        let settings = self.settings()?;
        // Asked for before anything listens, so that no signal is missed.
        let stop = stop_signal()?;
        let eof = end_of_input(self.until_eof)?;
        let server = start(&settings).await?;
        let addresses = server.addresses();
        if self.json {
            output::line(addresses.json())?;
        } else {
            output::line(format!(
                "xray-local listens: UDP {}, TCP {}, API {}, console {}, data {}",
                addresses.udp,
                addresses.tcp,
                addresses.endpoint(),
                addresses.console(),
                addresses.data.display()
            ))?;
        }
        tokio::select! {
            () = stop => {}
            () = eof => {}
        }
        server.stop().await;
        Ok(ExitCode::SUCCESS)
    }

    fn settings(&self) -> Result<Settings, Failure> {
        let data = match &self.data {
            Some(data) => Place::from_argument(data),
            None => Place::of_the_system().map_err(Failure::new)?,
        };
        Ok(Settings {
            udp: self.udp,
            tcp: self.tcp,
            api: self.api,
            data,
            access: self.access,
            allowed_hosts: self.allow_hosts.clone(),
            home: Home { region: self.region.clone(), account: self.account.clone() },
            keep: self.keep,
            max_size: self.max_size,
            limits: self.limits == Limits::Real,
        })
    }
}

/// Starts a server with all its doors.
pub(super) async fn start(settings: &Settings) -> Result<Server, Failure> {
    let started =
        Server::start(settings, async |store, addresses| doors::open(settings, store, addresses).await);
    started.await.map_err(|err| match err {
        StartError::Occupied(_) | StartError::Setup(_) => Failure::usage(err),
        _ => Failure::new(err),
    })
}

/// The runtime of commands that serve.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::new)
}

/// Waits for SIGINT or SIGTERM.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::new)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::new)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // Without a way to hear of Ctrl-C, the process ends by it; the store survives that.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Waits for the end of the standard input, or for ever if that does not matter.
fn end_of_input(matters: bool) -> Result<impl Future<Output = ()>, Failure> {
    let (ended, end) = tokio::sync::oneshot::channel();
    if matters {
        // A thread of its own: a runtime would wait for one that still reads.
        let read = move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            let _ = ended.send(());
        };
        thread::Builder::new().name("xray-local-stdin".to_owned()).spawn(read).map_err(Failure::new)?;
    }
    Ok(async move {
        if !matters || end.await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let form = "write ADDRESS:PORT, such as 127.0.0.1:2000 or 0.0.0.0:2000";
    let mut addresses = text.to_socket_addrs().map_err(|err| format!("\"{text}\": {err}; {form}"))?;
    addresses.next().ok_or_else(|| format!("\"{text}\" has no address; {form}"))
}

fn limits(text: &str) -> Result<Limits, String> {
    match text {
        "real" => Ok(Limits::Real),
        "off" => Ok(Limits::Off),
        _ => Err(format!("\"{text}\" is neither real nor off")),
    }
}
