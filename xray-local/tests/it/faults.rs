//! What must not do harm: kill -9, cut files, junk, large bodies, slow clients, many connections.
//!
//! The long versions are ignored tests, which `.ci/run long` runs.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::program::{Folder, PATIENCE, Program, datagram, eventually, post, segment, socket};

/// Kills the program under load, again and again; what was acknowledged has to be there each time.
#[cfg(unix)]
fn kill_under_load(times: u64) {
    let folder = Folder::new();
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..times {
        let program = Program::start(&folder.file(), &[]);
        let address = program.api;
        let sender = std::thread::spawn(move || {
            let mut done = Vec::new();
            for batch in 0.. {
                let made: Vec<_> = (0..5).map(|at| segment(round << 32 | batch << 8 | at, "")).collect();
                let documents: Vec<&String> = made.iter().map(|(_, document)| document).collect();
                let request = json!({"TraceSegmentDocuments": documents}).to_string();
                match post(address, "/TraceSegments", request.as_bytes()) {
                    Ok((200, _)) => done.extend(made.into_iter().map(|(id, _)| id)),
                    _ => return done,
                }
            }
            done
        });
        // Not synchronisation: the moment of the kill is to differ.
        std::thread::sleep(std::time::Duration::from_millis(100 + round * 37 % 200));
        let socket = socket();
        for number in 0..50 {
            let _ = socket.send_to(&datagram(&segment(1 << 63 | round << 32 | number, "").1), program.udp);
        }
        program.signal("KILL");
        acknowledged.extend(sender.join().unwrap());
        let again = Program::start(&folder.file(), &[]);
        for ids in acknowledged.chunks(5).rev().take(40) {
            let answer = again.call("/Traces", &json!({"TraceIds": ids}));
            assert_eq!(answer["UnprocessedTraceIds"], json!([]), "round {round}");
        }
        again.signal("KILL");
    }
    assert!(!acknowledged.is_empty());
    let store = xray_local::store::Store::open(xray_local::store::Options::at(
        xray_local::store::Place::File(folder.file()),
    ))
    .unwrap();
    let whole: Result<String, xray_local::store::StoreError> =
        store.read(|connection| Ok(connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?));
    assert_eq!(whole.as_deref(), Ok("ok"));
}

#[cfg(unix)]
#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    kill_under_load(4);
}

#[cfg(unix)]
#[test]
#[ignore = "takes minutes; .ci/run long runs it"]
fn nothing_acknowledged_is_lost_by_a_hundred_kills() {
    kill_under_load(100);
}

/// Cuts the file, and its log, at many places. The program starts or says why it does not.
fn cut_everywhere(cuts: u64) {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    assert!(program.terminal(&["demo", "--requests", "20"]).status.success());
    drop(program);
    let log = folder.0.join("xray.db-wal");
    let whole = std::fs::read(folder.file()).unwrap();
    let whole_log = std::fs::read(&log).unwrap_or_default();
    for cut in 0..cuts {
        let copy = folder.0.join("cut.db");
        let _ = std::fs::remove_file(folder.0.join("cut.db-shm"));
        let at = |length: usize| (length as u64 * (cut * 7_919 % 1_000) / 1_000) as usize;
        let cuts_log = cut % 2 == 1 || whole.len() < 4_097;
        std::fs::write(&copy, if cuts_log { &whole[..] } else { &whole[..at(whole.len())] }).unwrap();
        let log_bytes = if cuts_log { &whole_log[..at(whole_log.len())] } else { &whole_log[..] };
        std::fs::write(folder.0.join("cut.db-wal"), log_bytes).unwrap();
        match Program::try_start(&copy, &[]) {
            Ok(program) => {
                let (id, document) = segment(7, "");
                let request = json!({"TraceSegmentDocuments": [document]}).to_string();
                let (status, answer) = post(program.api, "/TraceSegments", request.as_bytes()).unwrap();
                // Damage that is met later is an answer as well.
                assert!(status == 200 || status >= 500, "cut {cut}: {status} {answer}");
                if status == 200 {
                    let _ = post(program.api, "/Traces", json!({"TraceIds": [id]}).to_string().as_bytes())
                        .unwrap();
                }
            }
            Err(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(said.contains("cut.db") && !said.contains("panicked"), "cut {cut}: {said}");
            }
        }
    }
}

