//! Timelines of the traces that were looked at last, so that each detail does not read the trace again.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use xray_sdk::TraceId;

use super::rows::Timeline;
use crate::console::parts::error::PageError;
use crate::query;
use crate::store;

/// Timelines that are kept.
const KEPT: usize = 2;

/// The latest timelines, each with the revision that it shows.
#[derive(Debug, Default)]
pub(in crate::console) struct Cache(Mutex<Vec<(TraceId, i64, Arc<Timeline>)>>);

impl Cache {
    /// The timeline of a trace as it is stored now.
    ///
    /// # Errors
    /// The trace is not stored, or the store fails.
    pub(in crate::console) fn timeline(
        &self,
        connection: &Connection,
        id: TraceId,
    ) -> Result<Arc<Timeline>, PageError> {
        let missing = || PageError::not_found(format!("No trace {id} is stored here."));
        let held = store::find(connection, id)?.ok_or_else(missing)?;
        let revision: i64 = query::revision(connection, held.key)?;
        let known = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter()
                .find(|(of, at, _)| *of == id && *at == revision)
                .map(|(.., timeline)| Arc::clone(timeline))
        };
        if let Some(timeline) = known {
            return Ok(timeline);
        }
        let pieces = query::spans(connection, id)?.ok_or_else(missing)?;
        let timeline = Arc::new(Timeline::new(pieces));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, ..)| *of != id);
        kept.insert(0, (id, revision, Arc::clone(&timeline)));
        kept.truncate(KEPT);
        Ok(timeline)
    }
}
