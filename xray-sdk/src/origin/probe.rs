//! [`Probe`]: the facts that detection may look at.
//!
//! These are files below a root, environment variables, and the instance's metadata endpoint. In a test, all three are
//! of its own making.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Default)]
pub(super) struct Probe {
    root: Option<PathBuf>,
    variables: Option<HashMap<String, String>>,
}

#[cfg_attr(not(feature = "plugins"), allow(dead_code, reason = "what is looked at depends on the places"))]
impl Probe {
    pub(super) fn set_root(&mut self, root: PathBuf) {
        self.root = Some(root);
    }

    pub(super) fn set_variables(&mut self, variables: HashMap<String, String>) {
        self.variables = Some(variables);
    }

    /// Returns a variable's value, unless it is unset or blank.
    #[expect(clippy::disallowed_methods, reason = "detection reads the environment, once, off the hot path")]
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let value = match &self.variables {
            Some(variables) => variables.get(name).cloned(),
            None => std::env::var(name).ok(),
        };
        value.filter(|value| !value.trim().is_empty())
    }

    /// Returns a file's content by its absolute path, if it exists and is not larger than [`MAX_FILE`].
    pub(super) fn read(&self, path: &str) -> Option<String> {
        let path = self.path(path);
        let size = std::fs::metadata(&path).ok()?.len();
        (size <= MAX_FILE).then(|| std::fs::read_to_string(path).ok())?
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    fn path(&self, path: &str) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.trim_start_matches('/')),
            None => Path::new(path).to_owned(),
        }
    }

    /// The machine's name, which in a container is that of the container or of the pod.
    pub(super) fn host_name(&self) -> Option<String> {
        let file = || self.read("/proc/sys/kernel/hostname").or_else(|| self.read("/etc/hostname"));
        let name = self.variable("HOSTNAME").or_else(file)?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }
}

/// Configuration and `/proc` files that are read here have some kilobytes.
const MAX_FILE: u64 = 1 << 20;
