//! [`Dialect`]: the one difference between SQL's dialects that decides what is a value.
//!
//! Read by the scanner of statements, chosen by the name of the database system.

/// The meaning of double quotes in a system's statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// A name, in every place.
    DoubleQuotedNames,
    /// A string, in every place, with backslashes as escapes.
    MySql,
    /// One or the other: a name only where no value can stand.
    #[default]
    Unknown,
}
