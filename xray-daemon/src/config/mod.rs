//! The configuration: flags, `cfg.yaml` and the environment, in one [`Config`].
//!
//! Flags override the file, the file overrides defaults. Names, defaults, precedence and messages are those of
//! AWS's daemon; what that daemon doesn't have is under the file's key `XrayDaemon` and has long flags only.
//! One table, `table`, has them all. The environment is read here and nowhere else.
//!
//! ```text
//!  arguments ─► flags ──┐
//!  cfg.yaml ─► yaml ─► file ─► resolve ─► Config
//!  environment, memory of the machine ──┘
//! ```

mod environment;

mod memory;

mod settings;

mod layer;

mod table;

mod flags;

mod yaml;

mod file;

mod resolve;

mod error;

mod command;

mod check;

pub use check::write_settings;
pub use command::{Command, Load};
pub use environment::Environment;
pub use error::ConfigError;
pub use flags::write_help;
pub use settings::{Config, LogConfig, LogLevel, SpoolConfig};
