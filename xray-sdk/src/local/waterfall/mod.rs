//! A trace as a picture for the terminal.
//!
//! [`text`] measures and formats, [`ink`] knows colours, [`label`] says what a span has to say for itself, [`bar`]
//! draws its time, [`rows`] lays the tree out in rows, [`terminal`] knows the output's width and whether it takes colours,
//! and [`picture`] puts all of it in columns.

mod picture;

mod rows;

mod terminal;

mod label;

mod bar;

mod text;

mod ink;

#[cfg(test)]
mod tests;

pub use picture::Waterfall;
