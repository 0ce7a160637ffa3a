//! The two tables, as Markdown.

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::backend;
use crate::contender::{Contender, NONE};
use crate::contenders;
use crate::driver::{self, Latencies};
use crate::process::Service;

/// Requests a second where the rate is fixed: well below what the service could do.
const RATE: u32 = 400;

/// How long a service is driven in each of the two ways, in each round.
const TURN: Duration = Duration::from_secs(2);

/// What one contender did in one round.
struct Round {
    /// Requests a second at saturation.
    most: f64,
    p50: f64,
    p99: f64,
    /// Processor time of a request in microseconds, at the fixed rate and at saturation.
    paced: f64,
    saturated: f64,
    /// Of the latter, that of the tracer's own threads.
    threads: f64,
}

/// Times, in `rounds` rounds of all contenders.
///
/// # Errors
/// If a service fails.
pub(crate) fn times(rounds: usize) -> io::Result<String> {
    let (backend, daemon) = (backend::start()?, backend::sink()?);
    let contenders = contenders::all();
    let start = |contender: &Contender| Service::start(&[], contender.name, backend, daemon);
    let mut services = contenders.iter().map(start).collect::<io::Result<Vec<_>>>()?;
    for service in &services {
        driver::requests(service.address, 500)?;
    }
    let mut results: Vec<Vec<Round>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for place in 0..services.len() {
            // No contender always comes after the same neighbour.
            let which = (place + round) % services.len();
            results[which].push(measure(&mut services[which])?);
        }
    }
    let mut table = String::from(
        "| | processor time of a request, at saturation | added | the tracer's threads | at a fixed rate | added | requests a \
         second | p50 | p99 |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let base = &results[0];
    for (contender, rounds) in contenders.iter().zip(&results) {
        let column = |of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
        let added = |of: fn(&Round) -> f64| {
            if contender.name == NONE {
                return "–".to_owned();
            }
            let mut ratios: Vec<f64> =
                rounds.iter().zip(base).map(|(one, base)| of(one) / of(base) * 100.0 - 100.0).collect();
            ratios.sort_unstable_by(f64::total_cmp);
            let at = |quarter: usize| ratios[(ratios.len() - 1) * quarter / 4];
            format!("{:+.1} % ({:+.1} to {:+.1})", at(2), at(1), at(3))
        };
        let _ = writeln!(
            table,
            "| {} | {:.0} µs | {} | {:.1} µs | {:.0} µs | {} | {:.0} | {:.2} ms | {:.2} ms |",
            contender.name,
            column(|round| round.saturated),
            added(|round| round.saturated),
            column(|round| round.threads),
            column(|round| round.paced),
            added(|round| round.paced),
            column(|round| round.most),
            column(|round| round.p50),
            column(|round| round.p99),
        );
    }
    let _ = write!(
        table,
        "\nMedians of the rounds, {rounds}; of what is added, the median over the rounds, and its middle half. Latencies at {RATE} requests a second."
    );
    Ok(table)
}

fn measure(service: &mut Service) -> io::Result<Round> {
    let address = service.address;
    let mut turn = |drive: &dyn Fn(SocketAddr) -> io::Result<Latencies>| {
        let before = service.processor_time()?;
        let latencies = drive(address)?;
        let [all, threads] = service.processor_time()?;
        let each = |spent: Duration| spent.as_secs_f64() * 1e6 / latencies.count().max(1) as f64;
        let spent = [each(all.saturating_sub(before[0])), each(threads.saturating_sub(before[1]))];
        io::Result::Ok((spent, latencies))
    };
    let ([paced, _], latencies) = turn(&|service| driver::paced(service, RATE, TURN))?;
    let ([saturated, threads], most) = turn(&|service| driver::saturate(service, TURN))?;
    Ok(Round {
        most: most.count() as f64 / TURN.as_secs_f64(),
        p50: latencies.quantile(500).as_secs_f64() * 1e3,
        p99: latencies.quantile(990).as_secs_f64() * 1e3,
        paced,
        saturated,
        threads,
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Instructions of a request outside of the kernel: those of many requests less those of few, so that neither start nor
/// end counts.
///
/// # Errors
/// If a service fails, or valgrind is not there.
pub(crate) fn instructions() -> io::Result<String> {
    let (backend, daemon) = (backend::start()?, backend::sink()?);
    let mut table = String::from("| | instructions of a request | added |\n|---|--:|--:|\n");
    let mut base = None;
    for contender in contenders::all() {
        let count = |requests| {
            let wrapper = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
            let service = Service::start(&wrapper, contender.name, backend, daemon)?;
            driver::requests(service.address, requests)?;
            collected(&service.end()?)
        };
        let (few, many) = (200, 3_200);
        let each = (count(many)? - count(few)?) / (many - few) as f64;
        let base = *base.get_or_insert(each);
        let _ = writeln!(table, "| {} | {each:.0} | {:+.1} % |", contender.name, each / base * 100.0 - 100.0);
    }
    Ok(table)
}

/// The sum that callgrind writes at its end.
fn collected(errors: &str) -> io::Result<f64> {
    let line = errors.lines().find_map(|line| line.split_once("Collected : "));
    let number = line.and_then(|(_, number)| number.trim().parse().ok());
    number.ok_or_else(|| io::Error::other(format!("valgrind counted nothing: {errors}")))
}
