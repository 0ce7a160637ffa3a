//! The last step of opening a span: its record goes into the table.

use xray_sdk::sampling::Sampler;

use crate::lifecycle::core::Core;
use crate::state::pool;
use crate::state::record::SpanRecord;
use crate::state::table::Inserted;

impl Core {
    /// Inserts a new span's record.
    #[inline(always)]
    pub(crate) fn insert(&self, id: u64, record: Box<SpanRecord>) {
        match self.spans.table.insert(id, record) {
            Inserted::Done => {}
            other => self.give_up(id, other),
        }
    }

    /// Gives up what an insertion replaced, or what had no room.
    #[cold]
    #[inline(never)]
    pub(crate) fn give_up(&self, id: u64, inserted: Inserted) {
        match inserted {
            Inserted::Done => {}
            Inserted::Replaced(mut stale) => {
                self.output.counters.abandoned.one();
                self.drop_waiting(&mut stale);
                pool::give_back(stale);
            }
            Inserted::Full(record) => {
                self.output.counters.over_capacity.one();
                if let Some(verdict) = &record.verdict {
                    self.hooks.sampler.give_back(verdict);
                }
                pool::give_back(record);
                self.spans.host.on_close(id);
            }
        }
    }
}
