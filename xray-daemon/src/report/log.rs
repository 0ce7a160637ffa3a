//! The daemon's log: `<time> [Level] message`, to standard output or to a file.
//!
//! Format and levels are those of AWS's daemon. A message stays on one line whatever is in it, and a line that repeats
//! is written once, with the number of its repetitions behind it. Other crates are heard at the level `dev` only.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Zoned;
use log::{Level, LevelFilter, Log, Metadata, Record};

use super::log_file::LogFile;
use crate::config::{LogConfig, LogLevel};

/// Makes this the log of the process.
///
/// # Errors
///
/// If the file can't be opened, or if there is a log already.
pub fn init(config: &LogConfig) -> io::Result<()> {
    let output = file_or_output(config.path.as_deref(), config.rotation)?;
    let level = filter(config.level);
    log::set_boxed_logger(Box::new(Logger::new(output, level))).map_err(io::Error::other)?;
    log::set_max_level(level);
    Ok(())
}

/// Writes one error in the form of the log, for when there is no log yet.
pub fn write_error(output: Box<dyn Write + Send>, message: &str) {
    let logger = Logger::new(output, LevelFilter::Error);
    let target = module_path!();
    logger.log(&Record::builder().level(Level::Error).target(target).args(format_args!("{message}")).build());
}

/// The log's file, or standard output if there is none.
///
/// # Errors
///
/// If the file can't be opened.
pub fn file_or_output(path: Option<&Path>, rotates: bool) -> io::Result<Box<dyn Write + Send>> {
    Ok(match path {
        Some(path) => Box::new(LogFile::open(path, rotates)?),
        None => Box::new(io::stdout()),
    })
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Trace => LevelFilter::Trace,
        LogLevel::Debug => LevelFilter::Debug,
        LogLevel::Info => LevelFilter::Info,
        LogLevel::Warn => LevelFilter::Warn,
        LogLevel::Error => LevelFilter::Error,
    }
}

/// Writes records, one a line.
pub struct Logger {
    level: LevelFilter,
    state: Mutex<State>,
}

struct State {
    output: Box<dyn Write + Send>,
    last: Option<Last>,
}

/// The line that was written last.
struct Last {
    level: Level,
    message: String,
    written: Instant,
    repeated: u64,
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger").field("level", &self.level).finish_non_exhaustive()
    }
}

impl Logger {
    /// A log that writes to `output` what is at least as important as `level`.
    #[must_use]
    pub fn new(output: Box<dyn Write + Send>, level: LevelFilter) -> Self {
        Self { level, state: Mutex::new(State { output, last: None }) }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_own =
            metadata.target().starts_with("xray_daemon") || metadata.target().starts_with("xray_sdk");
        metadata.level() <= self.level && (is_own || self.level == LevelFilter::Trace)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let message = one_line(&record.args().to_string());
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.write(record.level(), message);
        }
    }

    fn flush(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.write_repetitions();
        // There is no other place to report that the log can't be written.
        let _ = state.output.flush();
    }
}

impl State {
    fn write(&mut self, level: Level, message: String) {
        if let Some(last) = &mut self.last
            && last.level == level
            && last.message == message
            && last.written.elapsed() < REPEAT_WINDOW
        {
            last.repeated += 1;
            return;
        }
        self.write_repetitions();
        self.write_line(level, &message);
        self.last = Some(Last { level, message, written: Instant::now(), repeated: 0 });
    }

    fn write_repetitions(&mut self) {
        if let Some(Last { level, repeated, .. }) = self.last.take()
            && repeated > 0
        {
            let times = if repeated == 1 { "once".to_owned() } else { format!("{repeated} times") };
            self.write_line(level, &format!("The last line was repeated {times}"));
        }
    }

    fn write_line(&mut self, level: Level, message: &str) {
        let line = format!("{} [{}] {message}\n", timestamp(&Zoned::now()), name(level));
        let _ = self.output.write_all(line.as_bytes()).and_then(|()| self.output.flush());
    }
}

