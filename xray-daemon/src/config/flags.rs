//! Arguments as AWS's daemon reads them, and the help.
//!
//! The rules are those of Go's `flag`, by which existing task definitions are written: one dash or two, a value behind
//! `=` or as the next argument, `-o=false` for a switch, and the first argument without a dash ends the flags. No
//! library for arguments takes `-config FILE` for a long flag, so that these few rules are written out.

use std::io::{self, Write};

use super::error::ConfigError;
use super::layer::{Layer, Slot};
use super::table::{SETTINGS, Setting};

/// The arguments, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) layer: Layer,
    /// `-c`, `--config`: the file.
    pub(super) config: Option<String>,
    /// `-v`, `--version`
    pub(super) version: bool,
    /// `-h`, `--help`
    pub(super) help: bool,
    /// `--ready`, of the command `health`.
    pub(super) ready: bool,
    /// The arguments behind the flags.
    pub(super) rest: Vec<String>,
}

impl Flags {
    /// Reads arguments, without the program's name.
    ///
    /// # Errors
    /// If a flag is not known, has no value, or a value of the wrong type.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, ConfigError> {
        let mut flags = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let Some(flag) = argument.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
                flags.rest.push(argument.clone());
                break;
            };
            if flag == "-" {
                break;
            }
            let flag = flag.strip_prefix('-').unwrap_or(flag);
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (flag, None),
            };
            flags.take(name, value, || rest.next())?;
            if flags.help {
                break;
            }
        }
        flags.rest.extend(rest.cloned());
        Ok(flags)
    }

    fn take<'a>(
        &mut self,
        name: &str,
        value: Option<&str>,
        next: impl FnOnce() -> Option<&'a String>,
    ) -> Result<(), ConfigError> {
        let needed = |next: Option<&'a String>| {
            value
                .map(str::to_owned)
                .or_else(|| next.cloned())
                .ok_or_else(|| ConfigError::usage(format!("flag needs an argument: -{name}")))
        };
        match name {
            "h" | "help" => self.help = switch(name, value)?,
            "v" | "version" => self.version = switch(name, value)?,
            "ready" => self.ready = switch(name, value)?,
            "c" | "config" => self.config = Some(needed(next())?),
            _ => {
                let setting = find(name)
                    .ok_or_else(|| ConfigError::usage(format!("flag provided but not defined: -{name}")))?;
                match (setting.slot)(&mut self.layer) {
                    Slot::Switch(slot) => *slot = Some(switch(name, value)?),
                    Slot::Text(slot) => *slot = Some(needed(next())?),
                    Slot::List(slot) => slot.get_or_insert_default().push(needed(next())?),
                    Slot::Number(slot) => {
                        let value = needed(next())?;
                        *slot = Some(value.parse().map_err(|_| {
                            ConfigError::usage(format!(
                                "invalid value \"{value}\" for flag -{name}: a whole number is needed"
                            ))
                        })?);
                    }
                }
            }
        }
        Ok(())
    }
}

fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.short == Some(name) || setting.long == Some(name))
}

/// A switch takes its value only behind `=`.
fn switch(name: &str, value: Option<&str>) -> Result<bool, ConfigError> {
    match value {
        None | Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(other) => Err(ConfigError::usage(format!(
            "invalid boolean value \"{other}\" for -{name}: true or false is needed"
        ))),
    }
}

