//! Facts about the process as a whole: where it runs, and what is wrong with its configuration.

pub(crate) mod notices;
pub(crate) mod origin;
