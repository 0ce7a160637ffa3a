//! Delivery: spans that X-Ray takes, of those that were opened, in cases that ordinary programs come upon. A
//! document that was sent and is refused, or never left, does not count.

use std::io;
use std::path::Path;

use tracing::{error, error_span, info_span, warn};

use crate::contenders::{self};
use crate::harness::receiver::{Arrived, Receiver};
use crate::workload::contender::Setting;
use crate::workload::jobs::Job;

/// What a program does, and how many spans of it should arrive.
#[derive(Clone, Copy)]
pub struct Case {
    /// In a few words.
    pub name: &'static str,
    spans: u64,
    /// Whether a span of it must say `fault`, or nothing counts.
    fault: bool,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    /// With `tracing`'s macros, so only for its subscribers.
    Macros(fn()),
    /// A job, so many times without a pause.
    Job(Job, u32),
}

/// The cases, from everyday ones to large ones.
pub const CASES: [Case; 11] = [
    Case { name: "a request of five spans", spans: 5, fault: false, what: What::Job(Job::Request, 1) },
    Case {
        name: "a root without the kind of a server",
        spans: 2,
        fault: false,
        what: What::Macros(plain_root),
    },
    Case { name: "a span named `GET /users/{id}`", spans: 2, fault: false, what: What::Macros(braces) },
    Case { name: "a span named `SELECT * FROM orders`", spans: 2, fault: false, what: What::Macros(star) },
    Case { name: "a span with a name of 300 bytes", spans: 2, fault: false, what: What::Macros(long_name) },
    Case { name: "an error that was only warned of", spans: 2, fault: false, what: What::Macros(warned) },
    Case { name: "status 503, marked as a fault", spans: 1, fault: true, what: What::Macros(unavailable) },
    Case {
        name: "one value of 70 KB among ten requests",
        spans: 11,
        fault: false,
        what: What::Macros(large_value),
    },
    Case { name: "80 children below a root", spans: 81, fault: false, what: What::Job(Job::Children(80), 1) },
    Case {
        name: "5,000 children below a root",
        spans: 5_001,
        fault: false,
        what: What::Job(Job::Children(5_000), 1),
    },
    Case {
        name: "a burst of 2,000 requests",
        spans: 10_000,
        fault: false,
        what: What::Job(Job::Request, 2_000),
    },
];

/// Spans of each case that arrived, in the order of [`CASES`], then those of a request to an IPv6 daemon; `None`
/// where a contender has no way to do the case.
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) contender: &'static str,
    pub(crate) arrived: Vec<Option<Delivery>>,
}

/// What became of one case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) spans: u64,
    /// Datagrams that the sink did not read fast enough: lost on the way, but sent.
    pub(crate) overflowed: u64,
    /// Why the first refused document was refused.
    pub(crate) refusal: String,
}

impl Case {
    pub(crate) fn spans(&self) -> u64 {
        self.spans
    }
}

/// Tries all contenders that send.
///
/// # Errors
/// If the sink can't be started.
pub fn measure(binary: &Path) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for contender in contenders::all().iter().filter(|one| one.sends) {
        let mut sink = Receiver::start_reading(contender.receiver, binary, "127.0.0.1:0")?;
        let arrived =
            CASES.iter().map(|case| try_case(contender, case, &mut sink)).collect::<io::Result<Vec<_>>>();
        let mut arrived = arrived?;
        // Not every machine has IPv6.
        let case = &CASES[0];
        let six = Receiver::start_reading(contender.receiver, binary, "[::1]:0")
            .and_then(|mut sink| try_case(contender, case, &mut sink));
        arrived.push(six.unwrap_or_else(|_| Some(Delivery::default())));
        rows.push(Row { contender: contender.name, arrived });
    }
    Ok(rows)
}

fn try_case(
    contender: &crate::workload::contender::Contender,
    case: &Case,
    sink: &mut Receiver,
) -> io::Result<Option<Delivery>> {
    sink.arrived()?;
    sink.keep()?;
    let setting = Setting { short_queue: true, ..Setting::to(sink.address()) };
    // One that can't even be set up for this daemon delivers nothing to it.
    let Ok(Some(world)) = (contender.build)(setting) else { return Ok(Some(Delivery::default())) };
    let did = match case.what {
        What::Macros(what) => world.with_tracing(&what),
        What::Job(job, times) => {
            world.run(job, times);
            true
        }
    };
    world.flush();
    let arrived = sink.arrived()?;
    let spans = if case.fault && arrived.faults == 0 { 0 } else { arrived.spans };
    let Arrived { overflowed, refusal, .. } = arrived;
    Ok(did.then_some(Delivery { spans, overflowed, refusal }))
}

fn plain_root() {
    let _root = info_span!("nightly job").entered();
    let _child = info_span!("load").entered();
}

macro_rules! child_named {
    ($($name:ident = $text:expr;)*) => {$(
        fn $name() {
            let _root = info_span!("GET /orders", otel.kind = "server").entered();
            let _child = info_span!($text).entered();
        }
    )*};
}

child_named! {
    braces = "GET /users/{id}";
    star = "SELECT * FROM orders";
    long_name = concat!(
        "SELECT id, name, street, town, country, phone FROM customers WHERE id = 1 AND name = 2 AND street = 3 AND t",
        "own = 4 AND country = 5 AND phone = 6 ORDER BY id, name, street, town, country, phone LIMIT 100 OFFSET 200 ",
        "FOR UPDATE OF customers SKIP LOCKED -- a name as an ORM would give it, with all of the statement in it"
    );
}

fn warned() {
    let _root = info_span!("GET /orders", otel.kind = "server").entered();
    let _child = info_span!("load").entered();
    let err = io::Error::other("no luck, once more");
    warn!(error = &err as &dyn std::error::Error, "trying again");
}

fn unavailable() {
    let _root = info_span!("GET /orders", otel.kind = "server", http.response.status_code = 503).entered();
}

fn large_value() {
    let large = "x".repeat(70_000);
    for order in 0..10 {
        let _root = info_span!("GET /orders", otel.kind = "server").entered();
        if order == 3 {
            let _child = error_span!("load", body = large).entered();
            error!("no luck");
        }
    }
}
