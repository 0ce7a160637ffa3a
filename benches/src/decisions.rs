//! The cost of a decision by rules that are kept in X-Ray: 25 of them, fetched from a server on this machine as the
//! daemon would hand them out. By the place of the matching rule in the order, and by the number of threads at once.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xray_sdk::sampling::{Always, CentralSampler, Sampler, SamplingRequest};

use crate::harness::meter::Median;

/// Threads that ask at once.
const THREADS: [usize; 3] = [1, 2, 4];

/// A request, and where its rule is in the order.
#[derive(Clone, Copy, Debug)]
struct Case {
    title: &'static str,
    /// The command's word for it.
    word: &'static str,
    service: &'static str,
    path: &'static str,
}

const CASES: [Case; 3] = [
    Case { title: "the first rule", word: "first", service: "shop", path: "/api/v1/resource0/7" },
    Case {
        title: "the 13th, of five that begin alike",
        word: "middle",
        service: "cart",
        path: "/api/v1/resource12/7",
    },
    Case { title: "`Default`, the last of 25", word: "last", service: "shop", path: "/cart" },
];

impl Case {
    fn request(&self) -> SamplingRequest<'_> {
        SamplingRequest::new(self.service)
            .with_method("GET")
            .with_path(self.path)
            .with_host("shop.example.com")
            .with_epoch_seconds(NOW)
    }
}

/// A table of nanoseconds, medians over rounds in which the cases take turns.
///
/// # Errors
/// If the rules can't be fetched.
pub fn table() -> io::Result<String> {
    const ROUNDS: usize = 60;
    let sampler = sampler()?;
    let mut text = "| nanoseconds per decision, on each of".to_owned();
    for threads in THREADS {
        let _ = write!(text, " | {threads} thread{}", if threads == 1 { "" } else { "s" });
    }
    let _ = writeln!(text, " |\n|---|{}", "--:|".repeat(THREADS.len()));
    let mut samples = vec![Vec::new(); CASES.len() * THREADS.len()];
    for _ in 0..ROUNDS {
        let columns = CASES.iter().flat_map(|case| THREADS.map(|threads| (case, threads)));
        for ((case, threads), samples) in columns.zip(&mut samples) {
            samples.push(nanos(&sampler, case, threads));
        }
    }
    for (case, samples) in CASES.iter().zip(samples.chunks(THREADS.len())) {
        let _ = write!(text, "| {}", case.title);
        for one in samples {
            let median = Median::of(one.iter().copied());
            let _ = write!(text, " | {:.0} ± {:.0} %", median.value, 100.0 * median.spread);
        }
        text.push_str(" |\n");
    }
    sampler.stop();
    Ok(text)
}

/// The same decision many times, to count instructions.
///
/// # Errors
/// If there is no such case, or the rules can't be fetched.
pub fn decide(word: &str, times: u32) -> io::Result<()> {
    let case = CASES.iter().find(|case| case.word == word);
    let case = case.ok_or_else(|| io::Error::other("a decision is by the first, middle or last rule"))?;
    let sampler = sampler()?;
    ask(&sampler, case, times);
    sampler.stop();
    Ok(())
}

/// Time on the wall of the thread that was fastest: with fewer cores than threads, the others waited for one.
fn nanos(sampler: &CentralSampler, case: &Case, threads: usize) -> f64 {
    const DECISIONS: u32 = 20_000;
    let start = Barrier::new(threads);
    let work = || {
        start.wait();
        let begin = Instant::now();
        ask(sampler, case, DECISIONS);
        begin.elapsed().as_nanos() as f64 / f64::from(DECISIONS)
    };
    let mut each: Vec<f64> = thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        all.into_iter().filter_map(|one| one.join().ok()).collect()
    });
    each.sort_by(f64::total_cmp);
    each.first().copied().unwrap_or_default()
}

#[inline(never)]
fn ask(sampler: &CentralSampler, case: &Case, times: u32) {
    let request = case.request();
    for _ in 0..times {
        let _ = black_box(sampler.sample(black_box(&request)));
    }
}

/// A sampler that has its rules.
fn sampler() -> io::Result<CentralSampler> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("tcp:{0} udp:{0}", listener.local_addr()?);
    thread::Builder::new()
        .spawn(move || listener.incoming().flatten().for_each(|stream| drop(answer(stream))))?;
    let sampler = CentralSampler::with_fallback(Always);
    sampler.start(&address.parse().map_err(io::Error::other)?, "shop");
    let asked = Instant::now();
    while sampler.stats().rules_fetched == 0 {
        if asked.elapsed() > Duration::from_secs(5) {
            return Err(io::Error::other(format!("no rules came: {:?}", sampler.problem())));
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(sampler)
}

fn answer(stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
        line.clear();
    }
    io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
    let body = json!({"SamplingRuleRecords": rules()}).to_string();
    write!(
        reader.get_mut(),
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Twenty-four rules for services, methods and paths, and the default.
fn rules() -> Vec<Value> {
    let mut rules: Vec<Value> = (0..24)
        .map(|i| {
            let path = match i % 4 {
                0 => format!("/api/v1/resource{i}/*"),
                1 => format!("/r{i}*"),
                2 => format!("/orders/{i}"),
                _ => format!("/deep{i}/*/items"),
            };
            let service = ["shop", "cart", "com.example.*"][i / 8];
            rule(&format!("r{i}"), i + 1, service, ["GET", "POST", "*"][i % 3], &path)
        })
        .collect();
    rules.push(rule("Default", 10_000, "*", "*", "*"));
    rules
}

fn rule(name: &str, priority: usize, service: &str, method: &str, path: &str) -> Value {
    json!({"SamplingRule": {
        "RuleName": name, "Priority": priority, "FixedRate": 0.1, "ReservoirSize": 1, "ServiceName": service,
        "ServiceType": "*", "Host": "*", "HTTPMethod": method, "URLPath": path, "ResourceARN": "*", "Version": 1,
    }})
}

/// When all of it happens: rules hold for an hour from when they were fetched, and no request is later than that.
const NOW: u32 = 1_700_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_is_decided_by_the_rule_that_its_title_says() {
        let sampler = sampler().unwrap();
        for (case, rule) in CASES.iter().zip(["r0", "r12", "Default"]) {
            // The first of a second is borrowed, and names its rule.
            let verdict = sampler.sample(&case.request());
            assert_eq!(verdict.rule().map(|rule| &**rule), Some(rule), "{case:?}");
        }
        sampler.stop();
    }
}
