//! The rules of the house, checked on a crate's source text.
//!
//! A *room* is a folder or a file right below `src`. Each crate's `tests/tidy.rs` lists its rooms, and asks a
//! [`House`] for what is wrong: imports that run upwards, files in a circle, files and folders that are too long,
//! words and summaries that do not stand alone. Tests may import everything. [`unclear_page`] is for pages in Markdown.
//!
//! ```no_run
//! let house = tidy::House::read("my-crate").rooms(&[("lib", &["verbs", "nouns"]), ("verbs", &["nouns"]), ("nouns", &[])]);
//! house.upward_imports().assert_none();
//! house.circles().assert_none();
//! ```

mod checks;

mod pages;

mod form;
mod imports;
mod prose;

mod house;

mod code;
mod findings;

#[cfg(test)]
mod tests;

pub use findings::Findings;
pub use house::House;
pub use pages::unclear_page;
