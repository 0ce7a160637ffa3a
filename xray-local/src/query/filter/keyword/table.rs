//! The rows together, in the order of the handles, and how one is found.

use super::field::Field;
use super::row::{Keyword, Place};
use super::scope::Scope;
use super::{elements, flags, strings};

/// The rows. Together they have the order of [`Field`].
static ROWS: [&[Keyword]; 3] = [&flags::ROWS, &strings::ROWS, &elements::ROWS];

impl Field {
    /// The row of the table.
    #[must_use]
    pub fn keyword(self) -> &'static Keyword {
        // A test holds the order of the table against the order of the variants.
        let mut position = self as usize;
        for rows in ROWS {
            match rows.get(position) {
                Some(row) => return row,
                None => position -= rows.len(),
            }
        }
        &ROWS[0][0]
    }
}

impl Keyword {
    /// Every keyword, in the order of the table.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        ROWS.iter().copied().flatten()
    }

    /// Finds a keyword by its spelling, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().find(|keyword| keyword.name.eq_ignore_ascii_case(name))
    }

    /// The place that covers a scope, if the keyword is accepted there.
    #[must_use]
    pub fn place(&self, scope: Scope) -> Option<&'static Place> {
        self.places.iter().find(|place| place.within.covers(scope))
    }

    /// Keywords that are accepted in a scope, in the order of the table.
    pub fn within(scope: Scope) -> impl Iterator<Item = &'static Self> {
        Self::all().filter(move |keyword| keyword.place(scope).is_some())
    }
}
