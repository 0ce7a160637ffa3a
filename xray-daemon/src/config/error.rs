//! The error of a configuration that the daemon can't start with.
//!
//! Raised by flags, file and resolution alike; `run` writes it to standard error and ends the process.

use std::fmt;

/// A configuration that can't be used, in words for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    message: String,
    exit_code: u8,
}

impl ConfigError {
    /// A setting that is wrong: exit code 1, as in AWS's daemon.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: 1 }
    }

    /// Arguments that can't be read: exit code 2, as in AWS's daemon.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: 2 }
    }

    /// The process's exit code: 2 if the arguments can't be read, otherwise 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// Returns whether the arguments can't be read, so that the help is of use.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        self.exit_code == 2
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}
