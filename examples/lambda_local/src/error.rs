//! The ways in which a function fails to be one: each an error of one sentence, which names the program.
//!
//! Raised by the emulator and by the process; the command prints them as they are.

use std::path::PathBuf;
use std::time::Duration;
use std::{error, fmt, io};

/// A failure to start a function, or to get a response from it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no file at this path.
    NoProgram(PathBuf),
    /// The file can't be executed: no permission, another machine's format.
    NotExecutable(PathBuf, io::Error),
    /// The process ended before it asked for an event. The string is its exit status.
    EndedAtOnce(PathBuf, String),
    /// The process ended during an invocation. The string is its exit status.
    Ended(PathBuf, String),
    /// The process asked for no event within this time.
    NotAFunction(PathBuf, Duration),
    /// The function reported that it can't start. The string is what it posted.
    Init(String),
    /// The function posted no response within its time-out.
    TimedOut(Duration),
    /// The emulator has no port or socket, or can't freeze the process.
    Emulator(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProgram(program) => write!(
                f,
                "there is no program {}; a path to a function's binary is accepted, or to a folder with a `bootstrap`",
                program.display()
            ),
            Self::NotExecutable(program, err) => write!(
                f,
                "{} can't be started: {err}; an executable file built for this machine is accepted",
                program.display()
            ),
            Self::EndedAtOnce(program, status) => write!(
                f,
                "{} ended ({status}) without asking for an event; a function calls `lambda_runtime::run`",
                program.display()
            ),
            Self::Ended(program, status) => {
                write!(f, "{} ended ({status}) during the invocation", program.display())
            }
            Self::NotAFunction(program, waited) => write!(
                f,
                "{} asked for no event within {} s; a function calls `lambda_runtime::run`",
                program.display(),
                waited.as_secs_f64()
            ),
            Self::Init(why) => write!(f, "the function reported that it can't start: {why}"),
            Self::TimedOut(limit) => {
                write!(f, "the function timed out after {:.2} seconds", limit.as_secs_f64())
            }
            Self::Emulator(err) => write!(f, "the emulator failed: {err}"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::NotExecutable(_, err) | Self::Emulator(err) => Some(err),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(err: io::Error) -> Self {
        Self::Emulator(err)
    }
}