#[test]
fn a_file_cut_within_its_first_page_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    assert!(Program::start(&folder.file(), &[]).signal("TERM").success());
    let whole = std::fs::read(folder.file()).unwrap();
    for length in [50, 99, 3_000] {
        let copy = folder.0.join("cut.db");
        std::fs::write(&copy, &whole[..length]).unwrap();
        let Err(output) = Program::try_start(&copy, &[]) else { panic!("{length} bytes are no file") };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("cut.db") && !said.contains("panicked"), "{length}: {said}");
        assert_eq!(std::fs::read(&copy).unwrap(), &whole[..length], "{length}");
    }
}

#[test]
fn a_cut_file_is_opened_or_refused_with_a_sentence() {
    cut_everywhere(6);
}

#[test]
#[ignore = "takes minutes; .ci/run long runs it"]
fn a_file_cut_at_a_hundred_places_is_opened_or_refused_with_a_sentence() {
    cut_everywhere(100);
}

fn junk(count: u64) {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let socket = socket();
    let header = &datagram("")[..];
    for number in 0..count {
        let noise: Vec<u8> = (0..number % 300).map(|at| (number.wrapping_mul(at + 31) >> 3) as u8).collect();
        let sent = match number % 4 {
            0 => noise,
            1 => [header, &noise].concat(),
            2 => [header, br#"{"id":"#, &noise].concat(),
            _ => [header, segment(number, ",\"http\":[]").1.as_bytes(), &noise].concat(),
        };
        let _ = socket.send_to(&sent, program.udp);
    }
    let (id, document) = segment(1 << 40, "");
    let request = json!({"TraceSegmentDocuments": [document]}).to_string();
    // What still waits for the writer comes first, which takes a busy machine more than one client's patience.
    let is_stored =
        |_| post(program.api, "/TraceSegments", request.as_bytes()).is_ok_and(|(status, _)| status == 200);
    assert!((0..10).any(is_stored));
    assert!(program.ids("").contains(&id));
    // Some datagrams may meet a full buffer of the kernel.
    let (sent, document) = segment(1 << 41, "");
    eventually("a datagram after the junk", || {
        let _ = socket.send_to(&datagram(&document), program.udp);
        program.ids("").contains(&sent)
    });
    if let Some(megabytes) = program.resident() {
        assert!(megabytes < 400, "{megabytes} MB");
    }
    #[cfg(unix)]
    {
        assert!(program.signal("TERM").success());
        let store = xray_local::store::Store::open(xray_local::store::Options::at(
            xray_local::store::Place::File(folder.file()),
        ))
        .unwrap();
        let counter = |name: &str| -> Result<i64, xray_local::store::StoreError> {
            let sql = "SELECT coalesce(sum(value), 0) FROM counters WHERE name = ?";
            store.read(|connection| Ok(connection.query_row(sql, [name], |row| row.get(0))?))
        };
        // No header in a quarter of them, no document that is accepted in the others.
        for name in ["invalid_datagrams", "refused"] {
            assert!(counter(name).unwrap() > count as i64 / 100, "{name}: {:?}", counter(name));
        }
    }
}

#[test]
fn junk_is_counted_and_does_no_harm() {
    junk(5_000);
}

#[test]
#[ignore = "takes a minute; .ci/run long runs it"]
fn a_million_datagrams_of_junk_do_no_harm() {
    junk(1_000_000);
}

#[test]
fn a_body_of_a_hundred_megabytes_is_refused_and_not_kept() {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    for door in [program.api, program.tcp] {
        let mut stream = TcpStream::connect(door).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head =
            format!("POST /TraceSegments HTTP/1.1\r\nHost: {door}\r\nContent-Length: 104857600\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413");

        // Without a length, it is counted as it arrives.
        let mut stream = TcpStream::connect(door).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head =
            format!("POST /TraceSegments HTTP/1.1\r\nHost: {door}\r\nTransfer-Encoding: chunked\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let chunk = [b"100000\r\n".as_slice(), &vec![b'x'; 0x10_0000], b"\r\n"].concat();
        // The server stops reading; then a write fails, or the answer is there.
        for _ in 0..100 {
            if stream.write_all(&chunk).is_err() {
                break;
            }
        }
        let mut answer = [0; 12];
        if stream.read_exact(&mut answer).is_ok() {
            assert_eq!(&answer, b"HTTP/1.1 413");
        }
    }
    if let Some(megabytes) = program.resident() {
        assert!(megabytes < 200, "{megabytes} MB");
    }
}

fn many_connections(count: usize) {
    let folder = Folder::new();
    let program = Program::start(&folder.file(), &[]);
    let slow: Vec<TcpStream> = (0..count)
        .map(|number| {
            let mut stream = TcpStream::connect(program.api).unwrap();
            // Heads that never end, and bodies that never come.
            let begun = match number % 3 {
                0 => String::new(),
                1 => "POST /TraceSegments HTTP/1.1\r\nHo".to_owned(),
                _ => format!(
                    "POST /TraceSegments HTTP/1.1\r\nHost: {}\r\nContent-Length: 99\r\n\r\n{{",
                    program.api
                ),
            };
            stream.write_all(begun.as_bytes()).unwrap();
            stream
        })
        .collect();
    let (id, document) = segment(1, "");
    let request = json!({"TraceSegmentDocuments": [document]}).to_string();
    let begun = std::time::Instant::now();
    assert_eq!(post(program.api, "/TraceSegments", request.as_bytes()).unwrap().0, 200);
    // The slow ones are cut off after 30 seconds: nobody has to wait for that.
    assert!(begun.elapsed().as_secs() < 25, "{:?}", begun.elapsed());
    eventually("the trace", || program.ids("").contains(&id));
    if let Some(megabytes) = program.resident() {
        assert!(megabytes < 300, "{megabytes} MB");
    }
    drop(slow);
}

#[test]
fn slow_clients_do_not_keep_others_out() {
    many_connections(150);
}

#[test]
#[ignore = "wants a thousand file descriptors; .ci/run long runs it"]
fn a_thousand_connections_do_not_keep_others_out() {
    many_connections(1_000);
}

/// A small file system in memory, which only root can make.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "wants root, to mount a tmpfs; .ci/run long runs it"]
fn a_full_disk_is_an_error_for_each_request_and_passes() {
    let folder = Folder::new();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
        .arg(&folder.0)
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        eprintln!("skipped: no tmpfs can be mounted here");
        return;
    }
    let program = Program::start(&folder.file(), &[]);
    let noise: String = (0..30_000_u64).map(|at| char::from(b'a' + (at * at * 31 % 26) as u8)).collect();
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for number in 0..2_000 {
        let (id, document) = segment(number, &format!(r#","metadata":{{"m":"{number}{noise}"}}"#));
        let request = json!({"TraceSegmentDocuments": [document]}).to_string();
        match post(program.api, "/TraceSegments", request.as_bytes()).unwrap() {
            (200, _) => acknowledged.push(id),
            (status, answer) => {
                assert!(status >= 500 && answer.contains("full"), "{status} {answer}");
                refused += 1;
                if refused == 5 {
                    break;
                }
            }
        }
    }
    assert!(refused == 5 && !acknowledged.is_empty());
    for ids in acknowledged.chunks(5) {
        let answer = program.call("/Traces", &json!({"TraceIds": ids}));
        assert_eq!(answer["UnprocessedTraceIds"], json!([]));
    }
    // With room again, the next request is stored, and so is what arrives by UDP.
    let remount =
        std::process::Command::new("mount").args(["-o", "remount,size=64m"]).arg(&folder.0).status();
    assert!(remount.is_ok_and(|status| status.success()));
    let (id, document) = segment(1 << 40, "");
    let request = json!({"TraceSegmentDocuments": [document]}).to_string();
    eventually("a request after the disk was full", || {
        post(program.api, "/TraceSegments", request.as_bytes()).is_ok_and(|(status, _)| status == 200)
    });
    let (sent, document) = segment(1 << 41, "");
    socket().send_to(&datagram(&document), program.udp).unwrap();
    eventually("a datagram after the disk was full", || program.ids("").contains(&sent));
    assert!(program.ids("").contains(&id));
    drop(program);
    let _ = std::process::Command::new("umount").arg("-l").arg(&folder.0).status();
}
