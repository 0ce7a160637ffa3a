//! Every program of this folder, run as its user would run it, with a collector at the daemon's address.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use xray_sdk::local::{Collector, Waterfall};

/// A program that runs until the test is over.
struct Running(Child, BufReader<ChildStdout>);

impl Running {
    fn start(program: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command.env_remove("AWS_XRAY_TRACING_NAME").envs(variables.iter().copied()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self(child, output)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Everything up to its end, which has to be a success.
    fn finish(&mut self) -> String {
        let mut output = String::new();
        self.1.read_to_string(&mut output).unwrap();
        assert!(self.0.wait().unwrap().success(), "{output}");
        output
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, collector: &Collector) -> Running {
    Running::start(
        program,
        &[("AWS_XRAY_DAEMON_ADDRESS", &collector.daemon_address()), ("LISTEN", "127.0.0.1:0")],
    )
}

/// The only trace, drawn without times, once it has as many spans.
#[track_caller]
fn picture(collector: &Collector, spans: usize) -> String {
    let arrived = collector.wait_for(Duration::from_secs(60), |received| {
        received.traces().iter().map(xray_sdk::local::Trace::span_count).sum::<usize>() == spans
    });
    let received = collector.received();
    let traces = received.traces();
    let pictures: String =
        traces.iter().map(|trace| Waterfall::new(trace).tree_only(true).to_string()).collect();
    assert!(arrived && traces.len() == 1, "{} traces:\n{pictures}", traces.len());
    assert!(received.problems().is_empty(), "{:?}", received.problems());
    format!("\n{pictures}")
}

fn get(url: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn the_quickstart_draws_four_traces() {
    let collector = Collector::start().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    let output = program.env_remove("AWS_XRAY_DAEMON_ADDRESS").arg("--documents").output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    let headings = stdout.lines().filter(|line| line.contains(" segment") && line.starts_with("1-"));
    assert_eq!(headings.count(), 4, "{stdout}");
    for expected in
        ["POST /orders/7/payment: 500", "mail receipt", "the payment service", "\"sanitized_query\""]
    {
        assert!(stdout.contains(expected), "no {expected} in\n{stdout}");
    }
    assert_eq!(collector.received().datagrams(), 0);
}

#[test]
fn the_quickstart_sends_to_an_x_ray_of_its_own() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    command.env_remove("AWS_XRAY_DAEMON_ADDRESS").arg("--local");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
    let mut program = Running(child, output);
    let endpoint = x_ray_of(&mut program);
    let deadline = Instant::now() + Duration::from_secs(60);
    while traces_at(&endpoint) != 4 {
        assert!(Instant::now() < deadline, "{} traces", traces_at(&endpoint));
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(input);
    assert!(program.finish().contains(&format!("xray-local show latest --endpoint http://{endpoint}")));
    assert!(TcpStream::connect(&endpoint).is_err(), "the X-Ray outlives the program");
}

/// As when this test fails, or somebody kills the program.
#[test]
fn the_x_ray_of_a_quickstart_that_is_killed_ends_as_well() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    command.env_remove("AWS_XRAY_DAEMON_ADDRESS").arg("--local");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut program = Running(child, output);
    let endpoint = x_ray_of(&mut program);
    program.0.kill().unwrap();
    program.0.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(&endpoint).is_ok() {
        assert!(Instant::now() < deadline, "the X-Ray outlives the program");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The address of the X-Ray that a quickstart says it has started.
fn x_ray_of(program: &mut Running) -> String {
    let endpoint = (0..100).find_map(|_| {
        let line = program.line();
        let (endpoint, _) = line.strip_prefix("X-Ray is at http://")?.split_once(": open")?;
        Some(endpoint.to_owned())
    });
    endpoint.unwrap()
}

/// Number of the traces of the last minutes that an X-Ray has.
#[expect(clippy::disallowed_methods, reason = "the range of a question ends now")]
fn traces_at(endpoint: &str) -> usize {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let body = format!(r#"{{"StartTime":{},"EndTime":{}}}"#, now - 600, now + 60);
    let mut stream = TcpStream::connect(endpoint).unwrap();
    write!(
        stream,
        "POST /TraceSummaries HTTP/1.1\r\nHost: {endpoint}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response.matches(r#""Id":"1-"#).count()
}

#[test]
fn a_request_to_the_axum_program_is_a_segment_with_its_span_inside() {
    let collector = Collector::start().unwrap();
    let mut program = start(env!("CARGO_BIN_EXE_axum"), &collector);
    let url = program.line();
    assert!(get(&url, "/orders/7").contains("42 pieces"));
    assert_eq!(picture(&collector, 2), "\n◆ shop  200 ok\n└─ stock  warehouse=north\n");
}

#[cfg(feature = "reqwest")]
#[test]
fn the_reqwest_program_and_the_axum_program_share_a_trace() {
    let collector = Collector::start().unwrap();
    let mut shop = start(env!("CARGO_BIN_EXE_axum"), &collector);
    let url = shop.line();
    let mut till = Command::new(env!("CARGO_BIN_EXE_reqwest"));
    till.arg(format!("{url}/orders/7")).env("AWS_XRAY_DAEMON_ADDRESS", collector.daemon_address());
    assert!(till.output().unwrap().stdout.starts_with(b"42 pieces"));
    let picture = picture(&collector, 4);
    assert_eq!(
        picture,
        "\n◆ till\n└─ 127.0.0.1 [remote]  200 ok\n   └─ ◆ shop  200 ok\n      └─ stock  warehouse=north\n"
    );
}

#[cfg(feature = "sqlx")]
#[test]
fn the_sqlx_program_sends_its_statements_without_their_values() {
    let collector = Collector::start().unwrap();
    assert_eq!(start(env!("CARGO_BIN_EXE_sqlx"), &collector).finish(), "1 orders\n");
    let picture = picture(&collector, 3);
    assert_eq!(picture, "\n◆ shop\n├─ orders@memory [remote]\n└─ orders@memory [remote]\n");
    let received = collector.received();
    assert!(received.documents().iter().all(|document| !document.text().contains("alice")));
    assert!(received.documents()[0].text().contains("INSERT INTO orders (customer) VALUES (?)"));
}

#[cfg(feature = "aws-sdk")]
#[test]
fn the_aws_sdk_program_sends_a_subsegment_for_each_call() {
    let collector = Collector::start().unwrap();
    assert_eq!(start(env!("CARGO_BIN_EXE_aws_sdk"), &collector).finish(), "ordered\n");
    let picture = picture(&collector, 5);
    assert_eq!(
        picture,
        "
◆ shop
├─ DynamoDB [aws]  200 ok
├─ S3 [aws]  404 error
├─ S3 [aws]  200 ok
└─ SQS [aws]  200 ok
"
    );
    let text = collector.received().documents()[0].text().to_owned();
    for expected in ["\"table_name\":\"orders\"", "\"bucket_name\":\"invoices\"", "\"retries\":1"] {
        assert!(text.contains(expected), "no {expected} in {text}");
    }
}

#[cfg(feature = "grpc")]
#[test]
fn the_grpc_program_sends_both_ends_of_its_calls() {
    let collector = Collector::start().unwrap();
    let output = start(env!("CARGO_BIN_EXE_grpc"), &collector).finish();
    assert_eq!(output, "the server itself: Ok(1)\nthe orders: Err(NotFound)\n");
    let picture = picture(&collector, 5);
    assert_eq!(
        picture,
        "
◆ shop
├─ 127.0.0.1 [remote]  200 ok
│  └─ ◆ shop  200 ok
└─ 127.0.0.1 [remote]  200 error
   └─ ◆ shop  200 error
"
    );
}

#[test]
fn the_manual_program_sends_two_connected_segments() {
    let collector = Collector::start().unwrap();
    start(env!("CARGO_BIN_EXE_manual"), &collector).finish();
    let picture = picture(&collector, 5);
    assert_eq!(
        picture,
        "
◆ gateway  502 fault  tenant=blue
└─ billing [remote]  503 fault
   └─ ◆ billing  503 fault
      ├─ invoices@db.example [remote]
      └─ print invoice  fault
"
    );
}

#[test]
fn the_watch_program_draws_what_another_program_sends() {
    // Its port is free a moment later at the latest: the next one that is taken is another.
    let address = Collector::start().unwrap().daemon_address();
    let mut watch = Running::start(env!("CARGO_BIN_EXE_watch"), &[("AWS_XRAY_DAEMON_ADDRESS", &address)]);
    assert_eq!(watch.line(), format!("listening on {address}"));
    Running::start(env!("CARGO_BIN_EXE_manual"), &[("AWS_XRAY_DAEMON_ADDRESS", &address)]).finish();
    let mut seen = String::new();
    while !(seen.contains("◆ gateway") && seen.contains("print invoice")) {
        let line = watch.line();
        seen += &line;
    }
}

#[test]
fn an_empty_address_is_as_if_absent() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_manual")).env("AWS_XRAY_DAEMON_ADDRESS", "").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("127.0.0.1:2000"), "{output:?}");
    // The port may be another program's.
    let mut watch = Command::new(env!("CARGO_BIN_EXE_watch"))
        .env("AWS_XRAY_DAEMON_ADDRESS", "")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(watch.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let _ = watch.kill();
    let stderr = watch.wait_with_output().unwrap().stderr;
    let taken = String::from_utf8_lossy(&stderr).contains("AddrInUse");
    assert!(said == "listening on 127.0.0.1:2000\n" || taken, "{said:?} {stderr:?}");
}
