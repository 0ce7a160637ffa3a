//! The tables of traces: documents in, compiled rows out.
//!
//! For each trace that a batch touches: its earlier documents are read again, all are compiled, and its rows are
//! replaced. Links between traces come last, from the rows of both. So rows never depend on the order in which documents came.

mod blocks;
mod bulk;
mod cause_rows;
mod cells;
mod histogram;
mod intake;
mod links;
mod names;
mod recent;
mod rows;
mod shape;
mod sweep;

pub(super) use blocks::read as read_documents;
pub use histogram::Histogram;
pub(super) use intake::{Taken, Traces};
pub(super) use shape::fill as fill_shapes;
