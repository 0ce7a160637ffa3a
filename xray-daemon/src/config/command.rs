//! The command that the arguments ask for, with its configuration.
//!
//! The one place that reads a configuration file. `run` calls this first.

use std::fs;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::ConfigError;
use super::file::{self, File};
use super::flags::Flags;
use super::layer::Layer;
use super::memory;
use super::resolve::{overlay, resolve};
use super::settings::Config;

/// A command of the program.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Run the daemon.
    Run(Box<Load>),
    /// Show the help.
    Help,
    /// Show the version.
    Version,
    /// `config check`: show what would be used, and end.
    Check(Box<Load>),
    /// `health`: ask the daemon on this machine how it is; with `ready`, whether it can upload as well.
    Health {
        /// The configuration, which says where that daemon is.
        load: Box<Load>,
        /// `true` if `--ready` was given.
        ready: bool,
    },
}

/// A configuration and where it is from.
#[derive(Clone, Debug)]
pub struct Load {
    /// The configuration.
    pub config: Config,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// Remarks on flags and file that are no errors, for a person.
    pub warnings: Vec<String>,
    pub(super) flags: Layer,
    pub(super) in_file: Layer,
}

impl Command {
    /// Reads arguments, without the program's name, and the configuration file.
    ///
    /// # Errors
    /// If the arguments can't be read, or the configuration can't be used.
    pub fn parse(arguments: &[String], environment: Environment) -> Result<Self, ConfigError> {
        Self::parse_with(arguments, environment, &USUAL_PLACES.map(Path::new))
    }

    fn parse_with(
        arguments: &[String],
        environment: Environment,
        usual: &[&Path],
    ) -> Result<Self, ConfigError> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (name, arguments) = match words.as_slice() {
            ["config", "check", ..] => ("check", &arguments[2..]),
            ["config", ..] => {
                return Err(ConfigError::usage("there is one command of this name: config check"));
            }
            ["health", ..] => ("health", &arguments[1..]),
            _ => ("run", arguments),
        };
        let flags = Flags::parse(arguments)?;
        if flags.ready && name != "health" {
            return Err(ConfigError::usage("flag provided but not defined: -ready"));
        }
        if flags.help {
            return Ok(Self::Help);
        }
        if flags.version {
            return Ok(Self::Version);
        }
        // A daemon's arguments may be those of another's task definition; these commands are our own.
        if let Some(word) = flags.rest.first().filter(|_| name != "run") {
            return Err(ConfigError::usage(format!(
                "`{word}` is no flag, and nothing else is accepted here"
            )));
        }
        let ready = flags.ready;
        let load = Box::new(Load::new(flags, environment, usual)?);
        Ok(match name {
            "check" => Self::Check(load),
            "health" => Self::Health { load, ready },
            _ => Self::Run(load),
        })
    }

    /// Returns the log file that arguments name.
    #[must_use]
    pub fn log_file(arguments: &[String]) -> Option<PathBuf> {
        Flags::parse(arguments).ok()?.layer.log_path.filter(|path| !path.is_empty()).map(PathBuf::from)
    }
}

impl Load {
    fn new(flags: Flags, environment: Environment, usual: &[&Path]) -> Result<Self, ConfigError> {
        let named = flags.config.as_deref().filter(|path| !path.is_empty()).map(Path::new);
        let path = named.or_else(|| usual.iter().copied().find(|path| path.exists()));
        let File { layer: in_file, warnings } = match path {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|err| {
                    ConfigError::invalid(format!(
                        "Error occur when using config flag: open {}: {err}",
                        path.display()
                    ))
                })?;
                file::parse(&text, named.is_some())?
            }
            None => File::default(),
        };
        let place = path.map(|path| path.display().to_string()).unwrap_or_default();
        let mut warnings: Vec<String> =
            warnings.into_iter().map(|warning| format!("{place}: {warning}")).collect();
        if !flags.rest.is_empty() {
            warnings.push(format!("Arguments that are no flags are ignored: {}", flags.rest.join(" ")));
        }
        let config = resolve(overlay(&flags.layer, &in_file), environment, memory::available())?;
        Ok(Self { config, file: path.map(Path::to_path_buf), warnings, flags: flags.layer, in_file })
    }
}

/// Places of the file when no flag names one.
///
/// The first that is there is read, and no other.
const USUAL_PLACES: [&str; 2] = ["/etc/amazon/xray/cfg.yaml", "cfg.yaml"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str, usual: &[&Path]) -> Result<Command, ConfigError> {
        let words: Vec<String> = line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Command::parse_with(&words, Environment::default(), usual)
    }

    fn file(name: &str, text: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("xray-daemon-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn each_command_is_recognized() {
        assert!(matches!(parse("-o", &[]), Ok(Command::Run(load)) if load.config.local_mode));
        assert!(matches!(parse("config check -o", &[]), Ok(Command::Check(load)) if load.config.local_mode));
        assert!(matches!(parse("health --ready", &[]), Ok(Command::Health { ready: true, .. })));
        assert!(matches!(parse("health", &[]), Ok(Command::Health { ready: false, .. })));
        assert!(matches!(parse("-h -c /no/such/file", &[]), Ok(Command::Help)));
        assert!(matches!(parse("-v -c /no/such/file", &[]), Ok(Command::Version)));
        for line in ["config", "config check now", "health 127.0.0.1:2000", "health -o --ready now -b x:1"] {
            assert_eq!(parse(line, &[]).unwrap_err().exit_code(), 2, "{line}");
        }
        assert_eq!(parse("--ready", &[]).unwrap_err().to_string(), "flag provided but not defined: -ready");
    }

    #[test]
    fn a_named_file_is_the_only_one_that_is_read() {
        let named = file("named", "Version: 2\nRegion: named\n");
        let usual = file("usual", "Version: 10000\n");
        let Ok(Command::Run(load)) = parse(&format!("-c {}", named.display()), &[&usual]) else { panic!() };
        assert_eq!((load.config.region.as_deref(), load.file.as_ref()), (Some("named"), Some(&named)));
        assert!(parse("", &[&usual]).unwrap_err().to_string().starts_with("Config Version Setting"));
    }

    #[test]
    fn without_a_flag_the_first_usual_place_is_read_and_none_is_no_error() {
        let first = file("first", "Version: 1\nRegion: first\nOdd: 1\n");
        let second = file("second", "Version: 1\nRegion: second\n");
        let absent = Path::new("/no/such/file");
        let Ok(Command::Run(load)) = parse("", &[absent, &first, &second]) else { panic!() };
        assert_eq!(load.config.region.as_deref(), Some("first"));
        assert_eq!(load.warnings, [format!("{}: line 3: Odd is not known and is ignored.", first.display())]);
        let Ok(Command::Run(load)) = parse("", &[absent]) else { panic!() };
        assert_eq!((load.file, load.config.region), (None, None));
    }

    #[test]
    fn a_named_file_that_is_not_there_is_an_error() {
        let error = parse("-c /no/such/file", &[]).unwrap_err();
        assert!(
            error.to_string().starts_with("Error occur when using config flag: open /no/such/file: "),
            "{error}"
        );
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn words_behind_the_flags_are_ignored_and_said() {
        let Ok(Command::Run(load)) = parse("-n a b -o", &[]) else { panic!() };
        assert_eq!((load.config.region.as_deref(), load.config.local_mode), (Some("a"), false));
        assert_eq!(load.warnings, ["Arguments that are no flags are ignored: b -o"]);
    }
}
