//! The commands, a file each: its arguments, its help, and what it does.

pub(super) mod assert;
pub(super) mod check;
pub(super) mod completions;
pub(super) mod demo;
pub(super) mod map;
pub(super) mod open;
pub(super) mod run;
pub(super) mod serve;
pub(super) mod show;
pub(super) mod tail;
pub(super) mod traces;
pub(super) mod transfer;
