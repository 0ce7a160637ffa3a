//! Pages of other sites: every way in refuses them, in every mode of access.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::program::{Folder, PATIENCE, Program};

/// Sends a request with these headers. Returns the status.
fn status(door: SocketAddr, method: &str, path: &str, headers: &str) -> u16 {
    let mut stream = TcpStream::connect(door).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = if method == "POST" { "Content-Length: 2\r\n" } else { "" };
    let body = if method == "POST" { "{}" } else { "" };
    let request = format!("{method} {path} HTTP/1.1\r\n{headers}{length}Connection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    // Streams of events have no end, so the head is enough.
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    String::from_utf8_lossy(&head[9..]).parse().unwrap()
}

/// Every path of the console, with the method that it takes.
const PAGES: [(&str, &str); 24] = [
    ("GET", "/"),
    ("GET", "/traces"),
    ("GET", "/map"),
    ("GET", "/rules"),
    ("GET", "/groups"),
    ("GET", "/access"),
    ("GET", "/problems"),
    ("GET", "/status"),
    ("GET", "/trace"),
    ("GET", "/trace/1-5759e988-bd862e3fe1be46a994272793"),
    ("GET", "/trace/1-5759e988-bd862e3fe1be46a994272793/raw"),
    ("GET", "/console/tail"),
    ("GET", "/console/complete"),
    ("GET", "/console/check"),
    ("GET", "/console/map/traces"),
    ("GET", "/console/assets/style.css"),
    ("GET", "/console/preview/1-5759e988-bd862e3fe1be46a994272793"),
    ("GET", "/console/trace/1-5759e988-bd862e3fe1be46a994272793/revision"),
    ("GET", "/console/trace/1-5759e988-bd862e3fe1be46a994272793/rows"),
    ("GET", "/console/trace/1-5759e988-bd862e3fe1be46a994272793/search"),
    ("GET", "/console/trace/1-5759e988-bd862e3fe1be46a994272793/span/53995c3f42cd8ad8"),
    ("POST", "/console/upload"),
    ("POST", "/console/demo"),
    ("GET", "/nothing"),
];

#[test]
fn no_path_of_any_door_takes_a_foreign_host_or_origin_in_any_mode() {
    for mode in ["off", "warn", "enforce"] {
        let folder = Folder::new();
        let program = Program::start(&folder.file(), &["--access", mode]);
        let operations = xray_local::api::OPERATIONS.iter().map(|operation| ("POST", operation.path));
        let sts = [("POST", "/"), ("GET", "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Signature=x")];
        let mut ways: Vec<(SocketAddr, &str, &str)> = Vec::new();
        ways.extend(operations.clone().map(|(method, path)| (program.tcp, method, path)));
        ways.extend(operations.chain(sts).chain(PAGES).map(|(method, path)| (program.api, method, path)));
        ways.push((program.tcp, "GET", "/"));
        for (door, method, path) in ways {
            for headers in [
                "Host: evil.example\r\n".to_owned(),
                format!("Host: evil.example:{}\r\n", door.port()),
                format!("Host: {door}\r\nOrigin: http://evil.example\r\n"),
                format!("Host: {door}\r\nOrigin: null\r\n"),
                format!("Host: {door}\r\nHost: evil.example\r\n"),
            ] {
                let found = status(door, method, path, &headers);
                assert_eq!(found, 403, "{mode} {method} {door}{path} {headers}");
            }
            if method == "POST" {
                let headers = format!("Host: {door}\r\nSec-Fetch-Site: cross-site\r\n");
                assert_eq!(status(door, method, path, &headers), 403, "{mode} {method} {door}{path}");
            }
        }
        // The own page, by a name of this machine.
        let own = format!("Host: localhost:{0}\r\nOrigin: http://localhost:{0}\r\n", program.api.port());
        assert_eq!(status(program.api, "GET", "/", &own), 200, "{mode}");
    }
}

#[test]
fn every_path_of_the_console_is_in_the_table_above() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console");
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(entry).unwrap();
                found.extend(source.split(".route(\"").skip(1).map(|rest| {
                    let (path, handler) = rest.split_once("\", ").unwrap();
                    (if handler.starts_with("post") { "POST" } else { "GET" }, path.to_owned())
                }));
            }
        }
    }
    assert!(found.len() >= 20, "{found:?}");
    for (method, path) in found {
        let is_same = |asked: &str| {
            let (parts, asked): (Vec<&str>, Vec<&str>) =
                (path.split('/').collect(), asked.split('/').collect());
            parts.len() == asked.len()
                && parts.iter().zip(&asked).all(|(part, asked)| part == asked || part.starts_with('{'))
        };
        assert!(PAGES.iter().any(|(known, asked)| *known == method && is_same(asked)), "{method} {path}");
    }
}
