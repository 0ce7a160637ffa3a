//! The members that all segments of the process share, before and after origin detection.
//!
//! Detection takes a while and runs on a thread of its own. Segments that end meanwhile are sent without an
//! origin. Readers pay one load.

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

    /// Starts the detection, if the user wants it, on a thread that ends with it. Returns a sentence if the
    /// thread cannot be started.
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
