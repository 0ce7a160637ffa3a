//! The program serves: from datagram to summary, from start to end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;
use xray_sdk::{DaemonAddress, Emitter, Packet, UdpEmitter};

use crate::program::{Folder, Program, command, datagram, eventually, post, segment, socket};

#[test]
fn a_datagram_becomes_a_trace_that_the_api_returns() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let (id, document) = segment(1, r#","annotations":{"tenant":"acme"}"#);
    socket().send_to(&datagram(&document), program.udp).unwrap();
    eventually("the trace", || program.ids(r#"annotation.tenant = "acme""#) == [id.clone()]);
    let traces = program.call("/Traces", &json!({"TraceIds": [id]}));
    let returned = traces["Traces"][0]["Segments"][0]["Document"].as_str().unwrap();
    let returned: serde_json::Value = serde_json::from_str(returned).unwrap();
    assert_eq!(returned["annotations"]["tenant"], "acme");
}

#[test]
fn documents_that_an_emitter_sends_together_become_traces() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let emitter = UdpEmitter::new(&DaemonAddress::from(program.udp));
    let (mut expected, mut packets) = (Vec::new(), Vec::new());
    for number in 0..150 {
        let more = format!(r#","metadata":{{"padding":"{:x<1$}"}}"#, "", number * 13 % 700);
        let (id, document) = segment(number as u64, &more);
        let mut packet = Packet::new();
        packet.start_document().put(&document);
        expected.push(id);
        packets.push(packet);
    }
    emitter.emit_all(&packets, &mut |_, sent| sent.unwrap());
    expected.sort();
    eventually("the traces", || {
        let mut ids = program.ids("");
        ids.sort();
        ids == expected
    });
}

#[test]
fn put_trace_segments_answers_per_document_on_both_doors() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    for (number, door) in [(1, program.api), (2, program.tcp)] {
        let (id, document) = segment(number, "");
        let request = json!({"TraceSegmentDocuments": [document, "{}"]}).to_string();
        let (status, answer) = post(door, "/TraceSegments", request.as_bytes()).unwrap();
        assert_eq!(status, 200, "{answer}");
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let unprocessed = answer["UnprocessedTraceSegments"].as_array().unwrap();
        assert_eq!((unprocessed.len(), &unprocessed[0]["ErrorCode"]), (1, &json!("MissingId")));
        // After its commit: no waiting.
        assert!(program.ids("").contains(&id));
    }
}

#[cfg(unix)]
#[test]
fn everything_received_is_in_the_file_after_a_signal() {
    for name in ["TERM", "INT"] {
        let folder = Folder::new();
        let program = Program::start(&folder.file(), &[]);
        let socket = socket();
        for number in 0..300 {
            socket.send_to(&datagram(&segment(number, "").1), program.udp).unwrap();
        }
        assert_eq!(program.signal(name).code(), Some(0));
        let again = Program::start(&folder.file(), &[]);
        assert_eq!(again.ids("").len(), 300);
    }
}

#[test]
fn a_taken_port_names_its_flag_and_ends_with_two() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let free = "127.0.0.1:0";
    for (flag, address) in [("--udp", program.udp), ("--tcp", program.tcp), ("--api", program.api)] {
        let mut arguments: Vec<String> = Vec::new();
        for other in ["--udp", "--tcp", "--api"] {
            arguments.push(other.to_owned());
            arguments.push(if other == flag { address.to_string() } else { free.to_owned() });
        }
        let output = command().args(&arguments).args(["--data", ":memory:"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&address.port().to_string()) && said.contains(flag), "{said}");
        if cfg!(target_os = "linux") {
            assert!(said.contains("by xray-local (process"), "{said}");
        }
    }
}

#[test]
fn a_second_process_does_not_get_the_file() {
    let folder = Folder::new();
    let _first = Program::start(&folder.file(), &[]);
    let Err(output) = Program::try_start(&folder.file(), &[]) else { panic!("two processes share a file") };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("another xray-local has this data file open") && said.contains("--data"), "{said}");
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_with_a_sentence() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "this is a text, and a long one".repeat(1_000)).unwrap();
    let Err(output) = Program::try_start(&folder.file(), &[]) else { panic!("a text is no data file") };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("damaged") && said.contains("xray.db"), "{said}");
    assert_eq!(std::fs::read(folder.file()).unwrap().len(), 30_000, "the file was changed");
}

/// A browser gets a page with the way back, and a client of the API the API's error.
#[test]
fn a_path_that_nobody_has_is_answered_in_the_callers_form() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    for (accept, form) in [
        ("text/html,application/xhtml+xml", "There is no page /trces."),
        ("*/*", "UnknownOperationException"),
    ] {
        let mut stream = TcpStream::connect(program.api).unwrap();
        let request = format!(
            "GET /trces HTTP/1.1\r\nHost: {}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n",
            program.api
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains(form), "{answer}");
        assert_eq!(answer.contains("content-security-policy: "), accept != "*/*", "{answer}");
    }
}
