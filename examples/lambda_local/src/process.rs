//! The function's process: started with the variables that Lambda sets, frozen and thawed.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::error::Error;

pub(crate) struct Process {
    child: Mutex<Child>,
    pid: Pid,
    program: PathBuf,
}

impl Process {
    /// Starts the program, or the `bootstrap` in a folder, as `cargo lambda build` leaves it.
    pub(crate) fn start(program: &Path, variables: &[(String, String)], quiet: bool) -> Result<Self, Error> {
        let inner = program.join("bootstrap");
        let program = if program.is_dir() && inner.is_file() { &inner } else { program };
        let Ok(program) = program.canonicalize() else { return Err(Error::NoProgram(program.to_owned())) };
        let mut command = Command::new(&program);
        command.env_clear().envs(variables.iter().cloned()).stdin(Stdio::null());
        if quiet {
            // Panics and errors of handlers under test.
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let mut child = command.spawn().map_err(|err| Error::NotExecutable(program.clone(), err))?;
        match i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            Some(pid) => Ok(Self { child: Mutex::new(child), pid, program }),
            None => {
                child.kill()?;
                Err(io::Error::other("a process without an id").into())
            }
        }
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The exit status, once the process has ended.
    pub(crate) fn ended(&self) -> Option<String> {
        match self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            // The process ended while the emulator waited for it to stop.
            Err(_) => Some("status unknown".to_owned()),
        }
    }

    /// Stops all its threads, and returns when they have stopped.
    pub(crate) fn freeze(&self) -> io::Result<()> {
        kill_process(self.pid, Signal::STOP)?;
        waitpid(Some(self.pid), WaitOptions::UNTRACED)?;
        Ok(())
    }

    /// Time that its threads ran, as Linux counts it; zero elsewhere.
    pub(crate) fn cpu_time(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid.as_raw_nonzero()));
        let ran = threads.into_iter().flatten().flatten().filter_map(|thread| {
            let times = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            times.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(ran.sum())
    }

    pub(crate) fn thaw(&self) -> io::Result<()> {
        Ok(kill_process(self.pid, Signal::CONT)?)
    }

    /// Ends the process, a frozen one too.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
