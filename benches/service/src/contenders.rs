//! All contenders, and the one of a name.

use std::io;

use crate::contender::{Contender, ours};

/// All of them, the service without a tracer first.
pub(crate) fn all() -> Vec<Contender> {
    #[allow(unused_mut, reason = "rivals are optional")]
    let mut all = ours();
    #[cfg(feature = "rivals")]
    all.extend(crate::rivals::all());
    all
}

/// The contender of that name.
///
/// # Errors
/// If there is none.
pub(crate) fn named(name: &str) -> io::Result<Contender> {
    let named = all().into_iter().find(|one| one.name == name);
    named.ok_or_else(|| io::Error::other(format!("no contender {name:?}")))
}
