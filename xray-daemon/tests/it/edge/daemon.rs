//! The program itself, as a process with ports of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A daemon that runs. Ended by force when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

/// The longest that a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program with these arguments, keys of a test, and no other variables of AWS's.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xray-daemon"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("AWS_")
            || name.starts_with("ECS_")
            || name.to_ascii_lowercase().ends_with("_proxy")
        {
            command.env_remove(&*name);
        }
    }
    command.args(arguments).env("HOME", "/nonexistent").current_dir("/");
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Arguments for an endpoint and free ports, without a look at the metadata of an instance.
pub(crate) fn usual(endpoint: &str) -> [&str; 9] {
    ["-o", "-n", "eu-central-1", "-b", "127.0.0.1:0", "-t", "127.0.0.1:0", "--endpoint", endpoint]
}

/// Runs the program to its end: status, standard output, standard error.
pub(crate) fn output(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

impl Daemon {
    /// Starts a daemon that sends to `endpoint`, with free ports, and waits until it listens.
    pub(crate) fn start(endpoint: &str, arguments: &[&str]) -> Self {
        Self::spawn(command(&[&usual(endpoint), arguments].concat()))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let lines = Arc::clone(&lines);
            thread::Builder::new()
                .spawn(move || {
                    for line in BufReader::new(output).lines().map_while(Result::ok) {
                        lines.lock().unwrap().push(line);
                    }
                })
                .unwrap();
        }
        Self { child, lines }
    }

    /// Waits for a line of the log that contains `words`.
    pub(crate) fn line(&self, words: &str) -> String {
        self.wait(&format!("a line with `{words}`"), || {
            self.lines().into_iter().find(|line| line.contains(words))
        })
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits until `found` finds something.
    pub(crate) fn wait<T>(&self, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = found() {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "no {what} in\n{}", self.lines().join("\n"));
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn udp(&self) -> SocketAddr {
        address(&self.line("Listening on UDP "), "Listening on UDP ")
    }

    pub(crate) fn tcp(&self) -> SocketAddr {
        address(&self.line("Starting proxy http server on "), "Starting proxy http server on ")
    }

    pub(crate) fn admin(&self) -> SocketAddr {
        address(&self.line("Serving /metrics"), "/readyz on ")
    }

    /// Sends this many segments, each in a datagram of its own.
    pub(crate) fn send(&self, count: usize) {
        self.send_all((0..count).map(segment));
    }

    /// Sends datagrams, a few at a time so that the kernel loses none even without privilege.
    pub(crate) fn send_all(&self, datagrams: impl IntoIterator<Item = Vec<u8>>) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = self.udp();
        for (number, datagram) in datagrams.into_iter().enumerate() {
            socket.send_to(&datagram, to).unwrap();
            if number % 50 == 49 {
                thread::sleep(Duration::from_millis(2));
            }
        }
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for the end of the process.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "still running:\n{}", self.lines().join("\n"));
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(line: &str, before: &str) -> SocketAddr {
    let (_, rest) = line.split_once(before).unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

/// A segment's datagram.
pub(crate) fn segment(number: usize) -> Vec<u8> {
    format!(
        "{{\"format\":\"json\",\"version\":1}}\n{{\"id\":\"{number:016x}\",\"trace_id\":\"1-5f84c7a1-{number:024x}\",\
         \"name\":\"shop\",\"start_time\":1.0,\"end_time\":2.0}}"
    )
    .into_bytes()
}

/// A segment's datagram with a name of the service.
pub(crate) fn named(number: usize, name: &str) -> Vec<u8> {
    String::from_utf8(segment(number)).unwrap().replace("shop", name).into_bytes()
}
