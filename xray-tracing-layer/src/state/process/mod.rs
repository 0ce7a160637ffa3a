//! Facts about the process as a whole: its host, where it runs, and what is wrong with its configuration.

pub(crate) mod host;
pub(crate) mod notices;
pub(crate) mod origin;
