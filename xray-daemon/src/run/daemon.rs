//! The daemon from start to signal.
//!
//! Everything comes up in this order: log, signals, UDP socket, spool, AWS, relay, admin, threads and tasks. An error up
//! to the last step ends the process with status 1; from then on only a signal does. The way down is `stop`.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{error, info, warn};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use xray_sdk::receive::ReceiveSocket;

use super::stop::{Running, stop};
use super::version::VERSION;
use crate::aws::{Aws, Settings};
use crate::config::{Config, Load};
use crate::counters::{Counters, Heartbeat};
use crate::receive::Receiver;
use crate::relay::{BindError, Guard, Relay, RelaySettings, RelayStats};
use crate::report::admin::{Admin, Pages};
use crate::report::health::Health;
use crate::report::health_socket::HealthSocket;
use crate::report::host::Host;
use crate::report::metrics::{Metrics, Sources};
use crate::report::signals::Signals;
use crate::report::telemetry::Telemetry;
use crate::report::{log as daemon_log, notify, summary};
use crate::spool::{Disk, Index};
use crate::upload::{self, Clock, Deadline, Engine, Uploads, drive};

/// Runs until a signal. Returns whether it ended in order.
pub(super) fn run(load: &Load) -> bool {
    let config = &load.config;
    if let Err(error) = daemon_log::init(&config.log) {
        let file = config.log.path.as_deref().unwrap_or_else(|| Path::new("standard output")).display();
        let reason = format!("The log {file} can't be written: {error}");
        daemon_log::write_error(Box::new(io::stderr()), &reason);
        return false;
    }
    info!("Initializing AWS X-Ray daemon {VERSION}");
    for warning in &load.warnings {
        warn!("{warning}");
    }
    let result = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|error| format!("The runtime can't be started: {error}"))
        .and_then(|runtime| {
            let result = runtime.block_on(serve(config));
            // What is left are lookups of names and the like, which a stop does not wait for.
            runtime.shutdown_background();
            result
        });
    if let Err(reason) = &result {
        error!("{reason}");
    }
    log::logger().flush();
    result.is_ok()
}

/// Threads for uploads, relay and reports. The receiving thread is one more.
const WORKERS: usize = 2;

/// The time between two questions for the kernel's drops.
const DROPS_EVERY: Duration = Duration::from_secs(10);

async fn serve(config: &Config) -> Result<(), String> {
    let mut signals = Signals::take().map_err(|error| format!("Signals can't be received: {error}"))?;
    info!("Using buffer memory limit of {} MB", config.buffer_memory >> 20);
    let counters = Arc::new(Counters::default());
    let heartbeat = Arc::new(Heartbeat::default());
    let socket = listen(config)?;
    let (disk, index) = open_spool(config)?;
    let settings = Settings::from(config);
    let aws = tokio::select! {
        aws = Aws::set_up(&settings) => aws.map_err(|error| error.to_string())?,
        signal = signals.next() => return Err(format!("{signal} before the start was over")),
    };
    let engine = Engine::new(upload::Settings::new(config), index, Arc::clone(&counters), fastrand::u64(..));
    let uploads = Uploads::new(engine, Clock::start());
    let (stopping, stopped) = watch::channel(false);
    let (deadline, until) = watch::channel::<Deadline>(None);
    let relay_stats = Arc::new(RelayStats::default());
    let mut tasks = Tasks { set: JoinSet::new(), stopped };

    let relay = match Relay::bind(RelaySettings::from(config), Arc::clone(&relay_stats)).await {
        Ok(relay) => Some(relay),
        Err(error @ BindError::Listen(..)) => {
            error!("{error}");
            None
        }
        Err(error) => return Err(error.to_string()),
    };
    let health = Health {
        counters: Arc::clone(&counters),
        heartbeat: Arc::clone(&heartbeat),
        credentials: Arc::clone(aws.client.credentials()),
        uploads: uploads.clone(),
        relay_listens: relay.is_some(),
    };
    if let Some(address) = &config.admin_address {
        let admin = Admin::bind(address)
            .await
            .map_err(|error| format!("The address of --admin, `{address}`, can't be listened on: {error}"))?;
        let sources = Sources {
            counters: Arc::clone(&counters),
            relay: relay_stats,
            client: aws.client.clone(),
            uploads: uploads.clone(),
            heartbeat: Arc::clone(&heartbeat),
        };
        let guard = Guard::new(&config.relay_allow_hosts, &[], &config.environment);
        let pages = Pages { metrics: Metrics::new(sources), health: health.clone(), guard };
        tasks.spawn(|stop| admin.serve(pages, stop));
    }
    let receiver = Receiver::start(socket, uploads.clone(), Arc::clone(&counters), Arc::clone(&heartbeat))
        .map_err(|error| format!("The receiving thread can't be started: {error}"))?;
    let driver: JoinHandle<()> =
        tokio::spawn(drive(uploads, Arc::new(aws.client.clone()), disk, Arc::clone(&counters), until));
    serve_health(config, &receiver, &health, &mut tasks);
    if let Some(relay) = relay {
        let client = aws.client.clone();
        tasks.spawn(|stop| relay.serve(client, stop));
    }
    tasks.spawn({
        let counters = Arc::clone(&counters);
        |stop| summary::run(counters, notify::status, stop)
    });
    tasks.spawn(|stop| notify::watch(health, stop));
    let telemetry = spawn_telemetry(config, &aws, &counters, stopping.subscribe());
    let asks_sts = config.caller_identity;
    let clock = Arc::clone(aws.client.clock());
    tokio::spawn(async move { aws.introduce(asks_sts).await });
    notify::ready();

    let mut running =
        Running { receiver, driver, telemetry, counters, stopping, deadline, tasks: tasks.set, clock };
    let signal = wait(&mut running, &mut signals).await?;
    stop(running, signal, &mut signals, config.shutdown).await;
    Ok(())
}

