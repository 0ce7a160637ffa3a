//! The program as a child process, and small clients of its doors.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that is removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("xray-local-it-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("xray.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running xray-local on free ports. Killed at the end of a test.
pub(crate) struct Program {
    child: Child,
    pub(crate) udp: SocketAddr,
    pub(crate) tcp: SocketAddr,
    pub(crate) api: SocketAddr,
    /// The console's address, with its token beyond loopback.
    pub(crate) console: String,
}

/// The program's command line, without anything of this process's environment that it reads.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xray-local"));
    for name in ["AWS_ENDPOINT_URL_XRAY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    command
}

impl Program {
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        Self::try_start(data, arguments).unwrap_or_else(|output| panic!("{output:?}"))
    }

    /// Starts the program, or returns what it said when it ended instead of listening.
    pub(crate) fn try_start(data: &Path, arguments: &[&str]) -> Result<Self, Output> {
        Self::overriding(data, arguments)
    }

    /// Like [`try_start`](Self::try_start), with addresses of the caller's own among the arguments.
    pub(crate) fn overriding(data: &Path, arguments: &[&str]) -> Result<Self, Output> {
        let free = ["--udp", "--tcp", "--api"].into_iter().filter(|flag| !arguments.contains(flag));
        let mut child = command()
            .args(free.flat_map(|flag| [flag, "127.0.0.1:0"]))
            .args(["--json", "--data"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(addresses) = serde_json::from_str::<Value>(&line) else {
            return Err(child.wait_with_output().unwrap());
        };
        let address = |name: &str| addresses[name].as_str().unwrap().parse().unwrap();
        let (udp, tcp, api) = (address("udp"), address("tcp"), address("api"));
        let console = addresses["console"].as_str().unwrap().to_owned();
        Ok(Self { child, udp, tcp, api, console })
    }

    /// The API's address on loopback, also of a program that listens everywhere.
    pub(crate) fn loopback_api(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.api.port()))
    }

    /// Ends the program with a signal and waits for it.
    pub(crate) fn signal(mut self, name: &str) -> ExitStatus {
        signal(&self.child, name);
        self.child.wait().unwrap()
    }

    /// Calls an operation at the API's door.
    pub(crate) fn call(&self, path: &str, request: &Value) -> Value {
        let (status, answer) = post(self.api, path, request.to_string().as_bytes()).unwrap();
        assert_eq!(status, 200, "{path} {request} {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Ids of the traces that match a filter.
    pub(crate) fn ids(&self, filter: &str) -> Vec<String> {
        let (mut ids, mut token, now) = (Vec::new(), Value::Null, seconds());
        loop {
            let mut request =
                json!({"StartTime": now - 3_600.0, "EndTime": now + 60.0, "FilterExpression": filter});
            if !token.is_null() {
                request["NextToken"] = token;
            }
            let page = self.call("/TraceSummaries", &request);
            let summaries = page["TraceSummaries"].as_array().unwrap();
            ids.extend(summaries.iter().map(|summary| summary["Id"].as_str().unwrap().to_owned()));
            token = page["NextToken"].clone();
            if token.is_null() {
                return ids;
            }
        }
    }

    /// Runs a command of the terminal against this program.
    pub(crate) fn terminal(&self, arguments: &[&str]) -> Output {
        command()
            .args(arguments)
            .env("AWS_ENDPOINT_URL_XRAY", format!("http://{}", self.api))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Memory of the process in megabytes; `None` where `/proc` is not.
    pub(crate) fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1_000)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Posts a body and returns the status and the answer's body.
pub(crate) fn post(address: SocketAddr, path: &str, body: &[u8]) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    // A server that refuses a body need not read it.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    status.map(|status| (status, body)).ok_or_else(|| std::io::Error::other("no answer"))
}

/// What a program wrote to its standard output.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A socket for datagrams.
#[expect(clippy::disallowed_methods, reason = "a test in the place of an SDK")]
pub(crate) fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

/// A datagram with a document.
pub(crate) fn datagram(document: &str) -> Vec<u8> {
    format!("{{\"format\":\"json\",\"version\":1}}\n{document}").into_bytes()
}

/// Seconds since 1970.
pub(crate) fn seconds() -> f64 {
    xray_local::model::now().seconds()
}

/// A segment of a new trace, and the trace's id. `number` makes them differ.
pub(crate) fn segment(number: u64, more: &str) -> (String, String) {
    let start = seconds();
    let id = format!("1-{:08x}-{:08x}{number:016x}", start as u64, std::process::id());
    let document = format!(
        r#"{{"name":"shop","id":"{number:016x}","trace_id":"{id}","start_time":{start},"end_time":{}{more}}}"#,
        start + 0.01
    );
    (id, document)
}

/// Tries until it holds; fails after [`PATIENCE`].
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come true");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal to a program.
pub(crate) fn signal(program: &Child, name: &str) {
    let id = program.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
}
