//! Place of the data, and the bounds of what is kept.

use std::path::PathBuf;
use std::time::Duration;

use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};

use crate::model::Home;
use crate::store::OpenError;

/// Place, limits and home of a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Place of the data.
    pub place: Place,
    /// Age at which a trace is deleted. Defaults to 30 days.
    pub keep: Duration,
    /// Bytes of the file above which the oldest traces are deleted. Defaults to 2 GB.
    pub max_size: u64,
    /// True if X-Ray's limits on a trace's size and annotations hold. Defaults to true.
    pub limits: bool,
    /// Region and account.
    pub home: Home,
}

/// A file, or the memory of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file; its folder is made if it is missing.
    File(PathBuf),
    /// Nothing on disk; everything is gone when the process ends.
    Memory,
}

impl Place {
    /// The file where the system keeps such data: `$XDG_DATA_HOME/xray-local/xray.db` (by default below
    /// `~/.local/share`), `~/Library/Application Support/…` or `%LOCALAPPDATA%\…`.
    ///
    /// # Errors
    /// There is no home directory.
    pub fn of_the_system() -> Result<Self, OpenError> {
        let folders = choose_native_strategy().map_err(|_| OpenError::NoPlace)?;
        // On Windows `data_dir` roams with the user, `cache_dir` is the local one.
        let folder = if cfg!(windows) { folders.cache_dir() } else { folders.data_dir() };
        Ok(Self::File(folder.join("xray-local").join("xray.db")))
    }

    /// Reads `--data`: a path, or `:memory:`.
    #[must_use]
    pub fn from_argument(argument: &str) -> Self {
        if argument == ":memory:" { Self::Memory } else { Self::File(PathBuf::from(argument)) }
    }
}

impl Options {
    /// A store at a place, with the defaults of the other members.
    #[must_use]
    pub fn at(place: Place) -> Self {
        Self {
            place,
            keep: Duration::from_secs(30 * 86_400),
            max_size: 2_000_000_000,
            limits: true,
            home: Home::default(),
        }
    }
}