/// Opens the UDP port, and says how large the kernel's buffer is.
fn listen(config: &Config) -> Result<ReceiveSocket, String> {
    let address = match config.udp_address.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => config.udp_address.clone(),
    };
    let socket = ReceiveSocket::bind_with_buffer(&address, config.receive_buffer)
        .map_err(|error| format!("UDP address `{address}` can't be listened on: {error}"))?;
    let listening = socket.local_addr().map_or(address, |address| address.to_string());
    let (size, asked) = (socket.buffer_size(), config.receive_buffer);
    info!("Listening on UDP {listening} with a receive buffer of {} KB", size >> 10);
    if size > 0 && size < asked.min(SMALL_BUFFER) {
        warn!(
            "The receive buffer is small, so that bursts of segments get lost. On Linux, raise it by: sysctl -w net.core.rmem_max={asked}"
        );
    }
    Ok(socket)
}

/// A receive buffer below this loses a burst of a thousand segments.
const SMALL_BUFFER: usize = 1 << 20;

fn open_spool(config: &Config) -> Result<(Option<Disk>, Option<Index>), String> {
    let Some(spool) = &config.spool else { return Ok((None, None)) };
    let (disk, found) = Disk::open(&spool.path).map_err(|error| error.to_string())?;
    let documents: u64 = found.iter().map(|entry| entry.documents).sum();
    info!("Using the spool {}, which has {documents} documents", spool.path.display());
    Ok((Some(disk), Some(Index::new(found, spool.max_bytes, spool.max_age))))
}

/// Tasks that end when they are asked to.
struct Tasks {
    set: JoinSet<()>,
    stopped: watch::Receiver<bool>,
}

impl Tasks {
    fn spawn<F>(&mut self, task: impl FnOnce(super::stop::Stop) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = super::stop::stop_of(self.stopped.clone());
        self.set.spawn(task(stop));
    }
}

#[cfg(unix)]
fn serve_health(config: &Config, receiver: &Receiver, health: &Health, tasks: &mut Tasks) {
    use crate::report::health_socket::HealthServer;

    // With port 0 the place follows from the port that was taken.
    let address =
        receiver.local_addr().map_or_else(|_| config.udp_address.clone(), |address| address.to_string());
    let socket = HealthSocket::new(config.health_socket.as_deref(), &address);
    match HealthServer::bind(&socket) {
        Ok(server) => {
            let health = health.clone();
            tasks.spawn(|stop| server.serve(health, stop));
        }
        Err(error) => warn!("No answers for `xray-daemon health`: {socket}: {error}"),
    }
}

#[cfg(not(unix))]
fn serve_health(config: &Config, _: &Receiver, _: &Health, _: &mut Tasks) {
    let socket = HealthSocket::new(config.health_socket.as_deref(), &config.udp_address);
    log::debug!("No local socket on this system: {socket}");
}

type TelemetryTask = JoinHandle<Telemetry<crate::aws::SignedClient>>;

fn spawn_telemetry(
    config: &Config,
    aws: &Aws,
    counters: &Arc<Counters>,
    stopped: watch::Receiver<bool>,
) -> TelemetryTask {
    let (aws, counters) = (aws.clone(), Arc::clone(counters));
    let (environment, resource_arn) = (config.environment.clone(), config.resource_arn.clone());
    tokio::spawn(async move {
        let host = Host::find(&environment, &aws.metadata, &resource_arn).await;
        let clock = Arc::clone(aws.client.clock());
        let telemetry = Telemetry::new(aws.client, counters, host);
        telemetry.run(move || clock.now(), super::stop::stop_of(stopped)).await
    })
}

/// Waits for a signal, and asks the kernel for its drops meanwhile.
async fn wait(running: &mut Running, signals: &mut Signals) -> Result<&'static str, String> {
    let mut last_drops = 0;
    let mut warned: Option<Instant> = None;
    loop {
        tokio::select! {
            signal = signals.next() => return Ok(signal),
            ended = &mut running.driver => return Err(format!("Uploads ended by themselves: {ended:?}")),
            () = tokio::time::sleep(DROPS_EVERY) => {}
        }
        running.receiver.count_kernel_drops();
        let drops = running.counters.snapshot().kernel_drops.unwrap_or_default();
        let is_time = warned.is_none_or(|warned| warned.elapsed() >= summary::INTERVAL);
        if drops > last_drops && is_time {
            warn!(
                "The kernel dropped {} datagrams, since its receive buffer was full: raise net.core.rmem_max, or pace the senders",
                drops - last_drops
            );
            (last_drops, warned) = (drops, Some(Instant::now()));
        }
    }
}
