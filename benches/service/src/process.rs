//! A service as a process of its own, so that its processor time is its own, too.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The process, ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    /// Where it serves.
    pub(crate) address: SocketAddr,
    child: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Service {
    /// Starts it, as it is or by `wrapper`, a program and its arguments.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) fn start(
        wrapper: &[&str],
        contender: &str,
        backend: SocketAddr,
        daemon: SocketAddr,
    ) -> io::Result<Self> {
        let this = std::env::current_exe()?;
        let mut command = match wrapper {
            [] => Command::new(this),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(this);
                command
            }
        };
        let mut child = command
            .args(["serve", contender, &backend.to_string(), &daemon.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(if wrapper.is_empty() { Stdio::inherit() } else { Stdio::piped() })
            .spawn()
            .map_err(|err| io::Error::other(format!("{contender}: {wrapper:?}: {err}")))?;
        let (Some(ask), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut answers = BufReader::new(answers);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let address =
            line.trim().parse().map_err(|_| io::Error::other(format!("{contender} did not start")))?;
        Ok(Self { address, child, ask: Some(ask), answers })
    }

    /// Processor time since it began: of all its threads, and of the tracer's.
    ///
    /// # Errors
    /// If it is gone.
    pub(crate) fn processor_time(&mut self) -> io::Result<[Duration; 2]> {
        let mut line = String::new();
        match &mut self.ask {
            Some(ask) => writeln!(ask)?,
            None => return Err(io::ErrorKind::BrokenPipe.into()),
        }
        self.answers.read_line(&mut line)?;
        let mut times = line.split_whitespace().map(|time| time.parse().map(Duration::from_nanos));
        let mut next = || times.next().unwrap_or(Ok(Duration::ZERO)).map_err(io::Error::other);
        Ok([next()?, next()?])
    }

    /// Ends it, and returns what it or its wrapper wrote to standard error.
    ///
    /// # Errors
    /// If that cannot be read.
    pub(crate) fn end(mut self) -> io::Result<String> {
        self.ask = None;
        let mut errors = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut errors)?;
        }
        self.child.wait()?;
        Ok(errors)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
