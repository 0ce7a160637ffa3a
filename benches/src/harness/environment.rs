//! A trace header in the environment, as Lambda gives it to a function: xray-lite takes its trace from nowhere
//! else. A process can't safely change its own environment, so it begins anew with that in it.

use std::io;

/// Begins this process anew with a trace header in its environment, if rivals are built in and it has none.
///
/// # Errors
/// If that can't be done.
#[cfg(all(feature = "rivals", unix))]
pub fn enter() -> io::Result<()> {
    use std::os::unix::process::CommandExt;

    let (name, header) = crate::contenders::LAMBDA_HEADER;
    #[expect(clippy::disallowed_methods, reason = "whether it is there already")]
    if std::env::var_os(name).is_some() {
        return Ok(());
    }
    let this = std::env::current_exe()?;
    Err(std::process::Command::new(this).args(std::env::args_os().skip(1)).env(name, header).exec())
}

/// Does nothing: no contender of this build reads the header.
///
/// # Errors
/// Never.
#[cfg(not(all(feature = "rivals", unix)))]
pub fn enter() -> io::Result<()> {
    Ok(())
}
