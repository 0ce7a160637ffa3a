//! SIGTERM during each fault: the end comes in time, and the last line of the log accounts for every document.

#![cfg(unix)]

use crate::edge::daemon::{Daemon, command, named, usual};
use crate::edge::endpoint::Endpoint;
use crate::edge::law::Law;
use crate::edge::tls::Authority;
use crate::edge::xray::{Answer, XRay, error, ok, status};

/// The numbers of the last line of the log.
struct Totals {
    received: u64,
    sent: u64,
    rejected: u64,
    dropped: u64,
    waiting: u64,
    on_disk: u64,
}

impl Totals {
    fn of(daemon: &Daemon) -> Self {
        let line = daemon.line("Shutdown finished: ");
        let number = |before: &str| -> u64 {
            let parts = line.split(before).skip(1);
            parts.filter_map(|rest| rest.split([',', ';', ' ']).next()?.parse::<u64>().ok()).sum()
        };
        let totals = Self {
            received: number("received "),
            sent: number(" sent "),
            rejected: number(" rejected "),
            // One for each reason; the kernel's have other words.
            dropped: number(" dropped "),
            waiting: number("waiting "),
            on_disk: number(" on disk "),
        };
        let Self { received, sent, rejected, dropped, waiting, on_disk } = totals;
        assert_eq!(received, sent + rejected + dropped + waiting + on_disk, "the law: {line}");
        totals
    }
}

/// SIGTERM during each fault: the end comes in time, and every document is counted.
#[test]
fn a_shutdown_during_any_fault_counts_every_document() {
    let limit = ["--admin", "127.0.0.1:0", "--shutdown-seconds", "4"];
    let answers: [fn() -> Answer; 9] = [
        || Answer::Hang,
        || Answer::HangInBody,
        || Answer::Cut,
        || status(503, ""),
        || error(429, "ThrottledException"),
        || throttled(),
        || error(403, "AccessDeniedException"),
        || error(403, "ExpiredTokenException"),
        || error(403, "InvalidSignatureException"),
    ];
    let mut daemons: Vec<(&str, Option<Endpoint>, Daemon)> = Vec::new();
    for answer in answers {
        let endpoint = Endpoint::start();
        endpoint.fail(move |_| Some(answer()));
        let daemon = Daemon::start(&endpoint.url(), &limit);
        daemons.push(("an answer", Some(endpoint), daemon));
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let authority = Authority::new();
    let expired = XRay::start_tls(authority.server("localhost", true), |_| ok("{}"));
    for (name, url) in [
        ("nothing listens", format!("http://{free}")),
        ("unknown host", "http://no-such-host.invalid".to_owned()),
        ("certificate", expired.url_by_name()),
    ] {
        daemons.push((name, None, Daemon::spawn(command(&[&usual(&url)[..], &limit].concat()))));
    }
    let endpoint = Endpoint::start();
    let mut without = command(&[&usual(&endpoint.url())[..], &limit].concat());
    without.env_remove("AWS_ACCESS_KEY_ID");
    daemons.push(("no credentials", None, Daemon::spawn(without)));

    for (_, _, daemon) in &daemons {
        daemon.send(70);
    }
    for (name, _, daemon) in &daemons {
        Law::wait(daemon, name, |law| {
            law.received + law.kernel_dropped == 70 && law.value("calls_total") >= 1.0
        });
    }
    daemons.iter().for_each(|(.., daemon)| daemon.signal("TERM"));
    for (name, endpoint, mut daemon) in daemons {
        assert_eq!(daemon.ended().code(), Some(0), "{name}");
        let totals = Totals::of(&daemon);
        assert_eq!((totals.sent, totals.rejected, totals.dropped), (0, 0, totals.received), "{name}");
        assert_eq!(endpoint.map_or(0, |endpoint| endpoint.confirmed()), 0, "{name}");
    }
}

/// SIGTERM while documents are looked for that X-Ray refuses: what was sent is what the endpoint took.
#[test]
fn a_shutdown_among_refused_documents_counts_every_document() {
    let is_bad = |document: &String| document.contains("poison");
    let faults: [fn() -> Answer; 2] = [|| error(400, "InvalidRequestException"), || status(413, "too large")];
    for fault in faults {
        let endpoint = Endpoint::start();
        endpoint.fail(move |documents| documents.iter().any(is_bad).then(fault));
        let mut daemon = Daemon::start(&endpoint.url(), &[]);
        let name = |number: usize| match number % 10 {
            3 => "poison",
            4 => "unprocessed",
            _ => "good",
        };
        daemon.send_all((0..500).map(|number| named(number, name(number))));
        daemon.signal("TERM");
        assert_eq!(daemon.ended().code(), Some(0));
        let totals = Totals::of(&daemon);
        assert_eq!(totals.sent, endpoint.confirmed() as u64);
        assert_eq!((totals.waiting, totals.on_disk), (0, 0));
        assert!(totals.sent > 0 && totals.rejected > 0);
    }
}

fn throttled() -> Answer {
    let headers = vec![("retry-after", "600".to_owned())];
    Answer::Reply { status: 429, headers, body: "{}".to_owned() }
}
