//! X-Ray on one's own machine. See `xray-local --help`.

fn main() {}
