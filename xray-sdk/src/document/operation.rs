//! [`Operation`]: a segment's operation, which is kept as metadata, since the segment is named after its service.

use super::keys;
use crate::json::Buffer;

/// The name of a root span, made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `,"metadata":{"default":{"operation":"…"}}`, as it is where there is no other metadata.
    alone: Box<str>,
    /// The start of the JSON string in `alone`.
    start: usize,
}

impl Operation {
    /// Makes a name ready. At most [`MAX_STRING`](super::MAX_STRING) characters are kept.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut alone = Buffer::new();
        alone.put(METADATA);
        alone.put(keys::OPERATION.json());
        let start = alone.len();
        alone.put_string_within(name, super::MAX_STRING);
        alone.put(CLOSING);
        Self { alone: alone.as_str().into(), start }
    }

    /// Returns the name as a JSON string.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.alone[self.start..self.alone.len() - CLOSING.len()]
    }

    /// Returns the member of a document that has no other metadata, with a comma in front.
    #[inline]
    pub(super) fn alone(&self) -> &str {
        &self.alone
    }

    /// Returns the most bytes that the name takes in a document.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.alone.len()
    }
}

/// The beginning of metadata.
pub(super) const METADATA: &str = ",\"metadata\":{\"default\":{";
const CLOSING: &str = "}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_string_within_its_member() {
        let operation = Operation::new("GET \"/\"");
        assert_eq!(operation.json(), "\"GET \\\"/\\\"\"");
        assert_eq!(operation.alone(), ",\"metadata\":{\"default\":{\"operation\":\"GET \\\"/\\\"\"}}");
    }
}
