//! The settings as `config check` shows them: value and source.
//!
//! Only writes. Whether credentials and region are to be had is for `aws` to find out.

use std::io::{self, Write};

use super::command::Load;
use super::table::SETTINGS;

/// Writes file, warnings and the settings of flags or file, each with its source.
///
/// # Errors
/// If `out` can't be written to.
pub fn write_settings(load: &Load, out: &mut dyn Write) -> io::Result<()> {
    match &load.file {
        Some(path) => writeln!(out, "file: {}", path.display())?,
        None => writeln!(out, "file: none")?,
    }
    for warning in &load.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    let (mut flags, mut file) = (load.flags.clone(), load.in_file.clone());
    for setting in SETTINGS {
        let flag = (setting.slot)(&mut flags).shown();
        let value = match (flag, (setting.slot)(&mut file).shown()) {
            (Some(value), Some(_)) => Some((value, "flag, overrides the file")),
            (Some(value), None) => Some((value, "flag")),
            (None, Some(value)) => Some((value, "file")),
            (None, None) => None,
        };
        if let Some((value, source)) = value {
            writeln!(out, "{} = {value} ({source})", setting.key)?;
        }
    }
    let config = &load.config;
    writeln!(out, "memory for documents: {} MB", config.buffer_memory >> 20)?;
    writeln!(out, "UDP {}, TCP {}", config.udp_address, config.tcp_address)
}

#[cfg(test)]
mod tests {
    use super::super::command::Command;
    use super::super::environment::Environment;
    use super::*;

    #[test]
    fn each_value_has_its_source() {
        let path = std::env::temp_dir().join(format!("xray-daemon-{}-check", std::process::id()));
        std::fs::write(&path, "Version: 2\nRegion: here\nConcurrency: 4\n").unwrap();
        let arguments =
            ["config", "check", "-c", path.to_str().unwrap(), "-n", "there", "-m", "10"].map(str::to_owned);
        let Ok(Command::Check(load)) = Command::parse(&arguments, Environment::default()) else { panic!() };
        let mut out = Vec::new();
        write_settings(&load, &mut out).unwrap();
        let expected = format!(
            "file: {}\nTotalBufferSizeMB = 10 (flag)\nRegion = there (flag, overrides the file)\nConcurrency = 4 (file)\n\
             memory for documents: 10 MB\nUDP 127.0.0.1:2000, TCP 127.0.0.1:2000\n",
            path.display()
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