/// Writes the help: commands, flags, and where more is to be read.
///
/// # Errors
/// If `out` can't be written to.
pub fn write_help(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Usage: xray-daemon [options]                run the daemon")?;
    writeln!(
        out,
        "       xray-daemon config check [options]   check flags and file, show what is used, and end"
    )?;
    writeln!(out, "       xray-daemon health [--ready]         ask the daemon on this machine how it is")?;
    let line = |out: &mut dyn Write, short: Option<&str>, long: &str, help: &str| match short {
        Some(short) => writeln!(out, "\t-{short}\t--{long:<22}\t{help}"),
        None => writeln!(out, "\t\t--{long:<22}\t{help}"),
    };
    writeln!(out, "\nAs in AWS's daemon, with one dash or two:")?;
    line(out, Some("c"), "config", "Configuration file.")?;
    for setting in SETTINGS.iter().filter(|setting| setting.short.is_some()) {
        line(out, setting.short, setting.long.unwrap_or_default(), setting.help)?;
    }
    line(out, Some("v"), "version", "Show the version.")?;
    line(out, Some("h"), "help", "Show this help.")?;
    writeln!(out, "\nBeyond it:")?;
    for setting in SETTINGS.iter().filter(|setting| setting.short.is_none()) {
        if let Some(long) = setting.long {
            line(out, None, long, setting.help)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Flags, ConfigError> {
        Flags::parse(&line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn short_and_long_flags_with_one_dash_or_two_mean_the_same() {
        for line in [
            "-n us-west-2",
            "--n us-west-2",
            "-region us-west-2",
            "--region us-west-2",
            "-n=us-west-2",
            "--region=us-west-2",
        ] {
            assert_eq!(parse(line).unwrap().layer.region.as_deref(), Some("us-west-2"), "{line}");
        }
        for line in ["-m 50", "--buffer-memory=50", "-buffer-memory 50"] {
            assert_eq!(parse(line).unwrap().layer.buffer_memory_mb, Some(50), "{line}");
        }
        for (line, on) in [("-o", true), ("--local-mode", true), ("-o=false", false), ("-local-mode=T", true)]
        {
            assert_eq!(parse(line).unwrap().layer.local_mode, Some(on), "{line}");
        }
    }

    #[test]
    fn every_flag_of_the_original_is_there() {
        let line = "-a arn:a -o -m 3 -n r -b 1:1 -t 2:2 -r arn:r -c file -f log -l warn -p http://p -v";
        let flags = parse(line).unwrap();
        let layer = Layer {
            resource_arn: Some("arn:a".into()),
            local_mode: Some(true),
            buffer_memory_mb: Some(3),
            region: Some("r".into()),
            udp_address: Some("1:1".into()),
            tcp_address: Some("2:2".into()),
            role_arn: Some("arn:r".into()),
            log_path: Some("log".into()),
            log_level: Some("warn".into()),
            proxy_address: Some("http://p".into()),
            ..Layer::default()
        };
        assert_eq!(flags, Flags { layer, config: Some("file".into()), version: true, ..Flags::default() });
    }

    #[test]
    fn no_arguments_leave_everything_to_the_defaults() {
        assert_eq!(parse("").unwrap(), Flags::default());
    }

    #[test]
    fn a_value_may_begin_with_a_dash_and_be_empty() {
        assert_eq!(parse("-f -x -n=").unwrap().layer.log_path.as_deref(), Some("-x"));
        assert_eq!(parse("-n=").unwrap().layer.region.as_deref(), Some(""));
    }

    #[test]
    fn the_last_of_a_flag_wins_and_lists_grow() {
        assert_eq!(parse("-n a -n b").unwrap().layer.region.as_deref(), Some("b"));
        let hosts = parse("--allow-host a --allow-host=b").unwrap().layer.allow_hosts;
        assert_eq!(hosts, Some(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn the_first_word_without_a_dash_ends_the_flags() {
        let flags = parse("-n a word -n b").unwrap();
        assert_eq!(
            (flags.layer.region.as_deref(), flags.rest.join(" ")),
            (Some("a"), "word -n b".to_owned())
        );
        assert_eq!(parse("-- -n b").unwrap().rest.join(" "), "-n b");
    }

    #[test]
    fn mistakes_are_named_and_exit_with_2() {
        for (line, message) in [
            ("-x", "flag provided but not defined: -x"),
            ("--m50", "flag provided but not defined: -m50"),
            ("-n", "flag needs an argument: -n"),
            ("-m ten", "invalid value \"ten\" for flag -m: a whole number is needed"),
            ("-o=maybe", "invalid boolean value \"maybe\" for -o: true or false is needed"),
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.exit_code()), (message, 2), "{line}");
        }
    }

    #[test]
    fn the_help_has_every_flag() {
        let mut help = Vec::new();
        write_help(&mut help).unwrap();
        let help = String::from_utf8(help).unwrap();
        for setting in SETTINGS {
            if let Some(long) = setting.long {
                assert!(help.contains(&format!("--{long} ")), "{long}");
            }
        }
    }
}
