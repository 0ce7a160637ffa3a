//! Databases: values of their fields, and the language that statements are read in.

pub(crate) mod language;
pub(crate) mod values;
