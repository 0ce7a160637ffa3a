//! The log's file, renamed when it has 50 MB. One old file is kept, as by AWS's daemon.
//!
//! Knows nothing of lines or levels. A file that can't be renamed is written on, since a log that is too long is better
//! than none.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A log file.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
    /// The size at which the file is renamed; none if it never is.
    limit: Option<u64>,
}

impl LogFile {
    /// Opens the file for appending, and makes its directory if there is none.
    pub(super) fn open(path: &Path, rotates: bool) -> io::Result<Self> {
        Self::with_limit(path, rotates.then_some(LIMIT))
    }

    fn with_limit(path: &Path, limit: Option<u64>) -> io::Result<Self> {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            std::fs::create_dir_all(directory)?;
        }
        let file = append(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, limit })
    }

    fn rotate(&mut self) -> io::Result<()> {
        std::fs::rename(&self.path, old(&self.path))?;
        self.file = append(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.limit.is_some_and(|limit| self.size > 0 && self.size + bytes.len() as u64 > limit) {
            // A file that can't be renamed is written on.
            let _ = self.rotate();
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// 50 MB, as in AWS's daemon.
const LIMIT: u64 = 50 << 20;

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

fn old(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_old_file_is_kept() {
        let directory = std::env::temp_dir().join(format!("xray-daemon-log-{}", std::process::id()));
        let path = directory.join("deep/xray.log");
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let mut file = LogFile::with_limit(&path, Some(10)).unwrap();
        for line in ["one\n", "two\n", "three\n", "four is long\n", "five\n"] {
            file.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!((read(&path), read(&old(&path))), ("five\n".into(), "four is long\n".into()));
        drop(file);
        let mut file = LogFile::with_limit(&path, None).unwrap();
        file.write_all(b"never renamed\n").unwrap();
        assert_eq!(read(&path), "five\nnever renamed\n");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
