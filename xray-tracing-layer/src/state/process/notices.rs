//! Notes for diagnostics: sentences about the configuration, and the callsites that passed the layer's
//! filter.

use std::sync::{Mutex, PoisonError};

use tracing_core::Metadata;

/// Sentences about the configuration.
#[derive(Debug)]
pub(crate) struct Notices {
    bad: Vec<String>,
    others: Mutex<Vec<String>>,
}

impl Notices {
    /// Creates notices. `bad` is about settings that were ignored, `notes` about settings that were used.
    pub(crate) fn new(bad: Vec<String>, notes: Vec<String>) -> Self {
        Self { bad, others: Mutex::new(notes) }
    }

    /// Returns the number of settings that were ignored.
    pub(crate) fn bad_settings(&self) -> u64 {
        self.bad.len() as u64
    }

    pub(crate) fn add(&self, notice: String) {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
    }

    pub(crate) fn all(&self) -> Vec<String> {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        self.bad.iter().chain(others.iter()).cloned().collect()
    }
}

/// The span callsites that passed the layer's own filter.
#[derive(Debug, Default)]
pub(crate) struct WantedCallsites(Mutex<Vec<&'static Metadata<'static>>>);

impl WantedCallsites {
    pub(crate) fn note(&self, metadata: &'static Metadata<'static>) {
        if metadata.is_span() {
            let mut wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !wanted.iter().any(|known| std::ptr::eq(*known, metadata)) {
                wanted.push(metadata);
            }
        }
    }

    pub(crate) fn all(&self) -> Vec<&'static Metadata<'static>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
