//! The checks of a [`House`], each a method. The rules of each are in a file of their own: `imports`, `form`, `prose`.

use crate::findings::Findings;
use crate::form;
use crate::house::House;
use crate::imports;
use crate::prose;

impl House {
    /// Finds imports from rooms that the importing file's room is not allowed to import from.
    #[must_use]
    pub fn upward_imports(&self) -> Findings {
        Findings::new(imports::upward(self))
    }

    /// Finds files that import themselves by way of others.
    #[must_use]
    pub fn circles(&self) -> Findings {
        Findings::new(imports::circles(self))
    }

    /// Finds files without a module doc, files and folders that are too long, and words that a room does without.
    #[must_use]
    pub fn misshapen(&self) -> Findings {
        Findings::new(form::files(self).chain(form::folders(self)))
    }

    /// Finds words of comments and messages that have plainer ones, and summaries that do not stand alone.
    #[must_use]
    pub fn unclear(&self) -> Findings {
        Findings::new(prose::words(self).chain(prose::summaries(self)))
    }
}
