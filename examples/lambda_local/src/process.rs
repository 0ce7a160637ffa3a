//! The function's process: started with the variables that Lambda sets, frozen and thawed.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

pub(crate) struct Process {
    child: Child,
    pid: Pid,
}

impl Process {
    pub(crate) fn start(program: &Path, variables: &[(String, String)], quiet: bool) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.env_clear().envs(variables.iter().cloned()).stdin(Stdio::null());
        if quiet {
            // Panics and errors of handlers under test.
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let mut child = command.spawn()?;
        match i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            Some(pid) => Ok(Self { child, pid }),
            None => {
                child.kill()?;
                Err(io::Error::other("a process without an id"))
            }
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
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let ran = threads.into_iter().flatten().flatten().filter_map(|thread| {
            let times = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            times.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(ran.sum())
    }

    pub(crate) fn thaw(&self) -> io::Result<()> {
        Ok(kill_process(self.pid, Signal::CONT)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Works on a frozen process, too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
