//! X-Ray on one's own machine. See `xray-local --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    xray_local::cli::main()
}
