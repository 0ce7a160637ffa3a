//! An `xray-local` as a child process: X-Ray's daemon, API and console on this machine, for `--local`.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A running `xray-local` on free ports, with its data in memory. The program ends with this value, and with this process
/// whatever ends that: its standard input is a pipe that closes then.
pub(crate) struct XRay {
    child: Child,
    daemon: String,
    endpoint: String,
}

impl XRay {
    /// Builds the program if that is not done yet, and starts it.
    pub(crate) fn start() -> io::Result<Self> {
        let free = ["--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--api", "127.0.0.1:0"];
        let mut command = Command::new("cargo");
        // Not quietly: a first build takes minutes.
        command.args(["run", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
        command.args(["-p", "xray-local", "--"]);
        command.args(free).args(["--data", ":memory:", "--json", "--until-eof"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let addresses: Value = serde_json::from_str(&line).map_err(io::Error::other)?;
        let address = |name: &str| addresses[name].as_str().unwrap_or_default().to_owned();
        let daemon = format!("tcp:{} udp:{}", address("tcp"), address("udp"));
        Ok(Self { child, daemon, endpoint: format!("http://{}", address("api")) })
    }

    /// The value of `AWS_XRAY_DAEMON_ADDRESS`.
    pub(crate) fn daemon_address(&self) -> &str {
        &self.daemon
    }

    /// Where the API and the console are.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Waits until Enter is pressed, or until the standard input ends.
    pub(crate) fn wait(&self) -> io::Result<()> {
        io::stdin().lock().read_line(&mut String::new()).map(drop)
    }
}

impl Drop for XRay {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // A child that has ended already needs no end.
        let _ = self.child.wait();
    }
}