/// For how long a line that repeats is counted instead of written.
const REPEAT_WINDOW: Duration = Duration::from_secs(60);

fn timestamp(time: &Zoned) -> String {
    let offset = if time.offset().seconds() == 0 { "Z" } else { "%:z" };
    time.strftime(&format!("%Y-%m-%dT%H:%M:%S{offset}")).to_string()
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Error => "Error",
        Level::Warn => "Warn",
        Level::Info => "Info",
        Level::Debug => "Debug",
        Level::Trace => "Trace",
    }
}

/// A message with its control characters escaped: what a datagram holds can't forge a line of the log.
fn one_line(message: &str) -> String {
    let message = message.trim_end_matches('\n');
    if !message.contains(char::is_control) {
        return message.to_owned();
    }
    let mut line = String::with_capacity(message.len() + 16);
    for character in message.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Memory {
        /// The lines without their times, each of which must be one.
        fn lines(&self) -> Vec<String> {
            let content = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            content
                .lines()
                .map(|line| {
                    let (time, rest) = line.split_once(' ').unwrap();
                    time.parse::<jiff::Timestamp>().unwrap();
                    rest.to_owned()
                })
                .collect()
        }
    }

    fn logged(level: LevelFilter, target: &str, records: &[(Level, &str)]) -> Vec<String> {
        let memory = Memory::default();
        let logger = Logger::new(Box::new(memory.clone()), level);
        for (level, message) in records {
            logger
                .log(&Record::builder().level(*level).target(target).args(format_args!("{message}")).build());
        }
        logger.flush();
        memory.lines()
    }

    #[test]
    fn each_level_has_the_originals_form() {
        let records = [
            (Level::Error, "e"),
            (Level::Warn, "w"),
            (Level::Info, "i"),
            (Level::Debug, "d"),
            (Level::Trace, "t"),
        ];
        let all = ["[Error] e", "[Warn] w", "[Info] i", "[Debug] d", "[Trace] t"];
        for (shown, level) in
            [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace]
                .into_iter()
                .enumerate()
        {
            assert_eq!(logged(filter(level), "xray_daemon::upload", &records), all[..=shown]);
        }
    }

    #[test]
    fn times_are_rfc_3339_with_z_for_utc() {
        let noon = "2026-11-26T12:00:00Z".parse::<jiff::Timestamp>().unwrap();
        assert_eq!(timestamp(&noon.to_zoned(jiff::tz::TimeZone::UTC)), "2026-11-26T12:00:00Z");
        let berlin = jiff::tz::TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(timestamp(&noon.to_zoned(berlin)), "2026-11-26T13:00:00+01:00");
    }

    #[test]
    fn a_message_stays_on_one_line() {
        let records = [(Level::Warn, "Invalid header: x\n2026-01-01T00:00:00Z [Info] forged\u{7}")];
        let lines = logged(LevelFilter::Info, "xray_daemon", &records);
        assert_eq!(lines, [r"[Warn] Invalid header: x\n2026-01-01T00:00:00Z [Info] forged\u{7}"]);
    }

    #[test]
    fn repetitions_are_counted() {
        let records = [
            (Level::Error, "a"),
            (Level::Error, "a"),
            (Level::Error, "a"),
            (Level::Warn, "a"),
            (Level::Info, "b"),
            (Level::Info, "b"),
        ];
        let lines = logged(LevelFilter::Info, "xray_daemon", &records);
        let expected = [
            "[Error] a",
            "[Error] The last line was repeated 2 times",
            "[Warn] a",
            "[Info] b",
            "[Info] The last line was repeated once",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn other_crates_are_heard_at_the_lowest_level_only() {
        let records = [(Level::Error, "x")];
        assert!(logged(LevelFilter::Debug, "hyper_util", &records).is_empty());
        assert_eq!(logged(LevelFilter::Trace, "hyper_util", &records), ["[Error] x"]);
    }
}
