//! Parts of which pages are made: the frame, numbers and links as they are written, histograms, the choice of data,
//! markup that keeps its order, and the page of an error.
//!
//! Nothing in this folder knows a particular page.

pub(super) mod error;
pub(super) mod format;
pub(super) mod histogram;
pub(super) mod order;
pub(super) mod scope;
pub(super) mod shell;
