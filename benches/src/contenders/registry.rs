//! All contenders, by name.

use std::io;

use super::ours;
use crate::workload::contender::Contender;

/// All contenders, floors first.
#[must_use]
pub fn all() -> Vec<Contender> {
    #[allow(unused_mut, reason = "rivals are optional")]
    let mut all = ours::all();
    #[cfg(feature = "rivals")]
    all.extend(super::rivals::all());
    all
}

/// The contender of that name.
///
/// # Errors
/// If there is none.
pub fn named(name: &str) -> io::Result<Contender> {
    all()
        .into_iter()
        .find(|one| one.name == name)
        .ok_or_else(|| io::Error::other(format!("no contender {name:?}")))
}
