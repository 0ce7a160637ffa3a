//! What the daemon was asked to do: flags, `cfg.yaml` and the environment, in one [`Config`].
//!
//! Flags override the file, the file overrides defaults. Names, defaults, precedence and messages are those of
//! AWS's daemon; what that daemon doesn't have is under the file's key `XrayDaemon` and has long flags only.
//! The environment is read here and nowhere else.

mod environment;

mod settings;

pub use environment::Environment;
pub use settings::{Config, LogConfig, LogLevel, SpoolConfig};
