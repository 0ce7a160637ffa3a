//! Columns: the SQL compiler's way to the value of a keyword.

/// The SQL compiler's way to a keyword's value. `t`, `s`, `e` and `c` are the rows of the scopes: a trace, a
/// segment, a call, an element of a root cause.
#[derive(Clone, Copy, Debug)]
pub(in crate::query) enum Column {
    /// An expression over the scope's row.
    Value(&'static str),
    /// An expression over the scope's row, for a value that is also in the trace's shape. The columns there have the
    /// same names.
    Shape(&'static str),
    /// Microseconds, compared as seconds with three decimals.
    Micros(&'static str),
    /// The id of a string in a table of strings.
    Interned { id: &'static str, table: &'static str, value: &'static str },
    /// The id of a string in a table `r` of many strings, which is read row by row.
    Lookup { id: &'static str, table: &'static str, value: &'static str },
    /// A value in each of several rows `r`. One of them has to satisfy a comparison.
    Rows { from: &'static str, join: &'static str, only: &'static str, value: &'static str },
    /// The share at this position of a root cause's coverage, `tc`.
    Share(&'static str),
    /// A rule of the compiler's own.
    Own,
}
