//! The collector over a real UDP socket: what a user sees of it, from a sender's datagram to the drawn trace.
//!
//! The datagrams are written by hand, so that nothing of the crate's own writer takes part.

#![expect(clippy::disallowed_methods, reason = "senders of the tests' own")]
#![expect(clippy::expect_used, reason = "a test that can't set up its sockets has nothing left to do")]

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use xray_sdk::local::{Collector, Waterfall};

const HEADER: &str = r#"{"format":"json","version":1}"#;
const TRACE: &str = "1-66f1a2b3-0123456789abcdef01234567";
/// Long enough never to run out on a busy machine: no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn sender() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").expect("a socket")
}

fn send(socket: &UdpSocket, to: SocketAddr, document: &str) {
    socket.send_to(format!("{HEADER}\n{document}").as_bytes(), to).expect("sent");
}

fn segment(id: u64, nested: &str) -> String {
    format!(
        r#"{{"id":"{id:016x}","trace_id":"{TRACE}","name":"shop","start_time":100,"end_time":100.5,"aws":{{"xray":{{}}}},"http":{{"request":{{"method":"GET","url":"http://shop/cart"}},"response":{{"status":200}}}},"subsegments":[{nested}]}}"#
    )
}

fn streamed(id: u64, parent: u64, more: &str) -> String {
    format!(
        r#"{{"id":"{id:016x}","type":"subsegment","trace_id":"{TRACE}","parent_id":"{parent:016x}","name":"db.query","start_time":100.125,{more}}}"#
    )
}

#[test]
fn datagrams_become_documents_and_a_drawn_trace() {
    let (collector, socket) = (Collector::start().expect("a collector"), sender());
    let to = collector.address();
    send(&socket, to, &streamed(2, 1, r#""in_progress":true"#));
    send(
        &socket,
        to,
        &segment(1, r#"{"id":"0000000000000003","name":"render","start_time":100.25,"end_time":100.5}"#),
    );
    send(&socket, to, &streamed(2, 1, r#""end_time":100.25,"namespace":"remote","annotations":{"rows":3}"#));
    assert!(collector.wait_for_documents(3, PATIENCE));

    let received = collector.received();
    assert_eq!(received.problems(), Vec::<String>::new());
    assert_eq!((received.datagrams(), received.documents()[1].span_count()), (3, 2));
    assert_eq!(received.documents()[0].text(), streamed(2, 1, r#""in_progress":true"#));

    let traces = received.traces();
    assert_eq!(traces.len(), 1);
    assert_eq!(
        Waterfall::new(&traces[0]).width(78).to_string(),
        "\
1-66f1a2b3-0123456789abcdef01234567  500 ms  1 segment, 2 subsegments
1970-01-01T00:01:40.000Z

◆ shop                200 ok  500 ms  ████████████████████████████████████████
│  GET http://shop/cart
├─ db.query [remote]  ok      125 ms            ██████████
│     rows=3
└─ render             ok      250 ms                      ████████████████████
"
    );
}

#[test]
fn what_the_daemon_or_xray_refuses_is_rejected_with_reasons() {
    let (collector, socket) = (Collector::start().expect("a collector"), sender());
    socket.send_to(b"no header at all", collector.address()).expect("sent");
    send(&socket, collector.address(), "{}");
    socket.send_to(b"", collector.address()).expect("sent");
    send(&socket, collector.address(), &segment(1, ""));
    assert!(collector.wait_for(PATIENCE, |received| received.datagrams() == 3));

    let received = collector.received();
    assert_eq!((received.documents().len(), received.rejected().len()), (1, 2));
    assert_eq!(received.rejected()[0].datagram, b"no header at all");
    let problems = received.problems().join("\n");
    for expected in
        ["no line feed between header and document", "id: missing", "trace_id: missing", "name: missing"]
    {
        assert!(problems.contains(expected), "{expected} in {problems}");
    }
}

#[test]
fn the_largest_datagram_arrives_whole() {
    let (collector, socket) = (Collector::start().expect("a collector"), sender());
    let datagram = vec![b'x'; 65_507];
    socket.send_to(&datagram, collector.address()).expect("sent");
    assert!(collector.wait_for(PATIENCE, |received| received.datagrams() == 1));
    let received = collector.received();
    assert_eq!((received.largest_datagram(), received.bytes()), (65_507, 65_507));
    assert_eq!(received.rejected()[0].datagram, datagram);
}

#[test]
fn a_burst_that_fits_the_kernels_buffer_arrives_whole_and_in_order() {
    let (collector, socket) = (Collector::start().expect("a collector"), sender());
    for id in 1..=100 {
        send(&socket, collector.address(), &segment(id, ""));
    }
    assert!(collector.wait_for_documents(100, PATIENCE));
    let ids: Vec<String> =
        collector.received().documents().iter().map(|document| document.id().to_owned()).collect();
    assert_eq!(ids, (1..=100).map(|id| format!("{id:016x}")).collect::<Vec<_>>());
}

#[test]
fn waiting_ends_when_the_time_is_up_and_not_before() {
    let collector = Collector::start().expect("a collector");
    let (started, wait) = (Instant::now(), Duration::from_millis(30));
    assert!(!collector.wait_for_documents(1, wait));
    assert!(started.elapsed() >= wait);
    assert!(collector.wait_for(Duration::ZERO, |_| true), "what holds already needs no time");
}

/// Each arrival makes the test send the next one, so that nearly every one finds it asleep.
#[test]
fn each_arrival_wakes_who_waits() {
    let (collector, socket) = (Collector::start().expect("a collector"), sender());
    let started = Instant::now();
    let woken = collector.wait_for(PATIENCE, |received| {
        let count = received.documents().len();
        send(&socket, collector.address(), &segment(count as u64 + 1, ""));
        count == 20
    });
    assert!(woken && started.elapsed() < PATIENCE / 2, "{:?}", started.elapsed());
}

#[test]
fn clearing_forgets_what_came_before() {
    let (collector, socket) = (Collector::start().expect("a collector"), sender());
    send(&socket, collector.address(), &segment(1, ""));
    assert!(collector.wait_for_documents(1, PATIENCE));
    let snapshot = collector.received();
    collector.clear();
    assert_eq!((collector.received().datagrams(), snapshot.documents().len()), (0, 1));
    send(&socket, collector.address(), &segment(2, ""));
    assert!(collector.wait_for_documents(1, PATIENCE));
    assert_eq!(collector.received().documents()[0].id(), "0000000000000002");
}

#[test]
fn dropping_gives_the_port_back_without_waiting_for_a_datagram() {
    let collector = Collector::start().expect("a collector");
    let address = collector.address();
    let started = Instant::now();
    drop(collector);
    assert!(started.elapsed() < Duration::from_secs(5));
    Collector::bind(address).expect("the port is free again");
}

#[test]
fn it_listens_where_it_is_told_to() {
    let any = Collector::bind("0.0.0.0:0").expect("a collector");
    assert_eq!(any.daemon_address(), format!("127.0.0.1:{}", any.address().port()));
    send(&sender(), any.daemon_address().parse().expect("an address"), &segment(1, ""));
    assert!(any.wait_for_documents(1, PATIENCE));

    // Not every machine that builds this has IPv6.
    let Ok(six) = Collector::bind("[::1]:0") else { return };
    assert_eq!(six.daemon_address(), format!("[::1]:{}", six.address().port()));
    send(&UdpSocket::bind("[::1]:0").expect("a socket"), six.address(), &segment(1, ""));
    assert!(six.wait_for_documents(1, PATIENCE));
}
