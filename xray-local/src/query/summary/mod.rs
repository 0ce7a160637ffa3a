//! Trace summaries: `facts` is what they say, `read` makes them from the store's columns.

mod facts;
mod read;

pub use facts::{
    AnnotationSummary, AnnotationValue, CauseEntity, CauseService, HttpSummary, RootCause, Summary,
    SummaryPage, UserSummary,
};
pub use read::{sum_up, summaries};
