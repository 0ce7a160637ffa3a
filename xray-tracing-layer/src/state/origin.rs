//! What all segments of the process say alike, before and after it was found out where it runs.
//!
//! DetectedOrigin out takes a while, and nobody waits for it: a thread asks, segments that end meanwhile go out without an
//! origin, and those after that have it. Readers pay one load.

use std::sync::{Arc, OnceLock};

use xray_sdk::document::internal::Preamble;
use xray_sdk::origin::{DetectedOrigin, Plugins};

#[derive(Debug)]
pub(crate) struct Origin {
    before: Preamble,
    found: OnceLock<(Preamble, DetectedOrigin)>,
    plugins: Option<Plugins>,
}

impl Origin {
    pub(crate) fn new(before: Preamble, plugins: Option<Plugins>) -> Self {
        Self { before, found: OnceLock::new(), plugins }
    }

    #[inline]
    pub(crate) fn preamble(&self) -> &Preamble {
        self.found.get().map_or(&self.before, |(preamble, _)| preamble)
    }

    pub(crate) fn finding(&self) -> Option<&DetectedOrigin> {
        self.found.get().map(|(_, finding)| finding)
    }

    /// Begins to find out, on a thread that ends when it has, if the user wants it at all. A sentence if there is
    /// no thread to be had.
    pub(crate) fn detect(self: &Arc<Self>) -> Result<(), String> {
        let Some(plugins) = self.plugins.clone() else { return Ok(()) };
        let this = Arc::clone(self);
        let find = move || {
            let finding = plugins.detect();
            let _ = this.found.set((finding.apply(this.before.clone()), finding));
        };
        let spawned = std::thread::Builder::new().name("xray-origin".to_owned()).spawn(find);
        spawned.map(drop).map_err(|err| format!("no thread to find out where the process runs: {err}"))
    }
}
