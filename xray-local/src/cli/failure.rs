//! Failure of a command, with its exit code.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// A sentence for the standard error, and an exit code.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Something did not work: exit code 1.
    pub(super) fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), code: 1 }
    }

    /// The arguments are wrong, or a port is taken: exit code 2.
    pub(super) fn usage(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), code: 2 }
    }

    pub(super) fn report(&self) -> ExitCode {
        if !self.message.is_empty() {
            // A closed standard error has no reader.
            let _ = writeln!(std::io::stderr().lock(), "xray-local: {}", self.message);
        }
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A reader that went away, such as `head`, ends a command quietly.
impl From<std::io::Error> for Failure {
    fn from(err: std::io::Error) -> Self {
        if err.kind() == std::io::ErrorKind::BrokenPipe {
            Self { message: String::new(), code: 0 }
        } else {
            Self::new(err)
        }
    }
}
