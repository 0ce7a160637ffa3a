//! The original's rules for datagrams, row by row, through the whole program: what is forwarded, and what is logged.

use std::net::UdpSocket;

use crate::edge::daemon::Daemon;
use crate::edge::law::Law;
use crate::edge::xray::{XRay, ok};

const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";

#[test]
fn accepted_datagrams_are_forwarded_byte_for_byte_and_others_are_logged() {
    let accepted: Vec<(Vec<u8>, String)> = [
        (HEADER, "{\"name\":\"compact\"}"),
        ("{ \"format\" : \"json\" , \"version\" : 1 }\n", "{\"name\":\"spaced\"}"),
        ("{\"version\":1,\"format\":\"json\",\"more\":[1]}\n", "{\"name\":\"swapped\"}"),
        ("{\"FORMAT\":\"JSON\",\"Version\":1}\n", "{\"name\":\"any case\"}"),
        (" {\"format\":\"json\",\"version\":1}\t\n", "{\"name\":\"blanks\"}"),
        ("{\"format\":\"json\",\"version\":1}\r\n", "{\"name\":\"carriage return\"}"),
        ("{\"format\":\"json\",\"version\":2,\"version\":1}\n", "{\"name\":\"last version\"}"),
        (HEADER, "\n{\"name\":\"two line feeds\"}"),
        (HEADER, "{\"name\":\"line feed at the end\"}\n"),
        (HEADER, " "),
        (HEADER, "plain words, no JSON"),
        (HEADER, "{\"broken\":"),
        (HEADER, "[{\"name\":\"a\"},{\"name\":\"b\"}]"),
        (HEADER, "{\"name\":\"one\"}\n{\"name\":\"two\"}"),
        (HEADER, "T1SbW9yZQ=="),
        (HEADER, "{\"name\":\"\0\u{1}\u{7f}\"}"),
        (HEADER, "{\"name\":\"\u{1F980} \u{2028} </script>&\"}"),
    ]
    .into_iter()
    .map(|(header, document)| (format!("{header}{document}").into_bytes(), document.to_owned()))
    .chain([
        (
            [HEADER.as_bytes(), b"{\"name\":\"\xff\xfe\"}"].concat(),
            "{\"name\":\"\u{FFFD}\u{FFFD}\"}".to_owned(),
        ),
        ([HEADER.as_bytes(), &[b'x'; 65_477]].concat(), "x".repeat(65_477)),
    ])
    .collect();
    let refused = [
        ("{\"format\":\"json\",\"version\":1}{\"name\":\"joined\"}", "Missing header or segment: "),
        ("{\"name\":\"no header\"}", "Missing header or segment: {\"name\":\"no header\"}"),
        ("{\"format\":\"json\",\"version\":1}\r{}", "Missing header or segment: "),
        ("{\"format\":\"json\",\"version\":1}", "Missing header or segment: "),
        (
            "{\"format\":\"json\",\"version\":1}\n",
            "Missing header or segment: {\"format\":\"json\",\"version\":1}",
        ),
        ("\n{}", "Invalid header: "),
        ("{\"format\":\"xml\",\"version\":1}\n{}", "Invalid header: {\"format\":\"xml\",\"version\":1}"),
        (
            "{\"format\":\"json\",\"version\":1.0}\n{}",
            "Invalid header: {\"format\":\"json\",\"version\":1.0}",
        ),
        ("[\"json\",1]\n{}", "Invalid header: [\"json\",1]"),
    ];
    let xray = XRay::start(|_| ok("{}"));
    let daemon = Daemon::start(&xray.url(), &["--admin", "127.0.0.1:0"]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = daemon.udp();
    for (datagram, _) in &accepted {
        socket.send_to(datagram, to).unwrap();
    }
    socket.send_to(b"", to).unwrap();
    for (datagram, _) in refused {
        socket.send_to(datagram.as_bytes(), to).unwrap();
    }
    let (accepted_count, refused_count) = (accepted.len() as u64, refused.len() as u64);
    let law =
        Law::wait(&daemon, "uploads", |law| law.sent == accepted_count && law.rejected == refused_count);
    assert_eq!(law.received, accepted_count + refused_count, "an empty datagram is not counted");
    let mut forwarded = xray.documents();
    let mut expected: Vec<String> = accepted.into_iter().map(|(_, document)| document).collect();
    forwarded.sort();
    expected.sort();
    assert_eq!(forwarded, expected);
    for (_, line) in refused {
        daemon.line(line);
    }
}
