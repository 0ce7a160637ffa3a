//! X-Ray on one's own machine. See `xray-local --help`.

use std::process::ExitCode;

/// The intake makes hundreds of small strings for each trace, and drops them when its rows are bound.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    xray_local::cli::main()
}
